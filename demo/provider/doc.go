// Package provider owns the demo's sign-in provider: OpenID Connect on loopback, the demo's people and their browser
// sessions with it. It never asks for a password and never serves another computer.
package provider
