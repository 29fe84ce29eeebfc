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

// Proposals groups the signals that are bad now. Signals share a cause where the failure of the one's service stops the
// other's, in either direction.
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
	return proposals
}

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
