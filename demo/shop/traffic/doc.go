// Package traffic owns the way customers take to a site: a reverse proxy that chooses by weight, and the admin API that
// sets the weights. It never tries a second site for a request and never changes a weight by itself.
package traffic
