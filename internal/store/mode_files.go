package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"keyholder/ent"
	"keyholder/ent/degradedmode"
	"keyholder/ent/incident"
	"keyholder/ent/predicate"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/fault"
)

// ModeFile is a wish to run degraded before it is filed.
type ModeFile struct {
	ID       string // of the act, so that a doubled click files once
	Rule     string
	Incident string
	Reason   string
	Drill    bool
}

// FileMode asks to run degraded under a rule. Where approving the rule was the approval, it is to be switched on at once.
func (s *Store) FileMode(ctx context.Context, by access.Principal, f ModeFile) (degrade.Mode, error) {
	var m degrade.Mode
	err := s.personal(ctx, by.Person(), "degraded.file", f.Rule, func(t *tx) error {
		if rows, err := t.DegradedMode.Query().Where(degradedmode.ID(f.ID)).All(t.ctx); err != nil || len(rows) > 0 {
			if err == nil {
				m, err = modeOf(rows[0], nil)
			}
			return err
		}
		var err error
		if by, err = s.principalNow(ctx, t, by); err != nil {
			return err
		}
		if err := degrade.MayRun(by); err != nil {
			return err
		}
		m, err = s.fileMode(t, f, false)
		return err
	})
	return m, err
}

// fileMode files a mode for a person, or for a rule that its signals call.
func (s *Store) fileMode(t *tx, f ModeFile, byItself bool) (m degrade.Mode, err error) {
	if err := t.turn(); err != nil { // first, so that two who ask at once see each other
		return m, err
	}
	stands, err := standing(t.ctx, t.Client(), catalog.Ref{Kind: catalog.KindRule, Slug: f.Rule})
	if err != nil {
		return m, err
	}
	if stands == nil {
		return m, fault.Missing("degraded-mode rule", f.Rule)
	}
	rule := stands.Record.(catalog.DegradedModeRule)
	if f.Drill && !degrade.Drillable(rule) {
		return m, fault.Refused(degrade.RuleDrill, "a business owner, by a switch of the rule that refers to ${mode.scope}", "This rule is switched for everybody: a drill of it would be no drill.")
	}
	if err := t.alreadyOn(rule, f.Drill); err != nil {
		return m, err
	}
	if err := t.joins(f.Incident); err != nil {
		return m, err
	}
	version, err := s.Catalog(t.ctx)
	if err != nil {
		return m, err
	}
	m, rules, err := t.asking(version.Catalog, f, degrade.Terms{Rule: rule, Since: stands.Since, Incident: f.Incident, Drill: f.Drill})
	if err != nil {
		return m, err
	}
	if m, err = s.approvedInAdvance(t, m, rules, byItself); err != nil {
		return m, err
	}
	if m.State == approval.Requested {
		ballot, err := s.balloted(t.ctx, t.Client(), rules, t.actor, nil, nil)
		if err != nil {
			return m, err
		}
		if err := t.somebodyCan(version.Catalog, ballot); err != nil {
			return m, err
		}
	}
	return m, t.createMode(m)
}

// asking is a mode as it is asked for, and who decides on it.
func (t *tx) asking(c catalog.Catalog, f ModeFile, terms degrade.Terms) (m degrade.Mode, rules approval.Rules, err error) {
	if rules, err = approval.RulesOf(c, terms.Asking(c, t.now)); err != nil {
		return m, nil, err
	}
	if terms.Rules, err = rules.Digest(); err != nil {
		return m, nil, err
	}
	m = degrade.Mode{
		Question: approval.Question{
			ID: f.ID, Code: newCode("DG"), Requester: t.actor, State: approval.Requested, Round: 1, Open: true, FiledAt: t.now, ExpiresAt: t.now.Add(rules.Lifetime()),
		},
		Terms: terms, Reason: f.Reason, Phase: degrade.Wished, Limits: degrade.LimitsOf(terms.Rule),
	}
	m.Digest, err = terms.Digest()
	return m, rules, err
}

// switchedPhases are those in which the switch of a rule is a mode's business; what only works off what waits leaves it to the next.
var switchedPhases = []degrade.Phase{degrade.SwitchingOn, degrade.On, degrade.Stopping, degrade.SwitchingOff} //nolint:gochecknoglobals // a table

// alreadyOn refuses a second mode of one rule. A drill gives way to the real thing, and does not begin beside it.
func (t *tx) alreadyOn(rule catalog.DegradedModeRule, drill bool) error {
	others, err := t.switched(rule.Slug, degradedmode.StateEQ(approval.Requested))
	if err != nil {
		return err
	}
	for _, m := range others {
		if m.Standing(t.now) != approval.Expired && (drill || !m.Terms.Drill) {
			return fault.Late(degrade.RuleOneAtOnce, "%s asked for this at %s, as %s. It is %s.", m.Requester.Name, approval.Clock(m.FiledAt), m.Code, m.Phase.Words())
		}
	}
	return nil
}

