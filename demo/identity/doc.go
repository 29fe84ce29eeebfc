// Package identity owns the retailer's identity system as the demo has it: who has which role in the shop's own consoles, until when.
// It is told by calls over HTTP, refuses by itself once a role has run out, and keeps what it was told in a file.
package identity
