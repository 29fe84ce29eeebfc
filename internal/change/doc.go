// Package change owns changes of the catalogue and of plans that one person asks for and others approve: what would be changed,
// by whose leave, and with what effect. It is pure: it never reads a clock or a record.
package change
