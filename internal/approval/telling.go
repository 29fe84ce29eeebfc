package approval

import (
	"slices"
	"time"

	"keyholder/internal/access"
)

// Occasion is why somebody is told of a request.
type Occasion string

// The occasions.
const (
	Asked     Occasion = "asked"     // they can decide on it
	Reminded  Occasion = "reminded"  // they still can
	Passed    Occasion = "passed"    // somebody else cannot decide, and they still can
	Escalated Occasion = "escalated" // nobody has decided for too long, or somebody cannot
	Voided    Occasion = "voided"    // what had been voted counts no more, for what it was about has changed
	Outcome   Occasion = "outcome"   // it is decided
	Started   Occasion = "started"   // what was approved in advance began by itself, or something runs degraded
	Failing   Occasion = "failing"   // a channel by which people are told does not work
	Nearing   Occasion = "nearing"   // a limit of running degraded is near
	Limited   Occasion = "limited"   // it is reached
	Drifted   Occasion = "drifted"   // somebody switched it behind our back
	Ended     Occasion = "ended"     // what ran degraded has ended
	Announced Occasion = "announced" // people outside are told that something runs degraded
	AllClear  Occasion = "all-clear" // and that it is over
	ToReview  Occasion = "to-review" // they can look at what was done
	Reviewed  Occasion = "reviewed"  // somebody has looked at what they did
	Frozen    Occasion = "frozen"    // what they have is frozen
	Released  Occasion = "released"  // and holds again
	Lapsed    Occasion = "lapsed"    // what was approved was not begun in time
	Bypassed  Occasion = "bypassed"  // somebody began without asking those who would have decided
	Tested    Occasion = "tested"    // they want to see whether a channel reaches them
)

// Telling is one thing that somebody is to be told; it is told once.
type Telling struct {
	Occasion Occasion
	Nth      int // of the reminders, or of the rounds of voting before
	To       access.Principal
}

// Due are those who are to be told by now of a question that is not decided: whoever can decide at once, in each round of voting, and
// again as often as the most impatient policy says; others when it is escalated. Only the newest reminder is due. Who passes it on is
// not asked again; the others are told at once, and those to whom it would be escalated.
func (b Ballot) Due(q Question, everybody []access.Principal, now time.Time) []Telling {
	filed := q.FiledAt
	var due []Telling
	every, after, to := b.Rules.patience()
	nth := 0
	if every > 0 {
		nth = int(now.Sub(filed) / every)
	}
	passes := len(q.Passed())
	for _, v := range b.Able(everybody) {
		if _, passed := q.passedBy(v.ID); passed || v.Mail == "" {
			continue
		}
		due = append(due, Telling{Asked, q.Round - 1, v.Principal})
		if nth > 0 {
			due = append(due, Telling{Reminded, nth, v.Principal})
		}
		if passes > 0 {
			due = append(due, Telling{Passed, len(q.Passes), v.Principal})
		}
	}
	if passes == 0 && (after == 0 || now.Before(filed.Add(after))) {
		return due
	}
	for _, p := range everybody {
		if _, passed := q.passedBy(p.ID); !passed && p.Mail != "" && !same(p, b.Requester) && p.Has(to...) {
			due = append(due, Telling{Escalated, 0, p})
		}
	}
	return due
}

// patience is how often people are reminded, and when others are told, by the most impatient policy; and who these are by any.
func (rs Rules) patience() (every, after time.Duration, to []access.Role) {
	shorter := func(a, b time.Duration) time.Duration {
		if a == 0 || b > 0 && b < a {
			return b
		}
		return a
	}
	for _, r := range rs {
		every, after = shorter(every, r.Policy.RemindEvery.D()), shorter(after, r.Policy.EscalateAfter.D())
		for _, role := range r.Policy.EscalateTo {
			if !slices.Contains(to, role) {
				to = append(to, role)
			}
		}
	}
	return every, after, to
}
