// Package shoptest owns what the tests of the shop's parts share. It never runs outside of tests.
package shoptest
