// Package site owns one site of the shop: its checkout, its log of orders, the copy it takes of the other site's log, and
// what it sets aside when the two have parted. It never accepts an order without a live lease, and never deletes one.
package site
