// Package lease owns the right to write: which site has it, until when, and every interval in which one ever held it. It
// never lets the leases of two sites overlap, and never looks at an order.
package lease
