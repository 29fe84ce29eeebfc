package store

import (
	"context"
	"fmt"

	"keyholder/ent/outbox"
	"keyholder/internal/access"
)

// nobody is the actor of what no person does and no record tells of.
var nobody = access.Person{}

// Change is the change sequence: a page made before it moved may be old. Whoever asks several times a second has what every page needs
// of access read when it changes, so that no page has to.
func (s *Store) Change(ctx context.Context) (int64, error) {
	at, err := s.moment(ctx)
	if err != nil {
		return 0, err
	}
	_, err = s.openAccessAt(ctx, at)
	return at.change, err
}

// moment is a place in the history of the database. The numbers only grow, together with what they count; a new catalogue is a change.
type moment struct {
	change, readings int64
	access           int64 // how often something about access was saved, which is a change
	clock            int64 // the highest time that was ever kept, in microseconds
	catalog          int   // its newest version; 0 where there is none
}

func (m moment) before(n moment) bool { return m.change < n.change || m.readings < n.readings }

// moment reads where the database stands. Every page asks it, and every portal four times a second, so it asks without
// ent, which would take longer to write the query than the database to answer it.
func (s *Store) moment(ctx context.Context) (at moment, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT change, readings, access, clock, (SELECT COALESCE(MAX(version), 0) FROM catalog_versions) FROM heads").
		Scan(&at.change, &at.readings, &at.access, &at.clock, &at.catalog)
	if err != nil {
		return at, fmt.Errorf("read the change sequence: %w", err)
	}
	return at, nil
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

// Started notes that some workflows run.
func (s *Store) Started(ctx context.Context, ids ...int) error {
	if len(ids) == 0 {
		return nil
	}
	return s.act(ctx, nobody, func(t *tx) error {
		if err := t.Outbox.Update().Where(outbox.IDIn(ids...)).SetDoneAt(t.now).Exec(ctx); err != nil {
			return fmt.Errorf("mark outbox rows %v: %w", ids, err)
		}
		return nil
	})
}
