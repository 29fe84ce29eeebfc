// Package signin owns who is signed in: OpenID Connect, sessions and the principal. It is the only user of go-oidc, and
// it never signs anybody in without the issuer.
package signin
