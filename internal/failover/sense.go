package failover

import (
	"keyholder/internal/fault"
)

// The rules of which moves make sense, by where the data is.
const (
	RuleFromTheWriter = "from-the-writer"      // nothing is moved away from where nobody writes
	RuleOldSiteDrains = "planned-needs-source" // a planned move drains the old site, which must answer
)

// Sensible refuses a move that contradicts what was last seen of the two copies: away from a side that does not write, or
// planned while one of the sides does not answer.
func (s Situation) Sensible() error {
	old, target := s.Readings[PositionKey(s.Terms.DataSet, s.Terms.From)], s.Readings[PositionKey(s.Terms.DataSet, s.Terms.To)]
	from, to := s.Catalog.SiteName(s.Terms.From), s.Catalog.SiteName(s.Terms.To)
	if target.writes() && !old.writes() {
		return fault.Refused(RuleFromTheWriter, "whoever may request a failover, from the site that writes",
			"%s is where writes were last accepted, not %s. There is nothing to move from %s to %s: choose the other direction.", to, from, from, to)
	}
	if s.Terms.Mode != Planned {
		return nil
	}
	for _, side := range []struct {
		name string
		r    Reading
	}{{from, old}, {to, target}} {
		if side.r.Position == nil || side.r.Stale() {
			return fault.Refused(RuleOldSiteDrains, "whoever may request a failover: an emergency one, or a planned one once both sites are seen",
				"%s does not answer, and a planned move drains the old site and waits until the target has everything. If customers are hit, open an incident and request an emergency move.", side.name)
		}
	}
	return nil
}

func (r Reading) writes() bool { return r.Position != nil && r.Position.Writer }

// Hopeless says why a run would stop at its gates as things are now; nothing where nobody can tell.
func (s Situation) Hopeless() string {
	if target := s.Readings[PositionKey(s.Terms.DataSet, s.Terms.To)]; target.Stale() {
		return s.Catalog.SiteName(s.Terms.To) + ", where this would move to, does not answer. The run would stop at its gates before anything is touched."
	}
	return ""
}
