package access

import (
	"slices"
	"strings"
	"time"
)

// Principal is a signed-in person at one moment: who, with which roles, and when they last proved it.
type Principal struct {
	ID         string    `json:"id"` // the person's record
	Name       string    `json:"name"`
	Mail       string    `json:"mail,omitempty"` // verified by the provider; empty where it is not
	Roles      []Role    `json:"roles"`          // each once, wherever it holds
	Grants     []Grant   `json:"grants,omitempty"`
	Instead    []string  `json:"instead,omitempty"` // addresses of those whom they stand in for, whether or not these hold a role
	Groups     []string  `json:"groups,omitempty"`  // of the sign-in provider
	SignedInAt time.Time `json:"signed_in_at"`      // auth_time of the provider, not of the session
}

// With is the person with grants, and the roles that these give somewhere.
func (p Principal) With(grants []Grant) Principal {
	p.Grants, p.Roles = grants, nil
	for _, g := range grants {
		if !slices.Contains(p.Roles, g.Role) {
			p.Roles = append(p.Roles, g.Role)
		}
	}
	return p
}

// StandsInFor says whether the person stands in for whoever has an address.
func (p Principal) StandsInFor(mail string) bool {
	return mail != "" && (slices.ContainsFunc(p.Instead, func(m string) bool { return strings.EqualFold(m, mail) }) ||
		slices.ContainsFunc(p.Grants, func(g Grant) bool { return strings.EqualFold(g.For, mail) }))
}

// Holds lists the grants of a role that cover all of the objects.
func (p Principal) Holds(r Role, objects ...Object) []Grant {
	var covering []Grant
	for _, g := range p.Grants {
		if g.Role == r && r.Known() && !slices.ContainsFunc(objects, func(o Object) bool { return !g.Scope.Covers(o) }) {
			covering = append(covering, g)
		}
	}
	return covering
}

// Has says whether the person holds one of the roles.
func (p Principal) Has(roles ...Role) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return r.Known() && slices.Contains(p.Roles, r) })
}

// May says whether the person has the permission through any role.
func (p Principal) May(perm Permission) bool {
	if perm == Anyone {
		return true
	}
	if p.ID == "" {
		return false
	}
	return perm == SignedIn || slices.ContainsFunc(p.Roles, func(r Role) bool { return r.May(perm) })
}

// Recent says whether the sign-in is young enough. A sign-in from the future is not.
func (p Principal) Recent(now time.Time, within time.Duration) bool {
	age := now.Sub(p.SignedInAt)
	return age <= within && age > -time.Minute
}

// Title names the person's roles for people: "Incident commander, Auditor".
func (p Principal) Title() string {
	names := make([]string, 0, len(p.Roles))
	for _, r := range p.Roles {
		names = append(names, r.Title())
	}
	return strings.Join(names, ", ")
}

// Titles joins the names of roles with "or": "Incident commander or Business owner".
func Titles(roles []Role) string {
	names := make([]string, 0, len(roles))
	for _, r := range roles {
		names = append(names, r.Title())
	}
	return strings.Join(names, " or ")
}
