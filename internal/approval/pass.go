package approval

import (
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/fault"
)

// RulePassOnce has a person pass a question once in a round of voting.
const RulePassOnce = "passed-once"

// Pass is somebody's word that they cannot decide, which leaves the question to others. It is no vote: they may still give one.
type Pass struct {
	ID    string // of the act
	By    access.Person
	Roles []access.Role // held then
	Round int
	At    time.Time
}

// Passed are the passes of the present round, oldest first.
func (q Question) Passed() []Pass {
	return slices.DeleteFunc(slices.Clone(q.Passes), func(p Pass) bool { return p.Round != q.Round })
}

// passedBy finds a person's pass of the present round.
func (q Question) passedBy(id string) (Pass, bool) {
	i := slices.IndexFunc(q.Passes, func(p Pass) bool { return p.Round == q.Round && p.By.ID == id })
	if i < 0 {
		return Pass{}, false
	}
	return q.Passes[i], true
}

// MayPass is the rule of passing: whoever may vote, were they to sign in again, once in a round. It needs no recent sign-in, since it
// decides nothing.
func (q Question) MayPass(by access.Principal, b Ballot, now time.Time) error {
	if err := q.mayVote(by, b, now); err != nil {
		return err
	}
	if p, passed := q.passedBy(by.ID); passed {
		return fault.Late(RulePassOnce, "You passed this on at %s. You may still vote.", Clock(p.At))
	}
	return nil
}

// Pass notes that somebody cannot decide.
func (q Question) Pass(id string, by access.Principal, b Ballot, now time.Time) (Question, error) {
	if err := q.MayPass(by, b, now); err != nil {
		return q, err
	}
	q.Passes = append(slices.Clone(q.Passes), Pass{ID: id, By: by.Person(), Roles: by.Roles, Round: q.Round, At: now})
	return q, nil
}
