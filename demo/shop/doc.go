// Package shop owns the demo shop: it starts its parts, wires them over sockets, and breaks them when asked. It never
// knows anything of the portal: the two meet only over the shop's addresses.
package shop
