package approval

import (
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
)

// Governed says whether a change of who decides what can be approved by a second person. Until it can, at the beginning, whoever
// administers the catalogue does it alone; from then on nobody does. Only roles without an end count, so that it does not end by
// itself.
func Governed(c catalog.Catalog, at time.Time) bool {
	return GovernedBy(c, Strangers(c, nil, at), at)
}

// GovernedBy is Governed by some people alone.
func GovernedBy(c catalog.Catalog, people []access.Principal, at time.Time) bool {
	rules, err := RulesOf(c, About{Action: catalog.ActChangeRules, At: at})
	if err != nil {
		return false
	}
	everybody := make([]access.Principal, len(people))
	for i, p := range people {
		everybody[i] = p.With(slices.DeleteFunc(slices.Clone(p.Grants), func(g access.Grant) bool { return g.Until != nil }))
	}
	return slices.ContainsFunc(everybody, func(p access.Principal) bool {
		if len(p.Holds(access.Administrator, access.Object{})) == 0 {
			return false
		}
		if Stranger(p) {
			p.ID = "one of them" // others of a group can approve what one of them asks for
		}
		b := Ballot{Rules: rules, Requester: p}
		return len(b.Possible(b.Able(everybody))) == 0
	})
}

// Administers says whether somebody administers everything in their own right, without an end.
func Administers(p access.Principal) bool {
	return slices.ContainsFunc(p.Grants, func(g access.Grant) bool {
		return g.Role == access.Administrator && g.Scope.Everywhere() && g.For == "" && g.Until == nil
	})
}

// Unapproved are the actions that policies decide on before a change, and none after it.
func Unapproved(before, after catalog.Catalog) []catalog.Action {
	speaks := func(c catalog.Catalog, a catalog.Action) bool {
		return slices.ContainsFunc(c.Policies, func(p catalog.Policy) bool { return p.Action == a })
	}
	return slices.DeleteFunc(catalog.Actions(), func(a catalog.Action) bool { return !speaks(before, a) || speaks(after, a) })
}
