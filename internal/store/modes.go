package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"

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

// ModeCode begins the code of a degraded mode.
const ModeCode = "DG-"

func modeOf(row *ent.DegradedMode, votes []*ent.Decision) (degrade.Mode, error) {
	var m degrade.Mode
	if err := json.Unmarshal(row.Body, &m); err != nil {
		return m, fmt.Errorf("read %s: %w", row.Code, err)
	}
	m.Question = approval.Question{
		ID: row.ID, Code: row.Code, Digest: row.Digest, Requester: access.Person{ID: row.RequesterID, Name: row.RequesterName},
		State: row.State, Round: row.Round, Open: row.Open, FiledAt: row.FiledAt.UTC(), ExpiresAt: row.ExpiresAt.UTC(),
		DecidedAt: utc(row.DecidedAt), Version: row.Revision, Decisions: decisionsOf(votes),
	}
	return m, nil
}

func modesOf(ctx context.Context, c *ent.Client, rows []*ent.DegradedMode) ([]degrade.Mode, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	votes, err := votesOn(ctx, c, ids)
	if err != nil {
		return nil, err
	}
	return modesWith(rows, votes)
}

func modesWith(rows []*ent.DegradedMode, votes map[string][]*ent.Decision) (all []degrade.Mode, err error) {
	all = make([]degrade.Mode, len(rows))
	for i, row := range rows {
		if all[i], err = modeOf(row, votes[row.ID]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func loadMode(ctx context.Context, c *ent.Client, code string) (degrade.Mode, error) {
	rows, err := c.DegradedMode.Query().Where(degradedmode.Code(code)).All(ctx)
	if err != nil {
		return degrade.Mode{}, fmt.Errorf("load degraded mode %s: %w", code, err)
	}
	if len(rows) == 0 {
		return degrade.Mode{}, fault.Missing("degraded mode", code)
	}
	all, err := modesOf(ctx, c, rows)
	if err != nil {
		return degrade.Mode{}, err
	}
	return all[0], nil
}

// Mode loads a degraded mode by its code.
func (s *Store) Mode(ctx context.Context, code string) (degrade.Mode, error) {
	return readOnce(ctx, "degraded mode "+code, func() (degrade.Mode, error) { return loadMode(ctx, s.client, code) })
}

// openPhases are those in which something is still to be done or watched.
var openPhases = []degrade.Phase{degrade.SwitchingOn, degrade.On, degrade.Stopping, degrade.SwitchingOff, degrade.Draining} //nolint:gochecknoglobals // a table

// OpenModes are the degraded modes that wait for people, last, or are owed something, the oldest first. Of those that have not changed
// since they were last read only that is read: hundreds last at once when a site is lost, and one of them changes at a time.
func (s *Store) OpenModes(ctx context.Context) ([]degrade.Mode, error) {
	return readOnce(ctx, "open degraded modes", func() ([]degrade.Mode, error) {
		rows, err := s.client.DegradedMode.Query().Where(degradedmode.Or(
			degradedmode.PhaseIn(append([]degrade.Phase{degrade.Over}, openPhases...)...), degradedmode.StateEQ(approval.Requested),
		)).Order(degradedmode.ByFiledAt()).Select(degradedmode.FieldID, degradedmode.FieldRevision).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("look for open degraded modes: %w", err)
		}
		return s.modes.of(ctx, s.client, rows)
	})
}

// modesRead are the open modes as they were last read. A mode of one revision never changes: its votes change its revision too.
type modesRead struct {
	mu sync.Mutex
	by map[string]degrade.Mode // by id
}

// of are some modes, of which only the id and the revision are known; what has changed is read.
func (r *modesRead) of(ctx context.Context, c *ent.Client, rows []*ent.DegradedMode) ([]degrade.Mode, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var changed []string
	for _, row := range rows {
		if had, ok := r.by[row.ID]; !ok || had.Version != row.Revision {
			changed = append(changed, row.ID)
		}
	}
	now := make(map[string]degrade.Mode, len(rows))
	if len(changed) > 0 {
		found, err := c.DegradedMode.Query().Where(degradedmode.IDIn(changed...)).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load open degraded modes: %w", err)
		}
		var asked []string // of which votes decide something yet
		for _, row := range found {
			if row.State == approval.Requested {
				asked = append(asked, row.ID)
			}
		}
		var votes map[string][]*ent.Decision
		if len(asked) > 0 {
			if votes, err = votesOn(ctx, c, asked); err != nil {
				return nil, err
			}
		}
		read, err := modesWith(found, votes)
		if err != nil {
			return nil, err
		}
		for i := range read {
			now[read[i].ID] = read[i]
		}
	}
	all := make([]degrade.Mode, 0, len(rows))
	for _, row := range rows {
		m, ok := now[row.ID]
		if !ok {
			m = r.by[row.ID]
			now[row.ID] = m
		}
		all = append(all, m)
	}
	r.by = now
	return all, nil
}

// Modes are the latest, the newest first: all, those of one rule, or those of one incident.
func (s *Store) Modes(ctx context.Context, rule, incident string, most int) ([]degrade.Mode, error) {
	query := s.client.DegradedMode.Query().Order(degradedmode.ByFiledAt(sql.OrderDesc())).Limit(most)
	if rule != "" {
		query.Where(degradedmode.Rule(rule))
	}
	if incident != "" {
		query.Where(degradedmode.Incident(incident))
	}
	rows, err := query.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load degraded modes: %w", err)
	}
	return modesOf(ctx, s.client, rows)
}

