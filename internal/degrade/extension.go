package degrade

import (
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/fault"
)

// Extension is one person's wish for wider limits, and others' answer.
type Extension struct {
	ID        string          `json:"id"`
	Limits    Limits          `json:"limits"` // all of them, as they would be
	Reason    string          `json:"reason"`
	By        access.Person   `json:"by"`
	At        time.Time       `json:"at"`
	Until     time.Time       `json:"until"` // it lapses then
	Others    []access.Person `json:"others,omitempty"`
	Decided   *time.Time      `json:"decided,omitempty"`
	DecidedBy *access.Person  `json:"decided_by,omitempty"`
	Refusal   string          `json:"refusal,omitempty"` // why, where it was refused
}

// Waits says that nobody has decided on it, and that there is still time to.
func (e Extension) Waits(now time.Time) bool { return e.Decided == nil && now.Before(e.Until) }

// State is where it stands with the people who decide on it.
func (e Extension) State(now time.Time) approval.State {
	switch {
	case e.Decided != nil && e.Refusal != "":
		return approval.Rejected
	case e.Decided != nil:
		return approval.Approved
	case !e.Waits(now):
		return approval.Expired
	}
	return approval.Requested
}

// Pending is the extension that waits, if one does.
func (m Mode) Pending(now time.Time) (Extension, bool) {
	i := slices.IndexFunc(m.Extensions, func(e Extension) bool { return e.Waits(now) })
	if i < 0 || m.Phase != On {
		return Extension{}, false
	}
	return m.Extensions[i], true
}

// Extend asks for wider limits. until is when the wish lapses.
func (m Mode) Extend(e Extension, by access.Principal, now time.Time) (Mode, error) {
	if err := MayRun(by); err != nil {
		return m, err
	}
	if m.Phase != On {
		return m, fault.Late(RulePhase, "It is %s: there is no limit to widen.", m.Phase.Words())
	}
	if waits, ok := m.Pending(now); ok {
		return m, fault.Late(approval.RuleOneVote, "%s asked for wider limits at %s, and that waits for an answer.", waits.By.Name, approval.Clock(waits.At))
	}
	wrong := fault.Wrong{}
	if e.Reason == "" {
		wrong.Add("reason", "Say why; who decides and the auditor read it.")
	}
	if e.Limits.Time.D() <= m.Runs(now) && e.Limits.Time > 0 {
		wrong.Add("limit_time", "This is over already: it has been on for longer.")
	}
	for field, gone := range map[string]bool{
		"limit_time": m.Limits.Time > 0 && e.Limits.Time <= 0, "limit_orders": m.Limits.Orders > 0 && e.Limits.Orders <= 0, "limit_money": m.Limits.Money > 0 && e.Limits.Money <= 0,
	} {
		if gone {
			wrong.Add(field, "A limit is widened, not taken away.")
		}
	}
	if e.Limits == m.Limits {
		wrong.Add("limit_time", "These are the limits that it has. Change one of them.")
	}
	if err := wrong.Err(); err != nil {
		return m, err
	}
	e.By, e.At = by.Person(), now
	m.Extensions = append(slices.Clone(m.Extensions), e)
	return m, nil
}

// MayAnswer is the rule by which another person answers an extension.
func (m Mode) MayAnswer(e Extension, by access.Principal, b approval.Ballot, now time.Time) error {
	if e.Decided != nil {
		return fault.Late(approval.RuleDecided, "Already %s by %s at %s.", e.State(now).Words(), e.DecidedBy.Name, approval.Clock(*e.Decided))
	}
	if !e.Waits(now) || m.Phase != On {
		return fault.Late(approval.RuleExpiry, "This is over: nobody answered in time, or it is not on any more.")
	}
	if err := b.MayVote(by); err != nil {
		return err
	}
	return approval.Recent(by, b.RecentSignIn(by), now, "Widening the limits")
}

// Answer is another person's yes or no to wider limits; why is the reason of a no.
func (m Mode) Answer(id string, yes bool, why string, by access.Principal, b approval.Ballot, now time.Time) (Mode, error) {
	i := slices.IndexFunc(m.Extensions, func(e Extension) bool { return e.ID == id })
	if i < 0 {
		return m, fault.Missing("extension", id)
	}
	e := m.Extensions[i]
	if err := m.MayAnswer(e, by, b, now); err != nil {
		return m, err
	}
	who := by.Person()
	switch {
	case !yes && why == "":
		return m, fault.Wrong{"refusal": "Say why you refuse, so that they know what to do instead."}.Err()
	case !yes:
		e.Decided, e.DecidedBy, e.Refusal = &now, &who, why
	default:
		if b.Yes = append(slices.Clip(b.Yes), by); len(b.Missing()) > 0 {
			e.Others = append(slices.Clone(e.Others), who)
			break
		}
		e.Decided, e.DecidedBy = &now, &who
		m.Limits, m.Reached = e.Limits, nil
	}
	m.Extensions = slices.Clone(m.Extensions)
	m.Extensions[i] = e
	return m, nil
}
