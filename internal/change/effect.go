package change

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
)

// Shift is what a change does to who decides on an action.
type Shift struct {
	Action        catalog.Action
	Services      []string        // by slug; none where it is about no service
	When          []string        // under which conditions; none is under all
	Before, After *catalog.Policy // nil where nobody could decide
}

// Shifts compares who decides on what before a change and after it.
func Shifts(before, after catalog.Catalog) []Shift {
	var all []Shift
	for _, action := range catalog.Actions() {
		all = append(all, newShifter(before, after, action).shifts()...)
	}
	return all
}

// shifter goes through the cases of one action that some policy tells apart.
type shifter struct {
	before, after catalog.Catalog
	action        catalog.Action
	conditions    []approval.Case // all but what the service says
	tenants       map[string]bool // that some policy names
	chosen        [2]map[approval.Case]*catalog.Policy
	found         []Shift
	at            map[string]int // in found, by what changes
}

func newShifter(before, after catalog.Catalog, action catalog.Action) *shifter {
	s := &shifter{before: before, after: after, action: action, tenants: map[string]bool{}, at: map[string]int{}}
	s.chosen = [2]map[approval.Case]*catalog.Policy{{}, {}}
	causes, modes, peaks := map[string]bool{}, false, false
	for _, c := range []catalog.Catalog{before, after} {
		for _, p := range c.Policies {
			if p.Action != action {
				continue
			}
			for _, t := range p.Tenants {
				s.tenants[t] = true
			}
			for _, cause := range p.Causes {
				causes[cause] = true
			}
			modes, peaks = modes || p.Mode != "", peaks || p.When != ""
		}
	}
	s.conditions = []approval.Case{{Action: action}}
	if action.HasCause() {
		s.vary(catalog.Modes(), modes, func(c *approval.Case, v string) { c.Mode = v })
		s.vary(oneOfEach(catalog.Causes(), causes), true, func(c *approval.Case, v string) { c.Cause = v })
	}
	s.vary([]string{"", "peak"}, peaks, func(c *approval.Case, v string) { c.Peak = v != "" })
	return s
}

// vary multiplies the conditions by values; where policies do not tell them apart, one is as good as all.
func (s *shifter) vary(values []string, apart bool, set func(*approval.Case, string)) {
	if !apart {
		values = values[:1]
	}
	var all []approval.Case
	for _, c := range s.conditions {
		for _, v := range values {
			set(&c, v)
			all = append(all, c)
		}
	}
	s.conditions = all
}

// oneOfEach are the values that are named, and one that stands for the others.
func oneOfEach(values []string, named map[string]bool) []string {
	var all []string
	other := false
	for _, v := range slices.Backward(values) { // "unknown" stands for the others, if it is one of them
		if named[v] || !other {
			all = append(all, v)
		}
		other = other || !named[v]
	}
	return all
}

func (s *shifter) shifts() []Shift {
	if s.action.AboutNothing() {
		s.look("", []approval.Case{{}}, []approval.Case{{}})
	}
	for _, now := range s.after.Services {
		if was, ok := s.before.Service(now.Slug); ok {
			s.look(now.Slug, s.cases(s.before, was), s.cases(s.after, now))
		}
	}
	return s.found
}

// cases are what policies see of a service: one for each of its tenants that some policy names, and one for the others.
func (s *shifter) cases(c catalog.Catalog, service catalog.Service) []approval.Case {
	one := approval.Case{Tier: service.Tier, Capability: service.Capability}
	if len(s.tenants) == 0 {
		return []approval.Case{one}
	}
	all := map[string]bool{}
	for _, t := range c.Served(service) {
		if s.tenants[t.Slug] {
			all[t.Slug] = true
		} else {
			all[""] = true
		}
	}
	if len(all) == 0 {
		all[""] = true
	}
	var cases []approval.Case
	for t := range all {
		one.Tenant = t
		cases = append(cases, one)
	}
	slices.SortFunc(cases, func(a, b approval.Case) int { return cmp.Compare(a.Tenant, b.Tenant) })
	return cases
}

