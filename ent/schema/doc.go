// Package schema owns what is kept, one file per record. Records refer to each other by id or code without foreign
// keys: nothing here is ever deleted but sessions, fact sheets that nobody voted on and delivered outbox rows.
package schema
