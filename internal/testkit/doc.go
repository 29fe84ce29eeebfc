// Package testkit owns what tests of several packages are built from: a database, a sign-in provider that can misbehave.
// It never fakes a part of the product, and nothing but tests imports it.
package testkit
