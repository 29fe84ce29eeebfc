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
	rules, err := RulesOf(c, About{Action: catalog.ActChangeRules, At: at})
	if err != nil {
		return false
	}
	everybody := Strangers(c, nil, at)
	for i, p := range everybody {
		everybody[i] = p.With(slices.DeleteFunc(slices.Clone(p.Grants), func(g access.Grant) bool { return g.Until != nil }))
	}
	return slices.ContainsFunc(everybody, func(p access.Principal) bool {
		p.ID = "one of them" // others of a group can approve what one of them asks for
		b := Ballot{Rules: rules, Requester: p}
		return len(p.Holds(access.Administrator, access.Object{})) > 0 && len(b.Possible(b.Able(everybody))) == 0
	})
}
