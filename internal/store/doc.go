// Package store owns loading and saving: one method is one transaction with its audit events. It is the only user of
// ent, and it never decides: the pure packages do, on the values it hands them.
package store
