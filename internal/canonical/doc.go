// Package canonical owns the one form in which a value is hashed: JSON with sorted keys, no escapes for HTML and numbers
// as they were written. It never decides what is hashed.
package canonical
