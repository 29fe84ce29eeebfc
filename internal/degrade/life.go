package degrade

import (
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/fault"
)

// The rules of running degraded, by the names that refusals and the record give them.
const (
	RulePhase     = "phase"               // what is asked for fits where it stands
	RuleOneAtOnce = "one-mode-per-rule"   // a rule is on once
	RuleHold      = "no-flapping"         // what has just ended does not begin by itself
	RuleByHand    = "switched-by-hand"    // only what no connector does is said to be done
	RuleSigns     = "who-answers-signs"   // the books are signed by who answers for running so
	RuleRole      = "permission:degraded" // who may run degraded
)

func refusedRole() error {
	return fault.Refused(RuleRole, access.Titles(access.Holders(access.RunDegraded)), "Your role does not say how the retailer runs.")
}

func (m Mode) to(p Phase) (Mode, error) {
	if !slices.Contains(transitions[m.Phase], p) {
		return m, fault.Late(RulePhase, "This is %s already.", m.Phase.Words())
	}
	m.Phase, m.Trouble = p, nil
	return m, nil
}

// Decide adds a vote and counts. With the vote that is enough it is to be switched on.
func (m Mode) Decide(by access.Principal, d approval.Decision, b approval.Ballot, now time.Time) (Mode, error) {
	q, err := m.Question.Decide(by, d, b, now)
	if err != nil {
		return m, err
	}
	m.Question = q
	if q.State == approval.Approved {
		return m.Begin()
	}
	return m, nil
}

// Begin lets an approved mode be switched on.
func (m Mode) Begin() (Mode, error) {
	m, err := m.to(SwitchingOn)
	m.Period++
	return m, err
}

// Switched notes what was read back after switching: it is on, or off.
func (m Mode) Switched(now time.Time) (Mode, error) {
	switch m.Phase {
	case SwitchingOn:
		m.Drift = nil
		if m.On == nil {
			m.On = &now
		}
		return m.to(On)
	case SwitchingOff:
		m.Off, m.Drift = &now, nil
		switch {
		case m.On == nil:
			return m.to(Dropped)
		case !m.Terms.Rule.Drain.IsZero():
			return m.to(Draining)
		}
		return m.reconcile()
	case Wished, On, Stopping, Draining, Over, Closed, Dropped:
	}
	return m, fault.Late(RulePhase, "It is %s: nothing is being switched.", m.Phase.Words())
}

// Stopped notes that selling was stopped at the limit: what is left is to switch it off.
func (m Mode) Stopped() (Mode, error) {
	m, err := m.to(SwitchingOff)
	m.Period++
	return m, err
}

// WorkedOff notes that nothing waits any more.
func (m Mode) WorkedOff(now time.Time) (Mode, error) {
	if m.Phase != Draining {
		return m, fault.Late(RulePhase, "It is %s: nothing is being worked off.", m.Phase.Words())
	}
	m.Drained = &now
	return m.reconcile()
}

// reconcile opens what must be reconciled, if anything.
func (m Mode) reconcile() (Mode, error) {
	if m.Terms.Rule.Reconcile == "" || m.Terms.Drill {
		return m.to(Closed)
	}
	return m.to(Over)
}

// Window is from the first effect to the last: what was done in it must be reconciled.
func (m Mode) Window() (from, until time.Time, ok bool) {
	if m.On == nil || m.Off == nil {
		return from, until, false
	}
	until = *m.Off
	if m.Drained != nil {
		until = *m.Drained
	}
	return *m.On, until, true
}

// Failed notes that an attempt to switch, stop or drain did not succeed.
func (m Mode) Failed(why string, now time.Time) Mode {
	if m.Trouble == nil {
		m.Trouble = &Trouble{Since: now}
	} else {
		trouble := *m.Trouble
		m.Trouble = &trouble
	}
	m.Trouble.Why = why
	m.Trouble.Attempts++
	return m
}

// End ends it, by hand, by its limit or by health. Before it is on it is switched off all the same: the switch may have taken.
func (m Mode) End(why string, by access.Person, now time.Time) (Mode, error) {
	if m.Phase != On && m.Phase != SwitchingOn {
		return m, fault.Late(RulePhase, "It is %s already.", m.Phase.Words())
	}
	m.Ending = &Ending{Why: why, By: by, At: now}
	m, err := m.to(SwitchingOff)
	m.Period++
	return m, err
}

// EndBy is a person's wish to end it. Anybody in command or who answers for it may: it leads back to normal.
func (m Mode) EndBy(by access.Principal, why string, now time.Time) (Mode, error) {
	if !by.May(access.RunDegraded) {
		return m, refusedRole()
	}
	if why == "" {
		why = "ended by hand"
	}
	return m.End(why, by.Person(), now)
}

// Again switches on anew what somebody switched off behind our back.
func (m Mode) Again(by access.Principal, now time.Time) (Mode, error) {
	if !by.May(access.RunDegraded) {
		return m, refusedRole()
	}
	if m.Drift == nil {
		return m, fault.Late(RulePhase, "It is %s, and nobody has switched it behind our back.", m.Phase.Words())
	}
	if err := m.mayGoOn(now); err != nil {
		return m, err
	}
	m, err := m.to(SwitchingOn)
	m.Period++
	return m, err
}

func (m Mode) mayGoOn(now time.Time) error {
	if what := m.beyond(now); what != "" {
		return fault.Refused(approval.RuleExpiry, "whoever may widen its limits", "Its limit is reached: %s.", what)
	}
	return nil
}

// ByHandDone is a person's word that they switched it on, off, or worked off what waited, where no connector does.
func (m Mode) ByHandDone(by access.Principal, evidence string, now time.Time) (Mode, error) {
	switch {
	case !by.May(access.RunDegraded):
		return m, refusedRole()
	case !m.ByHand():
		return m, fault.Refused(RuleByHand, "nobody: what the connector reads back decides", "A connector switches this and reads it back.")
	case evidence == "":
		return m, fault.Wrong{"evidence": "Say what shows that it is done."}.Err()
	}
	return m.Switched(now)
}

// Sign is the signature under what was reconciled.
func (m Mode) Sign(by access.Principal, note string, now time.Time) (Mode, error) {
	switch {
	case !by.Has(access.BusinessOwner):
		return m, fault.Refused(RuleSigns, access.BusinessOwner.Title(), "The books are signed by a business owner.")
	case note == "":
		return m, fault.Wrong{"note": "Say what was compared, and what was put right."}.Err()
	}
	m, err := m.to(Closed)
	if err == nil {
		m.Signed = &Ending{Why: note, By: by.Person(), At: now}
	}
	return m, err
}
