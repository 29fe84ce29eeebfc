// Package degrade owns the rules by which the retailer runs degraded: who says so, within which limits, and how it ends. It is pure:
// it never reads a clock, a record or a system.
package degrade
