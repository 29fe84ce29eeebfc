package breakglass

import (
	"slices"
	"strings"
	"time"
)

// Has is a role that somebody effectively has, and until when.
type Has struct {
	Role  string    `json:"role"`
	Until time.Time `json:"until"`
	By    []string  `json:"by"` // the grants that cover it
}

// Effective is what a person has on a system now: the union of the grants that hold and are not frozen. The grants are those of one
// person on one system.
func Effective(grants []Grant, locks []Lock, now time.Time) []Has {
	var all []Has
	for _, g := range grants {
		if !g.Holds(now) || Freezes(locks, g, now) {
			continue
		}
		at := slices.IndexFunc(all, func(h Has) bool { return h.Role == g.Role })
		if at < 0 {
			all = append(all, Has{Role: g.Role})
			at = len(all) - 1
		}
		all[at].By = append(all[at].By, g.Code)
		if g.End().After(all[at].Until) {
			all[at].Until = g.End()
		}
	}
	slices.SortFunc(all, func(a, b Has) int { return strings.Compare(a.Role, b.Role) })
	return all
}

// Where is one person on one system.
type Where struct{ System, Person string }

// Where says whose the grant is.
func (g Grant) Where() Where { return Where{g.System, g.Holder.ID} }

// Apart sorts grants by whose they are.
func Apart(grants []Grant) map[Where][]Grant {
	by := map[Where][]Grant{}
	for _, g := range grants {
		by[g.Where()] = append(by[g.Where()], g)
	}
	return by
}

// GoneSince is since when a grant should give nothing at the system any more, and is not seen to: since its end, or since it was frozen.
// It is zero where there is nothing to be taken. The grants are those of its holder there, and so is the account.
func (g Grant) GoneSince(grants []Grant, locks []Lock, account Account, now time.Time) time.Time {
	switch {
	case g.Confirmed != nil:
		return time.Time{}
	case g.Ends(now):
		return g.End()
	case !Freezes(locks, g, now) || hasRole(Effective(grants, locks, now), g.Role) || !hasRole(account.Has, g.Role) && !hasRole(account.Wants, g.Role):
		return time.Time{}
	}
	since := now
	for _, l := range locks {
		if l.On(now) && l.Covers(g) && l.At.Before(since) {
			since = l.At
		}
	}
	return since
}

// Changes is when what somebody effectively has changes next by the clock alone; zero where it does not.
func Changes(grants []Grant, now time.Time) time.Time {
	var next time.Time
	for _, g := range grants {
		for _, at := range []time.Time{g.From, g.End()} {
			if at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}

// Changed is when what somebody effectively has last changed.
func Changed(grants []Grant, locks []Lock, now time.Time) time.Time {
	var last time.Time
	note := func(at time.Time) {
		if !at.After(now) && at.After(last) {
			last = at
		}
	}
	for _, g := range grants {
		note(g.From)
		note(g.End())
		for _, l := range locks {
			if l.Covers(g) {
				note(l.At)
			}
		}
	}
	return last
}
