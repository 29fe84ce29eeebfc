// Package postgres owns throw-away PostgreSQL servers for tests and for writing migrations. It never touches a server
// that it did not start.
package postgres
