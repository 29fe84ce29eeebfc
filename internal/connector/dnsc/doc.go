// Package dnsc owns the connector kind "dns": it asks the authoritative server of a zone and moves one record set from
// values that the plan knows to others that it knows. It never overwrites anything else, and never asks a resolver.
package dnsc
