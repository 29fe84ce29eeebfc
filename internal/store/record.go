package store

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/auditevent"
	"keyholder/internal/audit"
)

// Filter chooses lines of the record. Empty fields choose all.
type Filter struct {
	Object  string
	Actor   string // a person's id
	Action  string
	Outcome string
	Before  int64 // only lines before this place; 0: from the newest
	Limit   int
}

// Line is one line of the record as it was kept.
type Line struct {
	audit.Event
	Digest string `json:"digest"`
	Open   bool   `json:"open,omitempty"` // an intent that never got its outcome
}

// Record loads lines, newest first. An intent is open where no outcome names its act.
func (s *Store) Record(ctx context.Context, f Filter) ([]Line, error) {
	q := s.client.AuditEvent.Query()
	if f.Object != "" {
		q = q.Where(auditevent.Object(f.Object))
	}
	if f.Actor != "" {
		q = q.Where(auditevent.ActorID(f.Actor))
	}
	if f.Action != "" {
		q = q.Where(auditevent.Action(f.Action))
	}
	if f.Outcome != "" {
		q = q.Where(auditevent.OutcomeEQ(f.Outcome))
	}
	if f.Before > 0 {
		q = q.Where(auditevent.IDLT(f.Before))
	}
	rows, err := q.Order(auditevent.ByID(sql.OrderDesc())).Limit(f.Limit).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the record: %w", err)
	}
	return s.lines(ctx, rows)
}

func (s *Store) lines(ctx context.Context, rows []*ent.AuditEvent) ([]Line, error) {
	lines := make([]Line, len(rows))
	var intents []string
	for i, row := range rows {
		event, err := audit.Read(row.Body)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", row.ID, err)
		}
		lines[i] = Line{Event: event, Digest: row.Digest}
		if event.Outcome == audit.Intent {
			intents = append(intents, event.Act)
		}
	}
	if len(intents) == 0 {
		return lines, nil
	}
	settled, err := s.client.AuditEvent.Query().
		Where(auditevent.ActIn(intents...), auditevent.OutcomeNEQ(string(audit.Intent))).
		Select(auditevent.FieldAct).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("match intents with outcomes: %w", err)
	}
	has := map[string]bool{}
	for _, act := range settled {
		has[act] = true
	}
	for i := range lines {
		lines[i].Open = lines[i].Outcome == audit.Intent && !has[lines[i].Act]
	}
	return lines, nil
}
