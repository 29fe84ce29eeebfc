// Package tax owns the tax engine: it computes what is due on a net amount, and remembers the orders it was asked to
// recalculate. It never books tax.
package tax
