// Package traffic owns the way customers take to a site: a reverse proxy that chooses by weight, and the admin API that
// sets the weights and leads to whichever site writes. It never tries a second site for a customer's request and never
// changes a weight by itself.
package traffic
