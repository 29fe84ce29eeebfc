package store

import (
	"context"
	"fmt"

	"keyholder/ent/accessrequest"
	"keyholder/ent/degradedmode"
	"keyholder/ent/request"
	"keyholder/ent/run"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/breakglass"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// Command is what a person does to a run: steer it, propose an exception, or confirm one.
type Command struct {
	ID        string                 `json:"id"` // of the act
	Code      string                 `json:"code"`
	By        access.Principal       `json:"by"` // roles are read anew; SignedInAt is the session's
	Steer     failover.Steering      `json:"steer,omitempty"`
	Propose   failover.ExceptionKind `json:"propose,omitempty"`
	Target    string                 `json:"target,omitempty"` // obligation that is to be waived
	Confirm   string                 `json:"confirm,omitempty"`
	Digits    string                 `json:"digits,omitempty"`
	Refuse    string                 `json:"refuse,omitempty"`
	Note      string                 `json:"note,omitempty"`
	WriteSeen bool                   `json:"write_seen,omitempty"` // the engine has just seen a write at the target
	// WriteUnknown: the engine could not see whether there was one.
	WriteUnknown bool         `json:"write_unknown,omitempty"`
	Origin       audit.Origin `json:"origin"`
}

// words says what a person does: which exception they propose or confirm, and what it is about.
func (c Command) words(r failover.Run) string {
	said := func(verb string, k failover.ExceptionKind, target string) string {
		what := verb + " \"" + k.Title() + "\""
		if target != "" {
			what += " (" + target + ")"
		}
		return what
	}
	if c.Propose != "" {
		return said("proposed", c.Propose, c.Target)
	}
	for _, x := range r.Exceptions {
		switch x.ID {
		case c.Confirm:
			return said("confirmed", x.Kind, x.Target)
		case c.Refuse:
			return said("refused", x.Kind, x.Target)
		}
	}
	return c.verb()
}

func (c Command) deed() deed {
	var refused []string // not among what acts of earlier builds were named by
	if c.Refuse != "" {
		refused = []string{c.Refuse}
	}
	return deed{c.ID, c.By, "run." + c.verb(), c.Code, append([]string{c.Target, c.Confirm}, refused...)}
}

// Of is the digest of the command as an act.
func (c Command) Of() string { return c.deed().of() }

// Command carries out what a person does to a run, in one transaction and once under its id.
func (s *Store) Command(ctx context.Context, c Command) (Outcome, error) {
	ctx = audit.WithOrigin(ctx, c.Origin)
	return s.answer(ctx, c.deed(), func(t *tx) (Outcome, error) {
		before, err := loadRun(ctx, t.Client(), c.Code)
		if err != nil {
			return Outcome{}, err
		}
		if c.By, err = s.principalNow(ctx, t, c.By); err != nil {
			return Outcome{}, err
		}
		after, err := s.command(ctx, t, before, c)
		if err != nil {
			return Outcome{}, err
		}
		t.record(audit.Event{
			Action: "run." + c.verb(), Object: c.Code, Act: c.ID, Detail: detail(map[string]any{"note": c.Note, "from": before.State, "to": after.State}),
			Text: fmt.Sprintf("%s: %s on %s, which is now %s.%s", c.By.Name, c.words(before), c.Code, after.State.Words(), spaced(c.Note)),
		})
		return Outcome{State: after.State, Directive: after.Next()}, t.saveRun(after)
	})
}

func (c Command) verb() string {
	switch {
	case c.Propose != "":
		return "propose-" + string(c.Propose)
	case c.Confirm != "":
		return "confirm"
	case c.Refuse != "":
		return "refuse"
	}
	return string(c.Steer)
}

func (s *Store) command(ctx context.Context, t *tx, r failover.Run, c Command) (failover.Run, error) {
	if c.WriteSeen {
		r = r.SawWrite(t.now)
	}
	switch {
	case c.WriteUnknown && c.Steer == failover.SteerAbort:
		return r, fault.Refused(failover.RuleNoReturn, "whoever steers runs, by finishing it or giving it up",
			"The target does not say whether it has accepted a write. Until it does, going back could make two writers. The run may be given up instead.")
	case c.Propose == failover.OverrideGate:
		if err := s.gatesYield(ctx, r); err != nil {
			return r, err
		}
		fallthrough
	case c.Propose != "":
		return s.proposeException(t, r, c)
	case c.Confirm != "" || c.Refuse != "":
		x, err := r.Exception(c.Confirm + c.Refuse)
		if err != nil {
			return r, err
		}
		ballot, err := s.ballotOn(ctx, t.Client(), r, x)
		if err != nil {
			return r, err
		}
		if c.Refuse != "" {
			return r.Refuse(x.ID, c.Note, c.By, ballot, t.now)
		}
		return r.Confirm(x.ID, c.Digits, c.By, ballot, t.now)
	}
	return r.Steer(c.Steer, c.Note, c.By, t.now)
}

// proposeException asks a second person, for as long as the policy says. What nobody could confirm is refused.
func (s *Store) proposeException(t *tx, r failover.Run, c Command) (failover.Run, error) {
	r, err := r.Propose(failover.Exception{ID: c.ID, Kind: c.Propose, Target: c.Target, Reason: c.Note}, c.By, t.now)
	if err != nil {
		return r, err
	}
	x, err := r.Exception(c.ID)
	if err != nil {
		return r, err
	}
	ballot, err := s.ballotOn(t.ctx, t.Client(), r, x)
	if err != nil {
		return r, err
	}
	version, err := s.Catalog(t.ctx)
	if err != nil {
		return r, err
	}
	return r.EndsAt(x.ID, t.now.Add(ballot.Rules.Lifetime())), t.somebodyCan(version.Catalog, ballot)
}

// gatesYield refuses to override a gate that the plan does not let anyone override. The run's reason names the gates
// that do not hold.
func (s *Store) gatesYield(ctx context.Context, r failover.Run) error {
	plan, err := s.Plan(ctx, r.Terms.Plan, r.Terms.PlanVersion)
	if err != nil {
		return err
	}
	return r.GatesYield(plan.What)
}

// nothingOpen refuses to close an incident that has an open request or run.
func (t *tx) nothingOpen(incident string) error {
	waiting, err := undecided(t.ctx, t.Client(), t.now, request.Incident(incident))
	if err != nil {
		return err
	}
	for _, r := range waiting {
		return fault.Late("state", "%s still waits: it is %s.", r.Code, r.State.Words())
	}
	running, err := t.Run.Query().Where(run.Incident(incident), run.StateIn(append([]failover.State{failover.Recovered}, holding...)...)).All(t.ctx)
	if err != nil {
		return fmt.Errorf("find open runs: %w", err)
	}
	for _, row := range running {
		return fault.Late("state", "%s is %s.", row.Code, row.State.Words())
	}
	modes, err := t.DegradedMode.Query().Where(degradedmode.Incident(incident), unfinished()).All(t.ctx)
	if err != nil {
		return fmt.Errorf("find open degraded modes: %w", err)
	}
	for _, row := range modes {
		if row.State == approval.Requested && row.ExpiresAt.After(t.now) {
			return fault.Late("state", "%s waits for a decision.", row.Code)
		}
		if row.State != approval.Requested {
			return fault.Late("state", "%s is %s.", row.Code, row.Phase.Words())
		}
	}
	return t.noAccessOpen(incident)
}

// noAccessOpen refuses to close an incident in which access is asked for, lasts, or has been used and not been looked at.
func (t *tx) noAccessOpen(incident string) error {
	rows, err := t.AccessRequest.Query().Where(accessrequest.Incident(incident)).All(t.ctx)
	if err != nil {
		return fmt.Errorf("find open access: %w", err)
	}
	asked, err := accessesOf(t.ctx, t.Client(), rows)
	if err != nil {
		return err
	}
	for _, r := range asked {
		switch stand := r.Stands(nil, t.now); stand {
		case breakglass.Refused, breakglass.Lapsed, breakglass.Done:
		default:
			return fault.Late("state", "%s is %s.", r.Code, stand.Words())
		}
	}
	return nil
}
