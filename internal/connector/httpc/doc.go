// Package httpc owns the connector kind "http": it looks with a GET and acts with one signed call that carries an
// idempotency key. It never follows a redirect, never uses a proxy, and never sends the same act twice by itself.
package httpc
