package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/degradedmode"
	"keyholder/ent/predicate"
	"keyholder/internal/access"
	"keyholder/internal/approval"
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

// unfinished are the modes that wait for people, last, or are owed something.
func unfinished() predicate.DegradedMode {
	return degradedmode.Or(degradedmode.PhaseIn(append([]degrade.Phase{degrade.Over}, openPhases...)...), degradedmode.StateEQ(approval.Requested))
}

// OpenModes are the degraded modes that wait for people, last, or are owed something, the oldest first. Of those that have not changed
// since they were last read only that is read: hundreds last at once when a site is lost, and one of them changes at a time.
func (s *Store) OpenModes(ctx context.Context) ([]degrade.Mode, error) {
	return readOnce(ctx, "open degraded modes", func() ([]degrade.Mode, error) {
		rows, err := s.client.DegradedMode.Query().Where(unfinished()).Order(degradedmode.ByFiledAt()).Select(degradedmode.FieldID, degradedmode.FieldRevision).All(ctx)
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
		return t.advance(before, after)
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
