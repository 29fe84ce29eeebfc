package breakglass

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// FindingKind is what was found on a system.
type FindingKind string

// The kinds.
const (
	Unexplained FindingKind = "unexplained" // somebody has what no grant explains
	Missing     FindingKind = "missing"     // somebody does not have what a grant gave
	Unread      FindingKind = "unread"      // nobody can tell
)

// Finding is a difference between what a system says and what the grants explain.
type Finding struct {
	ID      string      `json:"id"`
	Kind    FindingKind `json:"kind"`
	System  string      `json:"system"`
	Account string      `json:"account,omitempty"`
	Role    string      `json:"role,omitempty"`
	Via     []string    `json:"via,omitempty"` // the roles by way of which
	Why     string      `json:"why,omitempty"`
	Holder  *Holder     `json:"holder,omitempty"` // whose account it is, where Keyholder knows
	Seen    time.Time   `json:"seen"`
	Wanted  *Ending     `json:"wanted,omitempty"` // who wants it put right
	Trouble *Trouble    `json:"trouble,omitempty"`
	Gone    *time.Time  `json:"gone,omitempty"`
	Version int         `json:"-"` // of the record, for guarded updates
}

// is says whether two findings are of the same thing.
func (f Finding) is(o Finding) bool {
	return f.Kind == o.Kind && f.System == o.System && f.Account == o.Account && f.Role == o.Role && slices.Equal(f.Via, o.Via)
}

// Words says what was found.
func (f Finding) Words() string {
	via := ""
	if len(f.Via) > 0 {
		via = " by way of " + strings.Join(f.Via, ", ")
	}
	switch f.Kind {
	case Unexplained:
		return fmt.Sprintf("%s has %s%s, which no grant explains", f.Account, f.Role, via)
	case Missing:
		return fmt.Sprintf("%s does not have %s, which a grant gave", f.Account, f.Role)
	case Unread:
		return "nobody can tell who has access: " + f.Why
	}
	return string(f.Kind)
}

// SeenThere is one role that an account has, as a system says.
type SeenThere struct {
	Account string
	Role    string
	Via     []string
}

// Expected is what Keyholder knows of one account: what its holder effectively has now, and whether the system was brought to that.
type Expected struct {
	Account Account
	Has     []Has
	Changed time.Time // when that last changed
}

// settling says that what is there may just be being changed: what differs meanwhile is no finding. since is when the system was asked.
func (e Expected) settling(since time.Time) bool {
	changed := e.Account.Tried
	for _, at := range []time.Time{e.Account.At, e.Changed} {
		if at.After(changed) {
			changed = at
		}
	}
	return since.Sub(changed) < settlesWithin
}

// had says whether the account has a role that it is brought to have, or from.
func (e Expected) had(role string) bool {
	return hasRole(e.Account.Has, role) || hasRole(e.Account.Wants, role)
}

// settlesWithin is how long a change may take before what differs is a finding.
const settlesWithin = 10 * time.Second

// Drift compares what a system said when it was asked with what the grants explain now.
func Drift(s catalog.System, seen []SeenThere, expected []Expected, asked, now time.Time) []Finding {
	var found []Finding
	for _, at := range seen {
		f := Finding{Kind: Unexplained, System: s.Slug, Account: at.Account, Role: at.Role, Via: at.Via, Seen: now}
		explained := s.Expects(at.Account, at.Role)
		for _, e := range expected {
			if sameAccount(e.Account.Name, at.Account) {
				f.Holder = &e.Account.Holder
				own := at.Role
				if len(at.Via) > 0 {
					own = at.Via[0]
				}
				explained = explained || hasRole(e.Has, own) || e.settling(asked) && e.had(own)
			}
		}
		if !explained {
			found = append(found, f)
		}
	}
	for _, e := range expected {
		if e.settling(asked) {
			continue
		}
		for _, h := range e.Has {
			there := slices.ContainsFunc(seen, func(at SeenThere) bool {
				return sameAccount(at.Account, e.Account.Name) && at.Role == h.Role && len(at.Via) == 0
			})
			if !there {
				found = append(found, Finding{Kind: Missing, System: s.Slug, Account: e.Account.Name, Role: h.Role, Holder: &e.Account.Holder, Seen: now})
			}
		}
	}
	return found
}

// sameAccount says whether two names are of one account. Addresses are, however they are spelt.
func sameAccount(a, b string) bool {
	return a == b || strings.Contains(a, "@") && strings.EqualFold(a, b)
}

func hasRole(has []Has, role string) bool {
	return slices.ContainsFunc(has, func(h Has) bool { return h.Role == role })
}

// Follow says what becomes of open findings when a system was read: which are new, and which are gone.
func Follow(open, found []Finding, now time.Time) (fresh, gone []Finding) {
	for _, f := range found {
		if !slices.ContainsFunc(open, f.is) {
			fresh = append(fresh, f)
		}
	}
	for _, f := range open {
		if !slices.ContainsFunc(found, f.is) {
			f.Gone = &now
			gone = append(gone, f)
		}
	}
	return fresh, gone
}

// PutRight is somebody's wish that what was found is put right: what no grant explains is taken, what is missing is given again.
func (f Finding) PutRight(by access.Principal, now time.Time) (Finding, error) {
	switch err := MayRevoke(by); {
	case err != nil:
		return f, err
	case f.Wanted != nil && f.Wanted.By.ID == by.ID:
		return f, nil // pressed twice
	case f.Gone != nil:
		return f, fault.Late(RuleEnded, "This was gone by itself already.")
	case f.Wanted != nil:
		return f, fault.Late(RuleEnded, "%s has asked for that already.", f.Wanted.By.Name)
	case f.Kind == Unexplained && len(f.Via) > 0:
		return f, fault.Refused(RuleEnded, "whoever runs the system", "It comes by way of %s, which is taken there: others have it so too.", strings.Join(f.Via, ", "))
	case f.Kind == Unread:
		return f, fault.Refused(RuleEnded, "whoever runs the system", "There is nothing to be put right before the system answers.")
	}
	f.Wanted, f.Trouble = &Ending{How: "put right", By: by.Person(), At: now}, nil
	return f, nil
}

// Failed notes that it could not be put right yet.
func (f Finding) Failed(why string, now time.Time) Finding {
	f.Trouble = f.Trouble.again(why, now)
	return f
}
