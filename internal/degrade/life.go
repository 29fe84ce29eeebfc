package degrade

import (
	"bytes"
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// The rules of running degraded, by the names that refusals and the record give them.
const (
	RulePhase     = "phase"               // what is asked for fits where it stands
	RuleOneAtOnce = "one-mode-per-rule"   // a rule is on once
	RuleDrill     = "drill-is-apart"      // a drill is on for the test tenant only
	RuleByHand    = "switched-by-hand"    // only what no connector does is said to be done
	RuleSigns     = "who-answers-signs"   // the books are signed by who answers for running so
	RuleRole      = "permission:degraded" // who may run degraded
)

// MayRun is the rule by which somebody asks to run degraded, ends it, or says how it goes on.
func MayRun(by access.Principal) error {
	if by.May(access.RunDegraded) {
		return nil
	}
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

// Attempts notes that what is to be done is about to be tried: from the first attempt to switch it on, it may be on.
func (m Mode) Attempts(do Do, now time.Time) Mode {
	if do == DoSwitchOn && m.Effect == nil {
		m.Effect = &now
	}
	return m
}

// Switched notes what was read back after switching: it is on, or off.
func (m Mode) Switched(now time.Time) (Mode, error) {
	switch m.Phase {
	case SwitchingOn:
		m = m.Attempts(DoSwitchOn, now)
		m.Drift, m.ReadBack, m.Unread = nil, &now, ""
		if m.On == nil {
			m.On = &now
		}
		return m.to(On)
	case SwitchingOff:
		m.Off, m.Drift = &now, nil
		switch {
		case m.Effect == nil:
			return m.to(Dropped)
		case !m.Terms.Rule.Drain.IsZero():
			return m.to(Draining)
		}
		return m.reconcile()
	case Wished, On, Stopping, Draining, Over, Closed, Dropped:
	}
	return m, fault.Late(RulePhase, "It is %s: nothing is being switched.", m.Phase.Words())
}

// StopsSelling notes that selling was stopped at the limit: what is left is to switch it off.
func (m Mode) StopsSelling(now time.Time) (Mode, error) {
	m, err := m.to(SwitchingOff)
	m.Period++
	m.Stopped = &now
	return m, err
}

// MayResume says whether selling was stopped, and nobody wants it started again yet. What a rule has no way back for people start by hand.
func (m Mode) MayResume() bool {
	return m.Stopped != nil && m.Resume == nil && bytes.Contains(m.Terms.Rule.Stop.Params, []byte(`"undo"`))
}

// ResumeBy is a person's wish to sell again. Anybody who may end a mode may: it leads back to normal.
func (m Mode) ResumeBy(by access.Principal, why string, now time.Time) (Mode, error) {
	if err := MayRun(by); err != nil {
		return m, err
	}
	if !m.MayResume() || m.Off == nil {
		return m, fault.Late(RulePhase, "Selling is not stopped, or somebody is starting it already.")
	}
	m.Resume, m.Trouble = &Ending{Why: why, By: by.Person(), At: now}, nil
	return m, nil
}

// ResumesSelling notes that it was read back.
func (m Mode) ResumesSelling(now time.Time) Mode {
	m.Resumed, m.Trouble = &now, nil
	return m
}

// Drillable says whether a rule can be switched on for the test tenant only: by hand, or by a switch that is told for whom.
func Drillable(r catalog.DegradedModeRule) bool {
	return r.Switch.IsZero() || bytes.Contains(r.Switch.Params, []byte("${mode.scope}"))
}

// Overtaken notes that a drill gave way to the real thing, which has the switch from here on.
func (m Mode) Overtaken(by access.Person, now time.Time) (Mode, error) {
	m.Ending = &Ending{Why: "the rule is needed in earnest", By: by, At: now}
	m.Off = &now
	return m.to(Dropped)
}

// Working notes how much still waits to be worked off.
func (m Mode) Working(queued float64, now time.Time) Mode {
	e := Exposure{}
	if m.Exposure != nil {
		e = *m.Exposure
	}
	e.Queued, e.At = queued, now
	m.Exposure = &e
	return m
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
	if m.Effect == nil || m.Off == nil {
		return from, until, false
	}
	until = *m.Off
	if m.Drained != nil {
		until = *m.Drained
	}
	return *m.Effect, until, true
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
	if m.Phase != On && m.Phase != SwitchingOn && m.Phase != Stopping {
		return m, fault.Late(RulePhase, "It is %s already.", m.Phase.Words())
	}
	m.Ending = &Ending{Why: why, By: by, At: now}
	m, err := m.to(SwitchingOff)
	m.Period++
	return m, err
}

// EndBy is a person's wish to end it. Anybody in command or who answers for it may: it leads back to normal.
func (m Mode) EndBy(by access.Principal, why string, now time.Time) (Mode, error) {
	if err := MayRun(by); err != nil {
		return m, err
	}
	if why == "" {
		why = "ended by hand"
	}
	return m.End(why, by.Person(), now)
}

// Again switches on anew what somebody switched off behind our back.
func (m Mode) Again(by access.Principal, now time.Time) (Mode, error) {
	if err := MayRun(by); err != nil {
		return m, err
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
	if _, what := m.Beyond(now); what != "" {
		return fault.Refused(approval.RuleExpiry, "whoever may widen its limits", "Its limit is reached: %s.", what)
	}
	return nil
}

// ByHandDone is a person's word that they switched it, on or off as the phase was that they saw, where no connector does.
func (m Mode) ByHandDone(by access.Principal, saw Phase, evidence string, now time.Time) (Mode, error) {
	if err := MayRun(by); err != nil {
		return m, err
	}
	switch {
	case saw != m.Phase:
		return m, fault.Late(RulePhase, "Meanwhile it is %s. Look again before you say that it is done.", m.Phase.Words())
	case !m.ByHand():
		return m, fault.Refused(RuleByHand, "nobody: what the connector reads back decides", "A connector switches this and reads it back.")
	case evidence == "":
		return m, fault.Wrong{"evidence": "Say what shows that it is done."}.Err()
	}
	return m.Switched(now)
}

// MaySign says whether somebody answers for what ran so: a business owner of it.
func (m Mode) MaySign(by access.Principal, objects []access.Object) bool {
	return m.Phase == Over && len(by.Holds(access.BusinessOwner, objects...)) > 0
}

// Sign is the signature under what was reconciled.
func (m Mode) Sign(by access.Principal, objects []access.Object, note string, now time.Time) (Mode, error) {
	switch {
	case m.Phase == Over && !m.MaySign(by, objects):
		return m, fault.Refused(RuleSigns, access.BusinessOwner.Title(), "The books are signed by a business owner who answers for what ran so.")
	case note == "":
		return m, fault.Wrong{"note": "Say what was compared, and what was put right."}.Err()
	}
	m, err := m.to(Closed)
	if err == nil {
		m.Signed = &Ending{Why: note, By: by.Person(), At: now}
	}
	return m, err
}
