package store

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/factsheet"
	"keyholder/ent/incident"
	"keyholder/ent/planversion"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// ClosedIncidents loads n incidents that were closed, newest first, opened before a moment; the zero moment is now.
func (s *Store) ClosedIncidents(ctx context.Context, before time.Time, n int) ([]Incident, error) {
	q := s.client.Incident.Query().Where(incident.ClosedAtNotNil())
	if !before.IsZero() {
		q = q.Where(incident.OpenedAtLT(before.UTC()))
	}
	rows, err := q.Order(incident.ByOpenedAt(sql.OrderDesc())).Limit(n).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load closed incidents: %w", err)
	}
	incidents := make([]Incident, len(rows))
	for i, row := range rows {
		incidents[i] = incidentOf(row)
	}
	return incidents, nil
}

// PlanVersions loads every version of a plan, newest first.
func (s *Store) PlanVersions(ctx context.Context, slug string) ([]Published[failover.Plan], error) {
	rows, err := s.client.PlanVersion.Query().Where(planversion.Slug(slug)).
		Order(planversion.ByVersion(sql.OrderDesc())).Limit(50).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load versions of plan %s: %w", slug, err)
	}
	if len(rows) == 0 {
		return nil, fault.Missing("plan", slug)
	}
	versions := make([]Published[failover.Plan], len(rows))
	for i, row := range rows {
		if versions[i], err = s.plan(row); err != nil {
			return nil, err
		}
	}
	return versions, nil
}

// SheetsOf loads the sheets of a request that decisions name, by digest, in one query.
func (s *Store) SheetsOf(ctx context.Context, r failover.Request) (map[string]KeptSheet, error) {
	return readOnce(ctx, "sheets of "+r.ID, func() (map[string]KeptSheet, error) {
		digests := make([]string, 0, len(r.Decisions))
		for _, d := range r.Decisions {
			digests = append(digests, d.Sheet)
		}
		rows, err := s.sheets(ctx, r.ID, digests)
		if err != nil {
			return nil, err
		}
		kept := map[string]KeptSheet{}
		for _, row := range rows {
			if kept[row.Digest], err = keptSheet(row); err != nil {
				return nil, err
			}
		}
		return kept, nil
	})
}

func (s *Store) sheets(ctx context.Context, requestID string, digests []string) ([]*ent.FactSheet, error) {
	if len(digests) == 0 {
		return nil, nil
	}
	rows, err := s.client.FactSheet.Query().
		Where(factsheet.RequestID(requestID), factsheet.DigestIn(digests...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load fact sheets: %w", err)
	}
	return rows, nil
}
