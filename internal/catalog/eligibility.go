package catalog

import (
	"slices"
	"time"

	"keyholder/internal/access"
)

// Eligibility is a standing agreement on who may get access to a system for a time, for what, and how long.
type Eligibility struct {
	Slug           string        `json:"slug"`
	Name           string        `json:"name"`
	System         string        `json:"system" ref:"system"`
	Roles          []string      `json:"roles" doc:"Which of the system's roles may be asked for."`
	For            []access.Role `json:"for,omitempty" enum:"incident-commander,business-owner,platform-engineer,responder,security-officer,administrator" doc:"Who may ask: whoever holds one of these for the system's services, or is of one of the groups."`
	Groups         []string      `json:"groups,omitempty" doc:"Groups of the sign-in provider whose members may ask."`
	Causes         []string      `json:"causes,omitempty" enum:"site,network,node,release,corruption,compromise,third-party,unknown" doc:"In incidents of which causes. In any, where none is named."`
	Longest        Duration      `json:"longest" doc:"The longest that access lasts, in steps of five minutes."`
	Hours          []Window      `json:"hours,omitempty" doc:"When it may begin. At any time, where none is named."`
	Ahead          Duration      `json:"ahead,omitempty" doc:"How far ahead it may be asked for. For now only, where none is said."`
	ActivateWithin Duration      `json:"activate_within" doc:"How long approved access waits for its holder to begin. Then it lapses."`
	Bypass         bool          `json:"bypass,omitempty" doc:"Whether somebody may begin without approval in an emergency. All who would have been asked are told at once, and it is marked for ever."`
	ReviewWithin   Duration      `json:"review_within" doc:"How long after its end the use must have been reviewed. Then others are told."`
	Reviewers      []access.Role `json:"reviewers" enum:"incident-commander,business-owner,security-officer,administrator" doc:"Who reviews the use; never its holder."`
}

// Eligibility finds an eligibility by its slug.
func (c Catalog) Eligibility(slug string) (Eligibility, bool) {
	return look[Eligibility](c, KindEligibility, slug)
}

// Step is what lengths of access are a multiple of.
const Step = 5 * time.Minute

// Opens says whether access may begin at some moment, by the retailer's clocks.
func (c Catalog) Opens(e Eligibility, at time.Time) bool {
	return len(e.Hours) == 0 || slices.ContainsFunc(e.Hours, func(w Window) bool { return w.window().applies(at.In(c.Zone())) })
}

func (c Catalog) checkEligibility(e Eligibility, say sayer) bool {
	for _, one := range []struct {
		wrong      bool
		path, what string
	}{
		{len(e.Roles) == 0, "roles", "at least one is named"},
		{len(e.For)+len(e.Groups) == 0, "for", "name roles or groups: else nobody may ask"},
		{e.Longest < Duration(Step) || e.Longest%Duration(Step) != 0, "longest", "must be 5 minutes or a multiple of it"},
		{e.ActivateWithin <= 0, "activate_within", "must be longer than nothing"},
		{e.ReviewWithin <= 0, "review_within", "must be longer than nothing"},
		{len(e.Reviewers) == 0, "reviewers", "at least one is named: somebody else looks at what was done"},
	} {
		if one.wrong && !say(one.path, "%s", one.what) {
			return false
		}
	}
	if s, ok := c.System(e.System); ok {
		for i, role := range e.Roles {
			if !slices.Contains(s.RoleNames(), role) && !say("roles"+nth(i), "%q is none of the roles that %s gives", role, s.Name) {
				return false
			}
		}
	}
	for i, w := range e.Hours {
		if what := w.window().wrong(); what != "" && !say("hours"+nth(i), "%s", what) {
			return false
		}
	}
	return true
}
