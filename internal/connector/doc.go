// Package connector owns what all kinds of real systems have in common: how they are looked at and acted on, what is
// kept as evidence, how conditions are read, variables filled and secrets fetched. It never talks to a system itself:
// each kind does so in a package of its own.
package connector
