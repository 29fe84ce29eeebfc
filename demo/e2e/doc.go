// Package e2e owns the tests of the whole: the demo's processes, driven as a person and as the night would.
package e2e
