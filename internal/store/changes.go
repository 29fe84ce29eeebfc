package store

import (
	"context"
	"fmt"

	"keyholder/ent/head"
	"keyholder/ent/outbox"
	"keyholder/internal/failover"
)

// nobody is the actor of what no person does and no record tells of.
var nobody = failover.Person{}

// Change is the change sequence: a page made before it moved may be old.
func (s *Store) Change(ctx context.Context) (int64, error) {
	row, err := s.client.Head.Query().Where(head.ID(headID)).Only(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the change sequence: %w", err)
	}
	return row.Change, nil
}

// Start is a workflow that is to be started.
type Start struct {
	ID   int
	Code string
}

// Starts lists the workflows that are to be started, oldest first.
func (s *Store) Starts(ctx context.Context) ([]Start, error) {
	rows, err := s.client.Outbox.Query().Where(outbox.DoneAtIsNil()).Order(outbox.ByID()).Limit(100).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	starts := make([]Start, len(rows))
	for i, row := range rows {
		starts[i] = Start{ID: row.ID, Code: row.Code}
	}
	return starts, nil
}

// Started notes that the workflow runs.
func (s *Store) Started(ctx context.Context, id int) error {
	return s.act(ctx, nobody, func(t *tx) error {
		if err := t.Outbox.UpdateOneID(id).SetDoneAt(t.now).Exec(ctx); err != nil {
			return fmt.Errorf("mark outbox row %d: %w", id, err)
		}
		return nil
	})
}
