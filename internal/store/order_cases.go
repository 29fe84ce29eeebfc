package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/incident"
	"keyholder/ent/request"
	"keyholder/ent/run"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// orderCase loads all that says whether an order may act by itself now. since is the version of the catalogue that it stands since;
// called is since when its signals are bad, zero where they are not.
func (s *Store) orderCase(ctx context.Context, db *ent.Client, o catalog.StandingOrder, since int, called, now time.Time) (c failover.OrderCase, err error) {
	c.Order = o
	if c.Stated, err = statedOtherwise(ctx, db, o); err != nil {
		return c, err
	}
	terms := failover.OrderTerms(o)
	if c.Stated.Incident != "" {
		terms.Cause = c.Stated.Cause
	}
	if terms, err = s.TermsNow(ctx, terms, now); err != nil {
		return c, err
	}
	impact := called
	if impact.IsZero() {
		impact = now
	}
	if c.Situation, err = s.situation(ctx, db, terms, impact, now); err != nil {
		return c, err
	}
	then, err := s.CatalogAt(ctx, since)
	if err != nil {
		return c, err
	}
	c.Then = then.Catalog
	if c.Approved, _, err = s.orderBallot(ctx, db, o, since); err != nil {
		return c, err
	}
	if c.LastRun, err = lastMoved(ctx, db, terms.DataSet, now.Add(-o.Apart.D())); err != nil || called.IsZero() {
		return c, err
	}
	c.Against, err = decidedAgainst(ctx, db, terms.DataSet, called)
	return c, err
}

// statedOtherwise is the newest open incident about what an order moves that states another known cause than the order.
func statedOtherwise(ctx context.Context, db *ent.Client, o catalog.StandingOrder) (failover.Stated, error) {
	open, err := openIncidentsOf(ctx, db, o.Services)
	if err != nil {
		return failover.Stated{}, err
	}
	for _, row := range open {
		if row.Cause.Contradicts(o) {
			return failover.Stated{Incident: row.Code, Cause: row.Cause}, nil
		}
	}
	return failover.Stated{}, nil
}

// openIncidentsOf are the open incidents about some of the services, newest first.
func openIncidentsOf(ctx context.Context, db *ent.Client, services []string) ([]*ent.Incident, error) {
	open, err := db.Incident.Query().Where(incident.ClosedAtIsNil()).Order(incident.ByOpenedAt(sql.OrderDesc())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for an incident: %w", err)
	}
	return slices.DeleteFunc(open, func(row *ent.Incident) bool {
		return !slices.ContainsFunc(row.Services, func(s string) bool { return slices.Contains(services, s) })
	}), nil
}

// decidedAgainst is the last request to move some data that people rejected or withdrew since some moment.
func decidedAgainst(ctx context.Context, db *ent.Client, dataSet string, since time.Time) (failover.Against, error) {
	rows, err := db.Request.Query().Where(request.StateIn(approval.Rejected, approval.Withdrawn), request.DecidedAtGTE(since)).
		Order(request.ByDecidedAt(sql.OrderDesc())).All(ctx)
	if err != nil {
		return failover.Against{}, fmt.Errorf("look what people decided: %w", err)
	}
	for _, row := range rows {
		if row.Terms.DataSet != dataSet {
			continue
		}
		if row.State == approval.Withdrawn {
			switch _, person, err := withdrawn(ctx, db, row.Code); {
			case err != nil:
				return failover.Against{}, err
			case !person:
				continue // an order's own, which was too late
			}
		}
		return failover.Against{Code: row.Code, State: row.State, At: row.DecidedAt.UTC()}, nil
	}
	return failover.Against{}, nil
}

// orderBallot is how an order was approved, counted with the roles that those who did hold now, and the question by which it was;
// nothing where it came about otherwise.
func (s *Store) orderBallot(ctx context.Context, c *ent.Client, o catalog.StandingOrder, since int) (*approval.Ballot, approval.Question, error) {
	asked, ok, err := questionOfVersion(ctx, c, since)
	if err != nil || !ok {
		return nil, asked, err
	}
	now, err := s.Catalog(ctx)
	if err != nil {
		return nil, asked, err
	}
	rules, err := approval.OrderRules(now.Catalog, o)
	if err != nil && fault.As(err) == nil {
		return nil, asked, err
	}
	yes, no := sides(asked)
	b, err := s.balloted(ctx, c, rules, asked.Requester, yes, no)
	b.Faceless = faceless(asked.Requester)
	return &b, asked, err
}

// lastMoved is when a run of some data last began since some moment; zero where none did.
func lastMoved(ctx context.Context, db *ent.Client, dataSet string, since time.Time) (time.Time, error) {
	rows, err := db.Run.Query().Where(run.StartedAtGT(since)).Order(run.ByStartedAt(sql.OrderDesc())).All(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("find runs of the same data: %w", err)
	}
	for _, row := range rows {
		if row.Terms.DataSet == dataSet {
			return row.StartedAt.UTC(), nil
		}
	}
	return time.Time{}, nil
}