// switched are the modes that have the switch of a rule, and others of it.
func (t *tx) switched(rule string, others ...predicate.DegradedMode) ([]degrade.Mode, error) {
	rows, err := t.DegradedMode.Query().Where(degradedmode.Rule(rule), degradedmode.Or(append(others, degradedmode.PhaseIn(switchedPhases...))...)).All(t.ctx)
	if err != nil {
		return nil, fmt.Errorf("look for what runs degraded: %w", err)
	}
	return modesWith(rows, nil)
}

// takesSwitch makes sure that a mode which is to be switched on has the switch of its rule for itself: drills give way to the real thing.
func (t *tx) takesSwitch(m degrade.Mode) error {
	others, err := t.switched(m.Terms.Rule.Slug)
	if err != nil {
		return err
	}
	for _, other := range others {
		switch {
		case other.ID == m.ID:
		case !other.Terms.Drill || m.Terms.Drill:
			return fault.Late(degrade.RuleOneAtOnce, "%s is %s, as %s.", other.Terms.Rule.Name, other.Phase.Words(), other.Code)
		default:
			if other, err = other.Overtaken(t.actor, t.now); err != nil {
				return err
			}
			t.record(audit.Event{Action: "degraded.overtaken", Object: other.Code, Text: fmt.Sprintf("The drill %s gave way to %s.", other.Code, m.Code)})
			if err := t.saveMode(other); err != nil {
				return err
			}
		}
	}
	return nil
}

// joins makes sure that an incident is open, and stays so until this is written.
func (t *tx) joins(code string) error {
	if code == "" {
		return nil
	}
	n, err := t.Incident.Update().Where(incident.Code(code), incident.ClosedAtIsNil()).AddRevision(1).Save(t.ctx)
	if err != nil {
		return fmt.Errorf("join incident %s: %w", code, err)
	}
	if n == 0 {
		return fault.Wrong{"incident": "There is no such incident, or it is closed."}.Err()
	}
	return nil
}

// approvedInAdvance approves a mode whose rule says that approving it was the approval, where two people did that who may decide so.
func (s *Store) approvedInAdvance(t *tx, m degrade.Mode, rules approval.Rules, byItself bool) (degrade.Mode, error) {
	rule := m.Terms.Rule
	if !rule.GoAhead.Approved() || byItself && rule.GoAhead != catalog.ByItself {
		return m, nil
	}
	approved, ok, err := s.ruleApproval(t.ctx, t.Client(), m, rules)
	if err != nil || !ok {
		return m, err
	}
	if err := t.takesSwitch(m); err != nil {
		return m, err
	}
	m.InAdvance, m.State, m.DecidedAt, m.ExpiresAt = approved, approval.Approved, &t.now, t.now
	return m.Begin()
}

// ruleApproval is the change request by which a rule came into force, if by today's policies and roles those who approved it may decide
// on running degraded, and the policies accept that in advance.
func (s *Store) ruleApproval(ctx context.Context, c *ent.Client, m degrade.Mode, rules approval.Rules) (string, bool, error) {
	if slices.ContainsFunc(rules, func(r approval.Rule) bool { return !r.Policy.InAdvance }) {
		return "", false, nil
	}
	asked, ok, err := questionOfVersion(ctx, c, m.Terms.Since)
	if err != nil || !ok {
		return "", false, err
	}
	yes, no := sides(asked)
	b, err := s.balloted(ctx, c, rules, asked.Requester, yes, no)
	if err != nil {
		return "", false, err
	}
	return asked.Code, len(b.Missing()) == 0, nil
}

func (t *tx) createMode(m degrade.Mode) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write %s: %w", m.Code, err)
	}
	err = t.DegradedMode.Create().SetID(m.ID).SetCode(m.Code).SetRule(m.Terms.Rule.Slug).SetIncident(m.Terms.Incident).SetDigest(m.Digest).
		SetRequesterID(m.Requester.ID).SetRequesterName(m.Requester.Name).SetState(m.State).SetPhase(m.Phase).SetRound(m.Round).SetOpen(m.Open).
		SetFiledAt(m.FiledAt).SetExpiresAt(m.ExpiresAt).SetNillableDecidedAt(m.DecidedAt).SetBody(body).Exec(t.ctx)
	if err != nil {
		return fmt.Errorf("save degraded mode: %w", err)
	}
	text := fmt.Sprintf("%s asked to run degraded: %s (%s).", t.actor.Name, m.Terms.Rule.Name, m.Code)
	if m.InAdvance != "" {
		text += " It was approved in advance by " + m.InAdvance + "."
	}
	t.record(audit.Event{Action: "degraded.file", Object: m.Code, Text: text, Detail: detail(map[string]any{
		"terms": m.Terms, "digest": m.Digest, "reason": m.Reason, "in_advance": m.InAdvance,
	})})
	return t.nudge(m)
}
