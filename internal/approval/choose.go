package approval

import (
	"fmt"
	"slices"
	"strings"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// Case is one thing that is decided on, as policies tell cases apart. What is empty is none: a policy that names tiers does not
// fit a case without one.
type Case struct {
	Action     catalog.Action
	Tier       string
	Capability string
	Tenant     string
	Cause      string
	Mode       string
	Peak       bool
}

// String says the case in words.
func (c Case) String() string {
	words := []string{strings.ToLower(catalog.Words(string(c.Action)))}
	for _, w := range []string{c.Mode, c.Tier, c.Capability, c.Tenant, c.Cause} {
		if w != "" {
			words = append(words, w)
		}
	}
	if c.Peak {
		words = append(words, "at peak")
	}
	return strings.Join(words, ", ")
}

// The rules of choosing a policy.
const (
	RuleNoGap = "no-policy-gap" // every case has a policy
	RuleNoTie = "no-policy-tie" // every case has one that is narrower than the others
)

// whoMakesPolicies can do something where policies leave a case open.
const whoMakesPolicies = "an administrator, by a policy for it that a second one approves"

// Choose finds the policy that applies: of those that fit, the one that is narrower than all others.
func Choose(policies []catalog.Policy, c Case) (catalog.Policy, error) {
	var fitting []*catalog.Policy
	for i := range policies {
		if fits(&policies[i], c) {
			fitting = append(fitting, &policies[i])
		}
	}
	best := narrowest(fitting)
	switch {
	case best != nil:
		return withSecurity(*best, c), nil
	case len(fitting) == 0:
		return catalog.Policy{}, fault.Refused(RuleNoGap, whoMakesPolicies, "No policy says who decides on this: %s.", c)
	}
	return catalog.Policy{}, fault.Refused(RuleNoTie, whoMakesPolicies, "Several policies say who decides on this, and none is narrower than the others: %s (%s).", slugs(fitting), c)
}

// withSecurity adds a vote of security to every way of approving a recovery from a compromise that has none (design.md §4).
func withSecurity(p catalog.Policy, c Case) catalog.Policy {
	if c.Cause != "compromise" {
		return p
	}
	needs := slices.Clone(p.Needs)
	for _, way := range p.Ways() {
		if !slices.ContainsFunc(way, func(n catalog.Need) bool { return n.Role == access.SecurityOfficer }) {
			needs = append(needs, catalog.Need{Way: way[0].Way, Role: access.SecurityOfficer, Persons: 1})
		}
	}
	p.Needs = needs
	return p
}

func slugs(policies []*catalog.Policy) string {
	names := make([]string, len(policies))
	for i, p := range policies {
		names[i] = p.Slug
	}
	return strings.Join(names, ", ")
}

func fits(p *catalog.Policy, c Case) bool {
	if p.Action != c.Action {
		return false
	}
	for _, d := range dimensions {
		if named := d.named(p); len(named) > 0 && !slices.Contains(named, d.of(c)) {
			return false
		}
	}
	return true
}

// narrowest is the policy that is narrower than all others, if there is one.
func narrowest(policies []*catalog.Policy) *catalog.Policy {
	for _, p := range policies {
		if !slices.ContainsFunc(policies, func(q *catalog.Policy) bool { return q != p && !narrower(p, q) }) {
			return p
		}
	}
	return nil
}

// narrower says whether whatever p says it fits, q says it fits too, and not the other way round.
func narrower(p, q *catalog.Policy) bool { return within(p, q) && !within(q, p) }

func within(p, q *catalog.Policy) bool {
	for _, d := range dimensions {
		inner, outer := d.named(p), d.named(q)
		if len(outer) == 0 {
			continue
		}
		if len(inner) == 0 || slices.ContainsFunc(inner, func(v string) bool { return !slices.Contains(outer, v) }) {
			return false
		}
	}
	return true
}

// dimension is one respect in which cases differ.
type dimension struct {
	named func(*catalog.Policy) []string // none is all
	of    func(Case) string
	with  func(Case, string) Case
}

const (
	atPeak  = "peak"
	offPeak = "off-peak"
)

//nolint:gochecknoglobals // a table
var dimensions = []dimension{
	{
		func(p *catalog.Policy) []string { return p.Tiers },
		func(c Case) string { return c.Tier },
		func(c Case, v string) Case { c.Tier = v; return c },
	},
	{
		func(p *catalog.Policy) []string { return p.Capabilities },
		func(c Case) string { return c.Capability },
		func(c Case, v string) Case { c.Capability = v; return c },
	},
	{
		func(p *catalog.Policy) []string { return p.Tenants },
		func(c Case) string { return c.Tenant },
		func(c Case, v string) Case { c.Tenant = v; return c },
	},
	{
		func(p *catalog.Policy) []string { return p.Causes },
		func(c Case) string { return c.Cause },
		func(c Case, v string) Case { c.Cause = v; return c },
	},
	{
		func(p *catalog.Policy) []string { return one(p.Mode) },
		func(c Case) string { return c.Mode },
		func(c Case, v string) Case { c.Mode = v; return c },
	},
	{
		func(p *catalog.Policy) []string { return one(p.When) },
		func(c Case) string {
			if c.Peak {
				return atPeak
			}
			return offPeak
		},
		func(c Case, v string) Case { c.Peak = v == atPeak; return c },
	},
}

func one(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

// Hole is a case that no policy, or no single policy, decides on.
type Hole struct {
	Case     Case
	Policies []string // those that tie; none in a gap
}

func (h Hole) String() string {
	if len(h.Policies) == 0 {
		return fmt.Sprintf("no policy fits: %s", h.Case)
	}
	return fmt.Sprintf("%s fit, and none is narrower than the others: %s", strings.Join(h.Policies, ", "), h.Case)
}

// Space is every case that can come up.
type Space struct {
	Actions []catalog.Action
	values  [][]string // by dimension
}

// NewSpace is every combination of the values.
func NewSpace(actions []catalog.Action, tiers, capabilities, tenants, causes, modes []string) Space {
	s := Space{Actions: actions}
	for _, values := range [][]string{tiers, capabilities, tenants, causes, modes} {
		if len(values) == 0 {
			values = []string{""}
		}
		s.values = append(s.values, values)
	}
	s.values = append(s.values, []string{offPeak, atPeak})
	return s
}

// Holes finds the gaps and ties of policies, at most some. Cases that the same policies fit are looked at once.
func (s Space) Holes(policies []catalog.Policy, most int) []Hole {
	var holes []Hole
	for _, action := range s.Actions {
		var of []*catalog.Policy
		for i := range policies {
			if policies[i].Action == action {
				of = append(of, &policies[i])
			}
		}
		look := search{space: s, most: most - len(holes), seen: map[string]bool{}}
		look.from(0, Case{Action: action}, of)
		holes = append(holes, look.holes...)
	}
	return holes
}

type search struct {
	space Space
	most  int
	seen  map[string]bool // depth and the policies that are left
	holes []Hole
}

// from goes through the values of the dimensions from some depth on, with the policies that fit so far.
func (s *search) from(depth int, c Case, left []*catalog.Policy) {
	if len(s.holes) >= s.most {
		return
	}
	key := fmt.Sprintf("%d %s", depth, slugs(left))
	if s.seen[key] {
		return
	}
	s.seen[key] = true
	if depth == len(dimensions) {
		if narrowest(left) == nil {
			hole := Hole{Case: c}
			for _, p := range left {
				hole.Policies = append(hole.Policies, p.Slug)
			}
			s.holes = append(s.holes, hole)
		}
		return
	}
	d := dimensions[depth]
	for _, v := range s.space.values[depth] {
		fitting := slices.DeleteFunc(slices.Clone(left), func(p *catalog.Policy) bool {
			named := d.named(p)
			return len(named) > 0 && !slices.Contains(named, v)
		})
		s.from(depth+1, d.with(c, v), fitting)
	}
}

// HolesOf finds the gaps and ties in a catalogue's policies, at most some. An action of which no policy speaks at all is no
// hole: nobody is led to believe that it can be approved.
func HolesOf(c catalog.Catalog, most int) []Hole {
	var holes []Hole
	for _, action := range catalog.Actions() {
		if !slices.ContainsFunc(c.Policies, func(p catalog.Policy) bool { return p.Action == action }) {
			continue
		}
		var causes, modes []string
		if action.HasCause() {
			causes, modes = catalog.Causes(), catalog.Modes()
		}
		space := NewSpace([]catalog.Action{action}, named(c, action, catalog.KindTier), named(c, action, catalog.KindCapability), named(c, action, catalog.KindTenant), causes, modes)
		holes = append(holes, space.Holes(c.Policies, most-len(holes))...)
	}
	return holes
}

// named are the records of a kind that an action may be about; none is one of them, where it may be about none.
func named(c catalog.Catalog, action catalog.Action, k catalog.Kind) []string {
	var all []string
	if action.AboutNothing() {
		all = append(all, "")
	}
	for e := range c.Of(k) {
		all = append(all, e.Slug)
	}
	return all
}
