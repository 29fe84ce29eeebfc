// Package outlets owns the shop's stores: each writes every sale into its journal before it asks checkout, and goes on
// selling from it while checkout does not answer. It never forwards a sale twice or out of its turn.
package outlets
