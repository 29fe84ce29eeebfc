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
