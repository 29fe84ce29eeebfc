package approval

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// About is what somebody wants to do, as far as policies and scopes care.
type About struct {
	Action   catalog.Action
	Services []string
	Sites    []string
	Cause    string
	Mode     string
	At       time.Time // of the request: whose peaks count
	Whenever bool      // at peak and off peak alike
}

// Rule is one policy that a request must meet, with the objects that it applies to.
type Rule struct {
	Policy  catalog.Policy  `json:"policy"`
	Objects []access.Object `json:"objects"`
}

// Rules are all that a request must meet.
type Rules []Rule

// Objects are all that the rules are about.
func (r Rules) Objects() []access.Object {
	var all []access.Object
	for _, one := range r {
		all = append(all, one.Objects...)
	}
	return all
}

// RulesOf finds the policies that apply: one for each service and each tenant that it serves.
func RulesOf(c catalog.Catalog, a About) (Rules, error) {
	var rules Rules
	for _, slug := range a.Services {
		s, ok := c.Service(slug)
		if !ok {
			return nil, fault.Missing("service", slug)
		}
		for _, found := range a.cases(c, s) {
			p, err := Choose(c.Policies, found.Case)
			if err != nil {
				return nil, err
			}
			rules = rules.with(p, slug, access.Object{Service: slug, Tier: s.Tier, Capability: s.Capability, Tenants: found.tenants, Sites: a.Sites})
		}
	}
	if len(rules) == 0 {
		p, err := Choose(c.Policies, Case{Action: a.Action, Cause: a.Cause, Mode: a.Mode})
		if err != nil {
			return nil, err
		}
		rules = Rules{{Policy: p, Objects: []access.Object{{Sites: a.Sites}}}}
	}
	return rules, nil
}

// ofService is a case of one service, with the tenants that it is about.
type ofService struct {
	Case
	tenants []access.Tenant
}

// cases are what policies may tell apart of one service: its tenants, and times.
func (a About) cases(c catalog.Catalog, s catalog.Service) []ofService {
	_, peak := c.Peak(s.Capability, a.At)
	peaks := []bool{peak}
	if a.Whenever {
		peaks = []bool{false, true}
	}
	var all []ofService
	for _, peak := range peaks {
		one := ofService{Case: Case{Action: a.Action, Tier: s.Tier, Capability: s.Capability, Cause: a.Cause, Mode: a.Mode, Peak: peak}}
		tenants := c.Served(s)
		if len(tenants) == 0 {
			all = append(all, one)
		}
		for _, t := range tenants {
			one.Tenant, one.tenants = t.Slug, []access.Tenant{t}
			all = append(all, one)
		}
	}
	return all
}

// with adds what a policy applies to: tenants of one service are one object.
func (rs Rules) with(p catalog.Policy, service string, o access.Object) Rules {
	at := slices.IndexFunc(rs, func(r Rule) bool { return r.Policy.Slug == p.Slug })
	if at < 0 {
		return append(rs, Rule{Policy: p, Objects: []access.Object{o}})
	}
	r := &rs[at]
	if n := slices.IndexFunc(r.Objects, func(one access.Object) bool { return one.Service == service }); n >= 0 {
		for _, t := range o.Tenants {
			if !slices.Contains(r.Objects[n].Tenants, t) {
				r.Objects[n].Tenants = append(r.Objects[n].Tenants, t)
			}
		}
		return rs
	}
	r.Objects = append(r.Objects, o)
	return rs
}

// Or are these rules and others, each policy once, with all that it applies to.
func (rs Rules) Or(others Rules) Rules {
	all := slices.Clone(rs)
	for _, other := range others {
		at := slices.IndexFunc(all, func(r Rule) bool { return r.Policy.Slug == other.Policy.Slug })
		if at < 0 {
			all = append(all, other)
			continue
		}
		objects := slices.Clone(all[at].Objects)
		for _, o := range other.Objects {
			if !slices.ContainsFunc(objects, func(had access.Object) bool { return reflect.DeepEqual(had, o) }) {
				objects = append(objects, o)
			}
		}
		all[at].Objects = objects
	}
	return all
}

// Digest names the rules: a vote is bound to it.
func (rs Rules) Digest() (string, error) { return canonical.Digest("keyholder/rules/1", rs) }

// Lifetime is how long a request waits: as long as the most impatient of its policies says.
func (rs Rules) Lifetime() time.Duration {
	var least time.Duration
	for _, r := range rs {
		if d := r.Policy.Lifetime.D(); least == 0 || d < least {
			least = d
		}
	}
	return least
}

// Voters are the roles that are asked, each once.
func (rs Rules) Voters() []access.Role {
	var roles []access.Role
	for _, r := range rs {
		for _, role := range r.Policy.Voters() {
			if !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	return roles
}

// Names are the policies' names, for people.
func (rs Rules) Names() string {
	names := make([]string, len(rs))
	for i, r := range rs {
		names[i] = r.Policy.Name
	}
	return strings.Join(names, " and ")
}

// String says the rules for a log.
func (rs Rules) String() string { return fmt.Sprintf("%d policies: %s", len(rs), rs.Names()) }
