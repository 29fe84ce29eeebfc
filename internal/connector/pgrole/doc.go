// Package pgrole owns the kind "postgres-role": it makes people logins of their own on a PostgreSQL, gives them roles there and
// takes them back, with what they have open. It never touches a superuser, never brings an account that it did not make, and
// neither sends nor keeps a password: the server gets its verifier.
package pgrole
