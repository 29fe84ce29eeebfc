// Package identity owns the retailer's identity system as the demo has it: who has which role in the shop's own consoles, until when,
// and what they did there. It is told by calls over HTTP, refuses by itself once a role has run out, and keeps all of it in files.
package identity
