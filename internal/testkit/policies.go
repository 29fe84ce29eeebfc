package testkit

import (
	"strconv"
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
)

// MovePolicy is the record of the policy for moves in a bundle, asking for so many incident commanders or business owners, of
// whichever there are.
func MovePolicy(t testing.TB, b store.Bundle, approvals int) catalog.Entry {
	t.Helper()
	for _, e := range b.Records {
		p, ok := e.Record.(catalog.Policy)
		if !ok || p.Action != catalog.ActMove {
			continue
		}
		p.Needs = nil
		for commanders := range approvals + 1 {
			way := strconv.Itoa(commanders)
			if commanders > 0 {
				p.Needs = append(p.Needs, catalog.Need{Way: way, Role: access.IncidentCommander, Persons: commanders})
			}
			if owners := approvals - commanders; owners > 0 {
				p.Needs = append(p.Needs, catalog.Need{Way: way, Role: access.BusinessOwner, Persons: owners})
			}
		}
		e.Record = p
		return e
	}
	t.Fatal("there is no policy for moves")
	return catalog.Entry{}
}
