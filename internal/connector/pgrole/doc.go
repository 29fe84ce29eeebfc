// Package pgrole owns the kinds "postgres-role" and "postgres-log". The first makes people logins of their own on a PostgreSQL, gives them
// roles there and takes them back, with what they have open; it never touches an account that it did not make, and neither sends nor keeps a
// password: the server gets its verifier. The second reads in the server's log what such a login did, and never changes anything.
package pgrole
