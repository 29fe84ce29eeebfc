package store

import (
	"context"
	"fmt"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/degrade"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// DecideMode counts one vote on running degraded. With the vote that is enough it is to be switched on.
func (s *Store) DecideMode(ctx context.Context, v Vote) (Outcome, error) {
	as := v.deed()
	as.Action = "degraded.decide"
	return s.answerMode(ctx, as, func(t *tx, m degrade.Mode) (degrade.Mode, error) {
		yes, no := sides(m.Question)
		ballot, err := s.modeBallot(ctx, t.Client(), m, m.Requester, yes, no)
		if err != nil {
			return m, err
		}
		if v.Verdict != approval.Reject { // a no to what is void stops it all the same
			if err := s.modeBound(t, m, ballot); err != nil {
				return m, err
			}
		}
		if v.By, err = s.principalNow(ctx, t, v.By); err != nil {
			return m, err
		}
		after, err := m.Decide(v.By, approval.Decision{ID: v.ID, Verdict: v.Verdict, Comment: v.Comment, Digest: v.Digest}, ballot, t.now)
		if err != nil {
			return m, err
		}
		if after.Phase == degrade.SwitchingOn {
			if err := t.takesSwitch(after); err != nil {
				return m, err
			}
		}
		t.record(audit.Event{
			Action: "degraded.decide", Object: m.Code, Act: v.ID, Text: fmt.Sprintf("%s voted to %s %s; it is now %s.", v.By.Name, v.Verdict, m.Code, after.State.Words()),
			Detail: detail(map[string]any{"decision": after.Decisions[len(after.Decisions)-1], "state": after.State}),
		})
		return after, t.addDecision(after.Question)
	})
}

// modeBound refuses a vote where who decides, or the rule itself, is not what it was when this was asked.
func (s *Store) modeBound(t *tx, m degrade.Mode, ballot approval.Ballot) error {
	digest, err := ballot.Rules.Digest()
	if err != nil {
		return err
	}
	version, err := s.Catalog(t.ctx)
	if err != nil {
		return err
	}
	rule, ok := version.Rule(m.Terms.Rule.Slug)
	now := m.Terms
	now.Rule, now.Rules = rule, digest
	same, err := now.Digest()
	if err != nil {
		return err
	}
	if !ok || same != m.Digest {
		return fault.Refused(approval.RuleBound, "whoever may run degraded, by asking anew",
			"The rule, or who decides, has changed since %s asked. What was asked for is void: withdraw it and ask anew.", m.Requester.Name)
	}
	return nil
}

// answerMode runs a person's act on a mode once under its id.
func (s *Store) answerMode(ctx context.Context, as deed, work func(*tx, degrade.Mode) (degrade.Mode, error)) (Outcome, error) {
	return s.answer(ctx, as, func(t *tx) (Outcome, error) {
		before, err := loadMode(ctx, t.Client(), as.Object)
		if err != nil {
			return Outcome{}, err
		}
		after, err := work(t, before)
		if err != nil {
			return Outcome{}, err
		}
		return Outcome{State: failover.State(after.State)}, t.advance(before, after)
	})
}

// WithdrawMode takes a wish to run degraded back.
func (s *Store) WithdrawMode(ctx context.Context, a Amend) (Outcome, error) {
	as := a.deed()
	as.Action, as.What = "degraded.withdraw", nil
	return s.answerMode(ctx, as, func(t *tx, m degrade.Mode) (degrade.Mode, error) {
		q, err := m.Withdraw(a.By, t.now)
		if err != nil {
			return m, err
		}
		m.Question = q
		t.record(audit.Event{Action: "degraded.withdraw", Object: m.Code, Text: fmt.Sprintf("%s withdrew %s.", a.By.Name, m.Code)})
		return m, nil
	})
}

// ModeVerb is what a person does to a mode.
type ModeVerb string

// The verbs.
const (
	EndMode    ModeVerb = "end"
	ResumeMode ModeVerb = "resume" // to sell, after its limit stopped that
	ExtendMode ModeVerb = "extend"
	WidenMode  ModeVerb = "widen"   // yes to an extension
	KeepMode   ModeVerb = "keep"    // no to it
	AgainMode  ModeVerb = "again"   // switch on anew what was switched off behind our back
	ByHandMode ModeVerb = "by-hand" // it was switched by hand
	SignMode   ModeVerb = "sign"
)

// ModeCommand is what a person does to a mode.
type ModeCommand struct {
	ID        string // of the act
	Code      string
	By        access.Principal // roles are read anew; SignedInAt is the session's
	Verb      ModeVerb
	Extension string // of which a yes or no is
	Limits    degrade.Limits
	Saw       degrade.Phase // the phase that the person saw, of what was done by hand
	Note      string
}

// CommandMode does to a mode what a person asks for, once under the act's id.
func (s *Store) CommandMode(ctx context.Context, c ModeCommand) (Outcome, error) {
	as := deed{c.ID, c.By, "degraded." + string(c.Verb), c.Code, []string{c.Extension, fmt.Sprint(c.Limits)}}
	return s.answerMode(ctx, as, func(t *tx, m degrade.Mode) (degrade.Mode, error) {
		var err error
		if c.By, err = s.principalNow(ctx, t, c.By); err != nil {
			return m, err
		}
		after, err := s.commandMode(t, m, c)
		if err != nil {
			return m, err
		}
		t.record(audit.Event{
			Action: as.Action, Object: m.Code, Act: c.ID, Detail: detail(map[string]any{"note": c.Note, "from": m.Phase, "to": after.Phase, "limits": after.Limits, "asked": c.Limits}),
			Text: fmt.Sprintf("%s: %s on %s, which is now %s.%s", c.By.Name, c.Verb, m.Code, after.Phase.Words(), spaced(c.Note)),
		})
		return after, nil
	})
}

func (s *Store) commandMode(t *tx, m degrade.Mode, c ModeCommand) (degrade.Mode, error) {
	switch c.Verb {
	case EndMode:
		return m.EndBy(c.By, c.Note, t.now)
	case ResumeMode:
		return m.ResumeBy(c.By, c.Note, t.now)
	case AgainMode:
		return m.Again(c.By, t.now)
	case ByHandMode:
		return m.ByHandDone(c.By, c.Saw, c.Note, t.now)
	case SignMode:
		objects, err := s.ModeObjects(t.ctx, m)
		if err != nil {
			return m, err
		}
		return m.Sign(c.By, objects, c.Note, t.now)
	case ExtendMode:
		return s.extend(t, m, c)
	case WidenMode, KeepMode:
		for _, e := range m.Extensions {
			if e.ID != c.Extension {
				continue
			}
			ballot, err := s.modeBallot(t.ctx, t.Client(), m, e.By, e.Others, nil)
			if err != nil {
				return m, err
			}
			return m.Answer(e.ID, c.Verb == WidenMode, c.Note, c.By, ballot, t.now)
		}
		return m, fault.Missing("extension", c.Extension)
	}
	return m, fault.Missing("act on a degraded mode", string(c.Verb))
}

// extend asks for wider limits, for as long as the policy says. What nobody could approve is refused.
func (s *Store) extend(t *tx, m degrade.Mode, c ModeCommand) (degrade.Mode, error) {
	ballot, err := s.modeBallot(t.ctx, t.Client(), m, c.By.Person(), nil, nil)
	if err != nil {
		return m, err
	}
	version, err := s.Catalog(t.ctx)
	if err != nil {
		return m, err
	}
	if err := t.somebodyCan(version.Catalog, ballot); err != nil {
		return m, err
	}
	return m.Extend(degrade.Extension{ID: c.ID, Limits: c.Limits, Reason: c.Note, Until: t.now.Add(ballot.Rules.Lifetime())}, c.By, t.now)
}

// ModeAttempt is one try at what is to be done: the mode as it stood when the intent was committed.
type ModeAttempt struct {
	Mode degrade.Mode
	Do   degrade.Do
}

// act ties the intent of an attempt to its outcome in the record.
func (a ModeAttempt) act() string {
	attempts := 0
	if a.Mode.Trouble != nil {
		attempts = a.Mode.Trouble.Attempts
	}
	return fmt.Sprintf("%s/%s/%d/%d", a.Mode.Code, a.Do, a.Mode.Period, attempts)
}

// Key makes the effect on the real system once: it is the same for every attempt.
func (a ModeAttempt) Key() string {
	return fmt.Sprintf("keyholder/%s/%s/%d", a.Mode.Code, a.Do, a.Mode.Period)
}

// BeginMode commits the intent to do what is next, before anything is touched. Where something else is next it refuses.
func (s *Store) BeginMode(ctx context.Context, code string, do degrade.Do) (ModeAttempt, error) {
	a := ModeAttempt{Do: do}
	err := s.act(ctx, audit.Worker, func(t *tx) error {
		m, err := loadMode(ctx, t.Client(), code)
		if err != nil {
			return err
		}
		if m.Next() != do {
			return fault.Late(degrade.RulePhase, "It is %s already.", m.Phase.Words())
		}
		a.Mode = m
		if tried := m.Attempts(do, t.now); tried.Effect != m.Effect {
			if err := t.saveMode(tried); err != nil {
				return err
			}
		}
		t.record(audit.Event{Action: "degraded." + string(do), Object: code, Outcome: audit.Intent, Act: a.act(), Text: fmt.Sprintf("%s: %s.", m.Terms.Rule.Name, do)})
		return nil
	})
	return a, err
}

// ModeDone commits the outcome of an attempt that was read back as it should be.
func (s *Store) ModeDone(ctx context.Context, a ModeAttempt, text string, evidence any) (degrade.Mode, error) {
	return s.changeMode(ctx, audit.Worker, a.Mode.Code, func(t *tx, m degrade.Mode) (degrade.Mode, error) {
		t.settleMode(a, audit.Held, text, evidence)
		if m.Next() != a.Do || m.Period != a.Mode.Period {
			return m, nil // people have decided otherwise meanwhile; what is next looks before it acts
		}
		switch a.Do {
		case degrade.DoStop:
			return m.StopsSelling(t.now)
		case degrade.DoResume:
			return m.ResumesSelling(t.now), nil
		case degrade.DoDrain:
			return m.WorkedOff(t.now)
		case degrade.DoSwitchOn, degrade.DoSwitchOff:
			return m.Switched(t.now)
		case degrade.DoAwait, degrade.DoNothing:
		}
		return m, nil
	})
}

// ModeFailed commits that an attempt did not succeed. It is tried again until it does, or until people decide otherwise.
func (s *Store) ModeFailed(ctx context.Context, a ModeAttempt, why string, evidence any) (degrade.Mode, error) {
	return s.changeMode(ctx, audit.Worker, a.Mode.Code, func(t *tx, m degrade.Mode) (degrade.Mode, error) {
		t.settleMode(a, audit.Failed, why, evidence)
		if m.Next() != a.Do || m.Period != a.Mode.Period {
			return m, nil // it is no failure of what is to be done now
		}
		return m.Failed(why, t.now), nil
	})
}

func (t *tx) settleMode(a ModeAttempt, outcome audit.Outcome, text string, evidence any) {
	e := audit.Event{Action: "degraded." + string(a.Do), Object: a.Mode.Code, Outcome: outcome, Act: a.act(), Text: a.Mode.Terms.Rule.Name + ": " + text}
	if evidence != nil {
		e.Detail = detail(evidence)
	}
	t.record(e)
}

// ModeWorking notes how much still waits while it is worked off, and says how the mode stands.
func (s *Store) ModeWorking(ctx context.Context, code string, queued float64) (degrade.Mode, error) {
	return s.changeMode(ctx, audit.Worker, code, func(t *tx, m degrade.Mode) (degrade.Mode, error) {
		return m.Working(queued, t.now), nil
	})
}
