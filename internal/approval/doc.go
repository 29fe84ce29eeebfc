// Package approval owns the rules by which several people decide: which policy applies, whose votes it wants, and what is
// still missing. It is pure: it never reads a clock or a record.
package approval
