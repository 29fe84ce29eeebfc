// Package site owns one site of the shop: its checkout, its log of orders, the copy it takes of the other site's log, and
// what it sets aside when the two have parted. It never accepts an order without a live lease, and never deletes one. What a
// flag left for later is owed by the log itself: a copy of an order owes as much, and whoever writes pays it, once, because
// those who are paid know an order by its purchase's key.
package site
