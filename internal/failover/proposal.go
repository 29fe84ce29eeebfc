package failover

import (
	"slices"
	"time"

	"keyholder/internal/catalog"
)

// Proposal is what bad signals that share a cause come to: one thing to look at, not twenty.
type Proposal struct {
	Signals []Seen // the bad ones, the one that has been bad for longest first
	Impact  catalog.Impact
	Since   time.Time
}

// Seen is a signal with what was last seen of it.
type Seen struct {
	Signal  catalog.Signal
	Reading Reading
}

// Seen pairs every signal of the catalogue with its reading.
func (r Readings) Seen(c catalog.Catalog) []Seen {
	seen := make([]Seen, 0, len(c.Signals))
	for _, s := range c.Signals {
		seen = append(seen, Seen{Signal: s, Reading: r[SignalKey(s.Slug)]})
	}
	return seen
}

// Proposals groups the signals that are bad now, the group that has been bad for longest first: one that turns bad later puts none before
// another. Signals share a cause where the failure of the one's service stops the other's, in either direction.
func (r Readings) Proposals(c catalog.Catalog) []Proposal {
	var groups [][]Seen
	for _, s := range r.Seen(c) {
		if s.Reading.Bad {
			groups = joinGroup(groups, s, c)
		}
	}
	proposals := make([]Proposal, 0, len(groups))
	for _, g := range groups {
		proposals = append(proposals, propose(g, c))
	}
	slices.SortStableFunc(proposals, func(a, b Proposal) int { return a.Since.Compare(b.Since) })
	return proposals
}

// CalledRule is a rule by which the retailer goes on, and since when signals call it.
type CalledRule struct {
	Rule  catalog.DegradedModeRule
	Since time.Time
}

// momentsInOrder bounds of how many moments it is worked out which rules were called then; the rest stand last.
const momentsInOrder = 8

// CalledRules are the rules against what is bad in the order in which signals called them: one that turns bad later puts none before another.
func (p Proposal) CalledRules(c catalog.Catalog, r Readings) []CalledRule {
	all := c.RulesAgainst(p.Impact.FailedServices(), p.Impact, r.Bad)
	moments := p.moments(all, r)
	called, had := make([]CalledRule, 0, len(all)), map[string]bool{}
	take := func(rules []catalog.DegradedModeRule, since time.Time) {
		for _, rule := range rules {
			if !had[rule.Slug] {
				had[rule.Slug] = true
				called = append(called, CalledRule{rule, since})
			}
		}
	}
	for _, at := range moments[:min(len(moments)-1, momentsInOrder)] {
		if len(called) == len(all) {
			break
		}
		then := propose(slices.DeleteFunc(slices.Clone(p.Signals), func(s Seen) bool { return s.since().After(at) }), c)
		bad := func(signal string) bool { return r.Bad(signal) && !r.since(signal).After(at) }
		take(c.RulesAgainst(then.Impact.FailedServices(), then.Impact, bad), at)
	}
	take(all, moments[len(moments)-1])
	return called
}

// moments are when a signal turned bad that may have called one of some rules: one of the cause, or one that a rule names.
func (p Proposal) moments(rules []catalog.DegradedModeRule, r Readings) []time.Time {
	var all []time.Time
	for _, s := range p.Signals {
		all = append(all, s.since())
	}
	for i := range rules {
		for _, signal := range rules[i].Signals {
			if at := r.since(signal); r.Bad(signal) && at.After(p.Since) {
				all = append(all, at)
			}
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

func (r Readings) since(signal string) time.Time { return Seen{Reading: r[SignalKey(signal)]}.since() }

// joinGroup puts a signal with the groups that it shares a cause with, making one of them.
func joinGroup(groups [][]Seen, s Seen, c catalog.Catalog) [][]Seen {
	joined := []Seen{s}
	var apart [][]Seen
	for _, g := range groups {
		if slices.ContainsFunc(g, func(other Seen) bool { return shareCause(c, s.Signal.Service, other.Signal.Service) }) {
			joined = append(g, joined...)
		} else {
			apart = append(apart, g)
		}
	}
	return append(apart, joined)
}

func shareCause(c catalog.Catalog, a, b string) bool {
	return slices.Contains(c.DownWith(a), b) ||
		slices.Contains(c.DownWith(b), a)
}

func propose(group []Seen, c catalog.Catalog) Proposal {
	slices.SortStableFunc(group, func(a, b Seen) int { return a.since().Compare(b.since()) })
	services := make([]string, 0, len(group))
	for _, s := range group {
		services = append(services, s.Signal.Service)
	}
	return Proposal{Signals: group, Since: group[0].since(), Impact: c.ImpactOf(services, group[0].Reading.At)}
}

func (s Seen) since() time.Time {
	if s.Reading.BadSince != nil {
		return *s.Reading.BadSince
	}
	return s.Reading.At
}
