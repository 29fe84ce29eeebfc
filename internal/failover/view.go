package failover

import (
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
)

// MayConfirmAfterSignIn says whether the person may confirm the exception, leaving aside only how old their sign-in is.
func (r Run) MayConfirmAfterSignIn(x Exception, by access.Principal, b approval.Ballot, now time.Time) bool {
	return x.mayConfirm(by, b, now) == nil
}

// PendingExceptions lists the exceptions that wait for a second person and are about what the run waits for now.
func (r Run) PendingExceptions(now time.Time) []Exception {
	var pending []Exception
	for _, x := range r.Exceptions {
		if r.Pends(x, now) {
			pending = append(pending, x)
		}
	}
	return pending
}

// Pends says whether an exception waits for a second person and is about what the run waits for now.
func (r Run) Pends(x Exception, now time.Time) bool { return x.waits(now) && r.standsFor(x) }

// DecidedExceptions lists those that a second person confirmed or refused.
func (r Run) DecidedExceptions() []Exception {
	return slices.DeleteFunc(slices.Clone(r.Exceptions), func(x Exception) bool { return x.ConfirmedAt == nil && x.RefusedAt == nil })
}

// Owes lists the obligations that may be waived now and that nobody proposed to waive.
func (r Run) Owes(now time.Time) []Obligation {
	if !slices.Contains(r.Proposable(), Waive) {
		return nil
	}
	var owed []Obligation
	for _, o := range r.Obligations {
		if o.State == Owed && !r.pending(Waive, string(o.Kind), now) {
			owed = append(owed, o)
		}
	}
	return owed
}

// Unprotected tells since when a second failure would lose data: from the recovery until protection is restored. A
// waiver does not restore it.
func (r Run) Unprotected() (since time.Time, ok bool) {
	o, there := r.Obligation(Protection)
	return o.Since, there && o.State != Met
}

// Progress counts the steps that are past.
func (r Run) Progress() (past, all int) {
	for _, s := range r.Steps {
		if s.State.Past() {
			past++
		}
	}
	return past, len(r.Steps)
}

// Elapsed is the time since the start of impact, up to the recovery or the end.
func (r Run) Elapsed(now time.Time) time.Duration {
	switch {
	case r.Times.Recovered != nil:
		now = *r.Times.Recovered
	case r.Times.Ended != nil:
		now = *r.Times.Ended
	}
	return max(0, now.Sub(r.Times.Impact))
}

// RTA is the time from the start of impact to healthy again, once that is known.
func (r Run) RTA() (time.Duration, bool) {
	if r.Times.Recovered == nil {
		return 0, false
	}
	return r.Times.Recovered.Sub(r.Times.Impact), true
}

// Projected is the RTA that is to be expected if every step that is not past takes as long as the plan says, or as long
// as it already has. It is not ok where the run leads nowhere, or waits for a person.
func (r Run) Projected(now time.Time) (time.Duration, bool) {
	if !slices.Contains([]State{Checking, Running, Verifying}, r.State) {
		return 0, false
	}
	left := time.Duration(0)
	for _, s := range r.Steps {
		if !s.State.Past() {
			left += s.left(now)
		}
	}
	return r.Elapsed(now) + left, true
}

func (s RunStep) left(now time.Time) time.Duration {
	if s.State == StepRunning && s.StartedAt != nil {
		return max(0, s.Expected.D()-now.Sub(*s.StartedAt))
	}
	return s.Expected.D()
}

// Took is how long a step has been or was at work; ok is false where it never began.
func (s RunStep) Took(now time.Time) (took time.Duration, ok bool) {
	if s.StartedAt == nil {
		return 0, false
	}
	if s.EndedAt != nil {
		now = *s.EndedAt
	}
	return max(0, now.Sub(*s.StartedAt)), true
}

// Late says that a step takes, or took, more than half as long again as the plan expects, and at least two seconds more.
func (s RunStep) Late(now time.Time) bool {
	took, ok := s.Took(now)
	return ok && took > s.Expected.D()*3/2 && took > s.Expected.D()+2*time.Second
}

// Phase is one part of the time from impact to recovery.
type Phase struct {
	Name  string
	Took  time.Duration
	Begun bool
	Over  bool
}

// Split divides the time since impact into notice, decide, execute and verify; of a planned move, into the last two. A phase that is not over has taken its
// time so far; a run that ended without recovery ends the phase that it was in.
func (r Run) Split(now time.Time) []Phase {
	if r.Times.Ended != nil && r.Times.Recovered == nil {
		now = *r.Times.Ended
	}
	marks := []*time.Time{&r.Times.Impact, &r.Times.Filed, &r.Times.Approved, r.Times.Executed, r.Times.Recovered}
	names := []string{"Notice", "Decide", "Execute", "Verify"}
	if r.Terms.Mode == Planned { // nothing is noticed, and deciding costs nothing
		marks, names = []*time.Time{&r.Times.Impact, r.Times.Executed, r.Times.Recovered}, names[2:]
	}
	phases := make([]Phase, 0, len(names))
	for i, name := range names {
		p := Phase{Name: name, Begun: marks[i] != nil, Over: marks[i+1] != nil}
		switch {
		case p.Begun && p.Over:
			p.Took = max(0, marks[i+1].Sub(*marks[i]))
		case p.Begun:
			p.Took = max(0, now.Sub(*marks[i]))
		}
		phases = append(phases, p)
	}
	return phases
}

// Writer is the site whose copy of a data set was last seen accepting writes, the newest sight where two were.
func (r Readings) Writer(dataSet string, sites []string) (site string, ok bool) {
	var seen time.Time
	for _, s := range sites {
		reading := r[PositionKey(dataSet, s)]
		if reading.Position != nil && reading.Position.Writer && reading.At.After(seen) {
			site, seen, ok = s, reading.At, true
		}
	}
	return site, ok
}

// Unproposed says that nobody has proposed the exception yet for the step that the run stands at.
func (r Run) Unproposed(k ExceptionKind, now time.Time) bool {
	step, _ := r.At()
	return !r.pending(k, step.Slug, now)
}

// Known says whether w is a way to steer.
func (w Steering) Known() bool {
	return slices.Contains([]Steering{
		SteerPause, SteerResume, SteerRetry, SteerMarkDone, SteerAbort, SteerStop, SteerGiveUp,
	}, w)
}
