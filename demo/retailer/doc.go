// Package retailer owns what the demo tells the product about the shop: its catalogue, with the addresses that were chosen
// on this machine. It never runs anything.
package retailer
