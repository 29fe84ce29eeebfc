package approval

import (
	"slices"

	"keyholder/internal/access"
)

// As is whom somebody acts as on a request. Where nobody who signs in asks for it, whoever could ask for the same withdraws it and
// confirms what changed in it: otherwise nobody could, and it would keep people's own requests out until it expires.
func (b Ballot) As(p access.Principal, may access.Permission) access.Principal {
	if !b.Faceless || !slices.ContainsFunc(p.Grants, func(g access.Grant) bool { return g.Role.May(may) && b.covers(g.Scope) }) {
		return p
	}
	return b.Requester
}

// covers says whether a scope holds for all that the rules are about.
func (b Ballot) covers(s access.Scope) bool {
	return !slices.ContainsFunc(b.Rules, func(r Rule) bool {
		return slices.ContainsFunc(r.Objects, func(o access.Object) bool { return !s.Covers(o) })
	})
}

// Owner names who withdraws a request and confirms what changed in it.
func (q Question) Owner() string {
	if q.Faceless {
		return "Somebody who may ask for the same"
	}
	return q.Requester.Name
}

// only is Owner where nobody else can.
func (q Question) only() string {
	if q.Faceless {
		return "Only somebody who may ask for the same"
	}
	return "Only the requester"
}
