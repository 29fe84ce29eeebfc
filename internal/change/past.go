package change

import (
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// Past is a request as it was approved once.
type Past struct {
	Code  string
	About approval.About
	Votes []approval.Vote // that approved it, with the roles held then
}

// Short is an approval of the past that would not have been enough.
type Short struct {
	Code    string
	Wanted  []access.Role // besides those who approved it
	Nobody  bool          // no policy would say who decides
	Waiting string        // the policy
}

// Shortfalls says which approvals of the past would not have been enough under a catalogue.
func Shortfalls(c catalog.Catalog, past []Past) ([]Short, error) {
	var all []Short
	for _, p := range past {
		rules, err := approval.RulesOf(c, p.About)
		if fault.As(err) != nil {
			all = append(all, Short{Code: p.Code, Nobody: true})
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, r := range rules {
			if missing := approval.Missing(r.Policy, p.Votes); len(missing) > 0 {
				all = append(all, Short{Code: p.Code, Wanted: missing, Waiting: r.Policy.Name})
				break
			}
		}
	}
	return all, nil
}
