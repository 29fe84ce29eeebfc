// Package api owns the JSON API: the records that the pages show, by the same rules. It never decides what is allowed and
// never signs anybody in.
package api
