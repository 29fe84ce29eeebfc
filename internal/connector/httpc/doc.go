// Package httpc owns the connector kind "http": it looks with a GET and acts with one signed call that carries an
// idempotency key; and the kind of the same name that gives and takes access so. It never follows a redirect, never uses a
// proxy, and never sends the same act twice by itself.
package httpc
