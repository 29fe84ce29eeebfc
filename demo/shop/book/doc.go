// Package book owns the record of what a system outside the sites took for an order: each order once, however often it is
// sent. It never knows what was taken.
package book
