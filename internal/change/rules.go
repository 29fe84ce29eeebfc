package change

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
)

// RulesOf finds the policies that decide on a change of a catalogue: those in force before it, for whatever it is about before it
// and after it. Who decides what is decided on by the policies of that; a change of both needs both.
func (t Terms) RulesOf(before catalog.Catalog, at time.Time) (approval.Rules, error) {
	after, err := t.On(before)
	if err != nil {
		return nil, err
	}
	after.Policies = before.Policies
	services, err := t.planned()
	if err != nil {
		return nil, err
	}
	scopes := map[catalog.Action]*scope{catalog.ActChange: {}, catalog.ActChangeRules: {}}
	if len(t.Plans) > 0 {
		scopes[catalog.ActChange].add(services, nil)
	}
	var ordered approval.Rules
	for _, r := range t.Records {
		if r.Kind == catalog.KindStandingOrder {
			some, err := ordersOf(before, after, r.Ref)
			if err != nil {
				return nil, err
			}
			ordered = ordered.Or(some)
			continue
		}
		var sites []string
		if r.Kind == catalog.KindSite {
			sites = []string{r.Slug}
		}
		scopes[actionOn(r.Kind)].add(append(touched(before, r.Ref), touched(after, r.Ref)...), sites)
	}
	rules := ordered
	for _, action := range []catalog.Action{catalog.ActChange, catalog.ActChangeRules} {
		for about, c := range scopes[action].abouts(before, after) {
			about.Action, about.At = action, at
			some, err := approval.RulesOf(c, about)
			if err != nil {
				return nil, err
			}
			rules = rules.Or(some)
		}
	}
	return rules, nil
}

// ordersOf are the rules of approving a standing order: of what it would approve, and of what it approves now.
func ordersOf(before, after catalog.Catalog, ref catalog.Ref) (approval.Rules, error) {
	var rules approval.Rules
	for _, c := range []catalog.Catalog{before, after} {
		order, ok := c.StandingOrder(ref.Slug)
		if !ok {
			continue
		}
		some, err := approval.OrderRules(c, order)
		if err != nil {
			return nil, err
		}
		rules = rules.Or(some)
	}
	return rules, nil
}

// scope is what a change is about, as policies tell things apart.
type scope struct {
	services, sites []string
	bare            bool // some of it is about no service
}

func (s *scope) add(services, sites []string) {
	s.services, s.sites = append(s.services, services...), append(s.sites, sites...)
	s.bare = s.bare || len(services) == 0
}

// abouts is what the rules are looked up for: what is about no service, and the services as each catalogue has them.
func (s *scope) abouts(before, after catalog.Catalog) iter.Seq2[approval.About, catalog.Catalog] {
	return func(yield func(approval.About, catalog.Catalog) bool) {
		if s.bare && !yield(approval.About{Sites: s.sites}, before) {
			return
		}
		slices.Sort(s.services)
		for _, c := range []catalog.Catalog{before, after} {
			here := slices.DeleteFunc(slices.Compact(slices.Clone(s.services)), func(slug string) bool {
				_, ok := c.Service(slug)
				return !ok
			})
			if len(here) > 0 && !yield(approval.About{Services: here, Sites: s.sites}, c) {
				return
			}
		}
	}
}

// actionOn is what changing a record of a kind is to policies.
func actionOn(k catalog.Kind) catalog.Action {
	if k.EditedBy() != access.EditCatalog {
		return catalog.ActChangeRules
	}
	return catalog.ActChange
}

// planned are the services that the plans move.
func (t Terms) planned() ([]string, error) {
	var all []string
	for _, p := range t.Plans {
		var about struct {
			Services []string `json:"services"`
		}
		if err := json.Unmarshal(p.Body, &about); err != nil {
			return nil, fmt.Errorf("read plan %s: %w", p.Slug, err)
		}
		all = append(all, about.Services...)
	}
	return all, nil
}

// touched are the services that a record is about.
func touched(c catalog.Catalog, r catalog.Ref) []string {
	var about func(s catalog.Service) bool
	switch r.Kind {
	case catalog.KindService:
		about = func(s catalog.Service) bool { return s.Slug == r.Slug }
	case catalog.KindTier:
		about = func(s catalog.Service) bool { return s.Tier == r.Slug }
	case catalog.KindCapability:
		about = func(s catalog.Service) bool { return s.Capability == r.Slug }
	case catalog.KindDataSet:
		about = func(s catalog.Service) bool { return slices.Contains(s.DataSets, r.Slug) }
	case catalog.KindConsistencyGroup:
		e, _ := c.Entry(r)
		group, _ := e.Record.(catalog.ConsistencyGroup)
		about = func(s catalog.Service) bool {
			return slices.ContainsFunc(s.DataSets, func(d string) bool { return slices.Contains(group.DataSets, d) })
		}
	case catalog.KindSite:
		about = func(s catalog.Service) bool {
			return slices.ContainsFunc(s.Deployments, func(d catalog.Deployment) bool { return d.Site == r.Slug })
		}
	case catalog.KindFlow:
		e, _ := c.Entry(r)
		flow, _ := e.Record.(catalog.Flow)
		about = func(s catalog.Service) bool {
			return slices.ContainsFunc(flow.Steps, func(step catalog.FlowStep) bool { return step.Service == s.Slug })
		}
	case catalog.KindSignal:
		e, _ := c.Entry(r)
		signal, _ := e.Record.(catalog.Signal)
		about = func(s catalog.Service) bool { return s.Slug == signal.Service }
	case catalog.KindRule:
		e, _ := c.Entry(r)
		rule, _ := e.Record.(catalog.DegradedModeRule)
		about = func(s catalog.Service) bool { return slices.Contains(rule.Trigger, s.Slug) }
	case catalog.KindSystem:
		system, _ := c.System(r.Slug)
		about = func(s catalog.Service) bool { return slices.Contains(system.Services, s.Slug) }
	case catalog.KindEligibility:
		e, _ := c.Eligibility(r.Slug)
		system, _ := c.System(e.System)
		about = func(s catalog.Service) bool { return slices.Contains(system.Services, s.Slug) }
	default:
		return nil
	}
	var services []string
	for _, s := range c.Services {
		if about(s) {
			services = append(services, s.Slug)
		}
	}
	return services
}
