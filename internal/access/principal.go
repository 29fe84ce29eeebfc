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
	Roles      []Role    `json:"roles"`
	SignedInAt time.Time `json:"signed_in_at"` // auth_time of the provider, not of the session
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

// RoleClaim maps one group of the provider's claim to a role.
type RoleClaim struct {
	Group string `json:"group"`
	Role  Role   `json:"role"`
}

// RolesOf maps a person's groups to roles; an unknown group or role gives none.
func RolesOf(groups []string, claims []RoleClaim) []Role {
	var roles []Role
	for _, c := range claims {
		if c.Role.Known() && slices.Contains(groups, c.Group) && !slices.Contains(roles, c.Role) {
			roles = append(roles, c.Role)
		}
	}
	return roles
}
