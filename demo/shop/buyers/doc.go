// Package buyers owns the shop's customers: online ones who come through the traffic manager, and tills that look their
// site up by DNS. It counts what they met and keeps every order that was acknowledged to them. It never asks a site what
// it did: what it knows is what a customer knows.
package buyers