// look compares one service, before and after, under all conditions.
func (s *shifter) look(service string, before, after []approval.Case) {
	type outcome struct {
		shift Shift
		when  []string
	}
	outcomes := map[string]*outcome{}
	var order []string
	total := 0
	for _, now := range after {
		was := before[0]
		if i := slices.IndexFunc(before, func(c approval.Case) bool { return c.Tenant == now.Tenant }); i >= 0 {
			was = before[i]
		}
		for _, condition := range s.conditions {
			total++
			old, fresh := s.choose(0, s.before, condition, was), s.choose(1, s.after, condition, now)
			if sameDecision(old, fresh) {
				continue
			}
			key := decisionKey(old) + " became " + decisionKey(fresh)
			if outcomes[key] == nil {
				outcomes[key] = &outcome{shift: Shift{Action: s.action, Before: old, After: fresh}}
				order = append(order, key)
			}
			outcomes[key].when = append(outcomes[key].when, s.words(condition, now.Tenant))
		}
	}
	for _, key := range order {
		o := outcomes[key]
		if len(o.when) < total {
			o.shift.When = o.when
		}
		s.add(key+fmt.Sprint(o.shift.When), o.shift, service)
	}
}

func (s *shifter) add(key string, shift Shift, service string) {
	i, ok := s.at[key]
	if !ok {
		i = len(s.found)
		s.at[key] = i
		s.found = append(s.found, shift)
	}
	if service != "" {
		s.found[i].Services = append(s.found[i].Services, service)
	}
}

// choose is the policy that applies, or nil.
func (s *shifter) choose(side int, c catalog.Catalog, condition, about approval.Case) *catalog.Policy {
	condition.Tier, condition.Capability, condition.Tenant = about.Tier, about.Capability, about.Tenant
	if p, ok := s.chosen[side][condition]; ok {
		return p
	}
	var found *catalog.Policy
	if p, err := approval.Choose(c.Policies, condition); err == nil {
		found = &p
	}
	s.chosen[side][condition] = found
	return found
}

// words says a condition, as far as policies tell it apart.
func (s *shifter) words(c approval.Case, tenant string) string {
	varies := func(of func(approval.Case) string) bool {
		return slices.ContainsFunc(s.conditions, func(other approval.Case) bool { return of(other) != of(c) })
	}
	var words []string
	if varies(func(c approval.Case) string { return c.Mode }) {
		words = append(words, c.Mode)
	}
	if varies(func(c approval.Case) string { return c.Cause }) {
		words = append(words, "cause "+c.Cause)
	}
	if varies(func(c approval.Case) string { return fmt.Sprint(c.Peak) }) {
		words = append(words, map[bool]string{true: "at peak", false: "off peak"}[c.Peak])
	}
	if tenant != "" {
		words = append(words, "for "+tenant)
	}
	return strings.Join(words, ", ")
}

// sameDecision says whether two policies ask for the same.
func sameDecision(a, b *catalog.Policy) bool { return decisionKey(a) == decisionKey(b) }

// decisionKey names what a policy asks for, whatever it is called and wherever it applies.
func decisionKey(p *catalog.Policy) string {
	if p == nil {
		return "nobody"
	}
	return fmt.Sprint(p.Needs, p.Veto, p.RecentSignIn, p.Lifetime, p.InAdvance)
}

// Gain is what a change does to the roles of one person, or of all others in a group.
type Gain struct {
	Who   access.Principal
	Gets  []access.Grant
	Loses []access.Grant
}

// Gains compares who holds what before a change and after it.
func Gains(before, after []access.Principal) []Gain {
	had := map[string]access.Principal{}
	for _, p := range before {
		had[p.ID] = p
	}
	var all []Gain
	for _, p := range after {
		g := Gain{Who: p, Gets: beyond(p.Grants, had[p.ID].Grants), Loses: beyond(had[p.ID].Grants, p.Grants)}
		if len(g.Gets)+len(g.Loses) > 0 {
			all = append(all, g)
		}
		delete(had, p.ID)
	}
	for _, p := range before { // those whom nothing names any more
		if _, left := had[p.ID]; left && len(p.Grants) > 0 {
			all = append(all, Gain{Who: p, Loses: p.Grants})
		}
	}
	return all
}

// beyond are the grants that give what none of the others gives.
func beyond(grants, others []access.Grant) []access.Grant {
	var more []access.Grant
	for _, g := range grants {
		if !slices.ContainsFunc(others, func(o access.Grant) bool {
			return o.Role == g.Role && o.For == g.For && o.Scope.String() == g.Scope.String() && sameEnd(o, g)
		}) {
			more = append(more, g)
		}
	}
	return more
}

func sameEnd(a, b access.Grant) bool {
	if a.Until == nil || b.Until == nil {
		return a.Until == b.Until
	}
	return a.Until.Equal(*b.Until)
}