// saveMode writes what can change, guarded by the version that was loaded.
func (t *tx) saveMode(m degrade.Mode) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write %s: %w", m.Code, err)
	}
	update := t.DegradedMode.Update().Where(degradedmode.ID(m.ID), degradedmode.Revision(m.Version)).
		SetState(m.State).SetPhase(m.Phase).SetRound(m.Round).SetOpen(m.Open).SetNillableDecidedAt(m.DecidedAt).SetBody(body).SetRevision(m.Version + 1)
	if m.Off != nil {
		update.SetEndedAt(*m.Off)
	}
	n, err := update.Save(t.ctx)
	if err != nil {
		return fmt.Errorf("save %s: %w", m.Code, err)
	}
	if n == 0 {
		return errStale
	}
	t.changed = true
	return nil
}

// ModeBallot is where a degraded mode stands with the people who decide: what it must meet, and who has voted how.
func (s *Store) ModeBallot(ctx context.Context, m degrade.Mode) (approval.Ballot, error) {
	yes, no := sides(m.Question)
	return s.modeBallot(ctx, s.client, m, m.Requester, yes, no)
}

// ModeObjects are what a degraded mode is about, as roles cover it.
func (s *Store) ModeObjects(ctx context.Context, m degrade.Mode) ([]access.Object, error) {
	version, err := s.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := rulesOf(version, m.Terms.Asking(version.Catalog, m.FiledAt))
	if err != nil {
		return nil, err
	}
	var objects []access.Object
	for _, r := range rules {
		objects = append(objects, r.Objects...)
	}
	return objects, nil
}

// ExtensionBallot is where a wish for wider limits stands.
func (s *Store) ExtensionBallot(ctx context.Context, m degrade.Mode, e degrade.Extension) (approval.Ballot, error) {
	return s.modeBallot(ctx, s.client, m, e.By, e.Others, nil)
}

func (s *Store) modeBallot(ctx context.Context, c *ent.Client, m degrade.Mode, by access.Person, yes, no []access.Person) (approval.Ballot, error) {
	version, err := s.Catalog(ctx)
	if err != nil {
		return approval.Ballot{}, err
	}
	rules, err := rulesOf(version, m.Terms.Asking(version.Catalog, m.FiledAt))
	if err != nil {
		return approval.Ballot{}, err
	}
	return s.balloted(ctx, c, rules, by, yes, no)
}

// HopesOfMode says who can still decide on a degraded mode.
func (s *Store) HopesOfMode(ctx context.Context, m degrade.Mode) (Hopes, error) {
	return readOnce(ctx, "hopes of "+m.Code, func() (Hopes, error) {
		b, err := s.ModeBallot(ctx, m)
		if err != nil {
			return Hopes{}, err
		}
		return s.hopes(ctx, b)
	})
}

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
		if !by.May(access.RunDegraded) {
			return fault.Refused(degrade.RuleRole, access.Titles(access.Holders(access.RunDegraded)), "Your role does not say how the retailer runs.")
		}
		m, err = s.fileMode(t, f, false)
		return err
	})
	return m, err
}

// fileMode files a mode for a person, or for a rule that its signals call.
func (s *Store) fileMode(t *tx, f ModeFile, byItself bool) (m degrade.Mode, err error) {
	if _, err := t.head(t.ctx); err != nil { // first, so that two who ask at once see each other
		return m, fmt.Errorf("take the head of the record: %w", err)
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
	m = degrade.Mode{
		Question: approval.Question{ID: f.ID, Code: newCode("DG"), Requester: t.actor, State: approval.Requested, Round: 1, Open: true, FiledAt: t.now},
		Terms:    degrade.Terms{Rule: rule, Since: stands.Since, Incident: f.Incident, Drill: f.Drill}, Reason: f.Reason, Phase: degrade.Wished, Limits: degrade.LimitsOf(rule),
	}
	rules, err := approval.RulesOf(version.Catalog, m.Terms.Asking(version.Catalog, t.now))
	if err != nil {
		return m, err
	}
	if m.Terms.Rules, err = rules.Digest(); err != nil {
		return m, err
	}
	if m.Digest, err = m.Terms.Digest(); err != nil {
		return m, err
	}
	m.ExpiresAt = t.now.Add(rules.Lifetime())
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

// nudge has the process look at the record, where something is to be done.
func (t *tx) nudge(m degrade.Mode) error {
	if do := m.Next(); do == degrade.DoAwait || do == degrade.DoNothing {
		return nil
	}
	if err := t.Outbox.Create().SetRequestID(m.ID).SetCode(m.Code).SetCreatedAt(t.now).Exec(t.ctx); err != nil {
		return fmt.Errorf("save outbox: %w", err)
	}
	return nil
}

// changeMode does something to a mode in one transaction, starting over where somebody else was faster.
func (s *Store) changeMode(ctx context.Context, actor access.Person, code string, work func(*tx, degrade.Mode) (degrade.Mode, error)) (degrade.Mode, error) {
	var after degrade.Mode
	err := s.act(ctx, actor, func(t *tx) error {
		before, err := loadMode(ctx, t.Client(), code)
		if err != nil {
			return err
		}
		if after, err = work(t, before); err != nil {
			return err
		}
		if reflect.DeepEqual(before, after) {
			return nil // pages have nothing new to show
		}
		if err := t.saveMode(after); err != nil || after.Next() == before.Next() {
			return err
		}
		return t.nudge(after)
	})
	return after, err
}

// endedLately is when a mode of a rule was last read back as off; zero where none was.
func endedLately(ctx context.Context, c *ent.Client, rule string) (time.Time, error) {
	rows, err := c.DegradedMode.Query().Where(degradedmode.Rule(rule), degradedmode.EndedAtNotNil()).Order(degradedmode.ByEndedAt(sql.OrderDesc())).Limit(1).All(ctx)
	if err != nil || len(rows) == 0 {
		return time.Time{}, err
	}
	return rows[0].EndedAt.UTC(), nil
}
