package store

import (
	"context"
	"fmt"
	"time"

	"keyholder/ent"
	"keyholder/ent/outletreport"
	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// OutletReport is the last that an outlet said of itself.
type OutletReport struct {
	QueuedValue    float64   // money that it has sold for and not handed over yet
	QueuedOrders   int       //
	SynchronisedAt time.Time // when it last handed everything over
	At             time.Time // when it said so
}

// ReportOutlet keeps what an outlet says of itself, in the place of what it said before. It is not audited: nobody decides
// anything.
func (s *Store) ReportOutlet(ctx context.Context, _ access.Principal, slug string, r OutletReport) error {
	version, err := s.Catalog(ctx)
	if err != nil {
		return err
	}
	if !version.Has(catalog.KindOutlet, slug) {
		return fault.Missing("outlet", slug)
	}
	wrong := fault.Wrong{}
	if r.QueuedValue < 0 || r.QueuedValue > catalog.LargestNumber || r.QueuedValue != r.QueuedValue {
		wrong.Add("queued_value", "must not be negative, nor absurdly large")
	}
	if r.QueuedOrders < 0 {
		wrong.Add("queued_orders", "must not be negative")
	}
	if r.SynchronisedAt.IsZero() || r.SynchronisedAt.After(s.Now().Add(time.Minute)) {
		wrong.Add("synchronised_at", "must be a time that is over")
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	return s.act(ctx, nobody, func(t *tx) error {
		t.read = true // as a signal is read: no news that pages must be drawn anew for
		err := t.OutletReport.Create().SetID(slug).SetQueuedValue(r.QueuedValue).SetQueuedOrders(r.QueuedOrders).
			SetSynchronisedAt(r.SynchronisedAt.UTC()).SetAt(t.now).
			OnConflictColumns(outletreport.FieldID).UpdateNewValues().Exec(ctx)
		if err != nil {
			return fmt.Errorf("keep what outlet %s says: %w", slug, err)
		}
		return nil
	})
}

// OutletReport is the last that an outlet said of itself; nil where it never did.
func (s *Store) OutletReport(ctx context.Context, slug string) (*OutletReport, error) {
	return readOnce(ctx, "outlet "+slug, func() (*OutletReport, error) {
		row, err := s.client.OutletReport.Get(ctx, slug)
		if ent.IsNotFound(err) {
			return nil, nil //nolint:nilnil // there is none, which is no failure
		}
		if err != nil {
			return nil, fmt.Errorf("load what outlet %s says: %w", slug, err)
		}
		return &OutletReport{row.QueuedValue, row.QueuedOrders, row.SynchronisedAt.UTC(), row.At.UTC()}, nil
	})
}
