package failover

import (
	"slices"
	"time"
)

// ObligationKind is one of the three things that open at recovery (design.md §3.8).
type ObligationKind string

// The obligations.
const (
	Backlog    ObligationKind = "backlog"
	Protection ObligationKind = "protection"
	Books      ObligationKind = "books"
)

// Title is the obligation as people say it.
func (k ObligationKind) Title() string {
	switch k {
	case Backlog:
		return "Backlog drained"
	case Protection:
		return "Protection restored"
	default:
		return "Books reconciled and signed"
	}
}

// Obligation is something that a recovered run still owes.
type Obligation struct {
	Kind   ObligationKind  `json:"kind"`
	State  ObligationState `json:"state"`
	Detail string          `json:"detail"`
	Since  time.Time       `json:"since"`
	MetAt  *time.Time      `json:"met_at,omitempty"`
}

// ObligationState is where an obligation stands.
type ObligationState string

// The states of an obligation.
const (
	Owed   ObligationState = "owed"
	Met    ObligationState = "met"
	Waived ObligationState = "waived"
)

func openObligations(now time.Time) []Obligation {
	return []Obligation{
		{Kind: Backlog, State: Owed, Since: now, Detail: "not looked at yet"},
		{Kind: Protection, State: Owed, Since: now, Detail: "not looked at yet"},
		{Kind: Books, State: Owed, Since: now, Detail: "waits for reconciliation, or for two people to waive it"},
	}
}

// Obligation finds one of the run's obligations.
func (r Run) Obligation(k ObligationKind) (Obligation, bool) {
	i := slices.IndexFunc(r.Obligations, func(o Obligation) bool { return o.Kind == k })
	if i < 0 {
		return Obligation{}, false
	}
	return r.Obligations[i], true
}

// Saw notes what was observed of an obligation: met for good, or still owed with what is missing. It closes the run
// with the last.
func (r Run) Saw(k ObligationKind, met bool, detail string, now time.Time) (Run, error) {
	return r.settle(k, now, func(o *Obligation) {
		o.Detail = detail
		if met {
			o.State, o.MetAt = Met, &now
		}
	})
}

func (r Run) settle(k ObligationKind, now time.Time, change func(*Obligation)) (Run, error) {
	if r.State != Recovered {
		return r, errElsewhere()
	}
	r.Obligations = slices.Clone(r.Obligations)
	for i := range r.Obligations {
		if o := &r.Obligations[i]; o.Kind == k && o.State == Owed {
			change(o)
		}
	}
	if slices.ContainsFunc(r.Obligations, func(o Obligation) bool { return o.State == Owed }) {
		return r, nil
	}
	r.Times.Ended = &now
	return r.moved(ObligationsOK)
}

// WithExceptions says that something was skipped, marked, overridden or waived, for ever on the run.
func (r Run) WithExceptions() bool {
	return slices.ContainsFunc(r.Exceptions, func(x Exception) bool { return x.ConfirmedAt != nil }) ||
		slices.ContainsFunc(r.Steps, func(s RunStep) bool { return s.State == StepSkipped || s.State == StepMarked })
}
