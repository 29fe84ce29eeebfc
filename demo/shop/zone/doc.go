// Package zone owns the shop's name server: one zone, its records on disk, and who may change them (RFC 2136, signed
// with TSIG). It never asks another server and never changes a record that no signed update asked for.
package zone
