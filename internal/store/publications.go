package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/planversion"
	"keyholder/ent/request"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/canonical"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// Published is one version of a plan.
type Published[T any] struct {
	What    T
	Slug    string
	Version int
	Digest  string
	By      string
	At      time.Time
}

// read decodes a published body once; a version never changes.
func read[T any](kept *sync.Map, slug string, version int, digest string, body []byte, by string, at time.Time) (Published[T], error) {
	key := fmt.Sprintf("%s/%d", slug, version)
	if p, ok := kept.Load(key); ok {
		return p.(Published[T]), nil
	}
	p := Published[T]{Slug: slug, Version: version, Digest: digest, By: by, At: at}
	if err := json.Unmarshal(body, &p.What); err != nil {
		return p, fmt.Errorf("read %s version %d: %w", slug, version, err)
	}
	kept.Store(key, p)
	return p, nil
}

func (s *Store) plan(row *ent.PlanVersion) (Published[failover.Plan], error) {
	return read[failover.Plan](&s.plans, row.Slug, row.Version, row.Digest, row.Body, row.PublishedBy, row.PublishedAt)
}

// Plans loads the version in force of every plan, by slug.
func (s *Store) Plans(ctx context.Context) ([]Published[failover.Plan], error) {
	return readOnce(ctx, "plans", func() ([]Published[failover.Plan], error) {
		rows, err := s.client.PlanVersion.Query().
			Order(planversion.BySlug(), planversion.ByVersion(sql.OrderDesc())).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load plans: %w", err)
		}
		rows = slices.CompactFunc(rows, func(a, b *ent.PlanVersion) bool { return a.Slug == b.Slug })
		plans := make([]Published[failover.Plan], len(rows))
		for i, row := range rows {
			if plans[i], err = s.plan(row); err != nil {
				return nil, err
			}
		}
		return plans, nil
	})
}

// Plan loads one version of a plan; version 0 is the one in force.
func (s *Store) Plan(ctx context.Context, slug string, version int) (Published[failover.Plan], error) {
	key := fmt.Sprintf("%s/%d", slug, version)
	if p, ok := s.plans.Load(key); ok {
		return p.(Published[failover.Plan]), nil
	}
	return readOnce(ctx, "plan "+key, func() (Published[failover.Plan], error) {
		q := s.client.PlanVersion.Query().Where(planversion.Slug(slug))
		if version > 0 {
			q = q.Where(planversion.Version(version))
		}
		row, err := q.Order(planversion.ByVersion(sql.OrderDesc())).First(ctx)
		if ent.IsNotFound(err) {
			return Published[failover.Plan]{}, fault.Missing("plan", slug)
		}
		if err != nil {
			return Published[failover.Plan]{}, fmt.Errorf("load plan %s: %w", slug, err)
		}
		return s.plan(row)
	})
}

// planBody is a plan in canonical form, with its digest.
func planBody(p failover.Plan) (body []byte, digest string, err error) {
	if body, err = canonical.JSON(p); err != nil {
		return nil, "", fmt.Errorf("write plan %s: %w", p.Slug, err)
	}
	digest, err = p.Digest()
	return body, digest, err
}

// newestPlan is the version of a plan that is in force; nil where there is none.
func (t *tx) newestPlan(slug string) (*ent.PlanVersion, error) {
	row, err := t.PlanVersion.Query().Where(planversion.Slug(slug)).Order(planversion.ByVersion(sql.OrderDesc())).First(t.ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find plan %s: %w", slug, err)
	}
	return row, nil
}

// publishPlan puts a validated plan in force, on the word of somebody. Votes on open requests of its older versions are void from then on.
func (t *tx) publishPlan(p failover.Plan, by string) (Applied, error) {
	body, digest, err := planBody(p)
	if err != nil {
		return nil, err
	}
	newest, err := t.newestPlan(p.Slug)
	if err != nil {
		return nil, err
	}
	version := 1
	if newest != nil {
		if newest.Digest == digest {
			return nil, nil
		}
		version = newest.Version + 1
	}
	err = t.PlanVersion.Create().SetSlug(p.Slug).SetVersion(version).SetDigest(digest).SetBody(body).
		SetPublishedBy(by).SetPublishedAt(t.now).Exec(t.ctx)
	if err != nil {
		return nil, fmt.Errorf("save plan %s version %d: %w", p.Slug, version, err)
	}
	text := fmt.Sprintf("Version %d of plan %s was published.", version, p.Slug)
	t.record(audit.Event{Action: "plan.publish", Object: p.Slug, Text: text, Detail: detail(map[string]any{"version": version, "digest": digest})})
	if err := t.voidVotes(text, func(r failover.Request) (bool, error) { return r.Terms.Plan == p.Slug, nil }); err != nil {
		return nil, err
	}
	return Applied{text}, t.voidChanges(text, func(r change.Request) (bool, error) {
		return slices.ContainsFunc(r.Terms.Plans, func(other change.Plan) bool { return other.Slug == p.Slug }), nil
	})
}

// voidVotes voids the votes of the open requests that something newly in force touches, until their requesters confirm.
func (t *tx) voidVotes(why string, touches func(failover.Request) (bool, error)) error {
	rows, err := t.Request.Query().Where(request.StateEQ(approval.Requested)).All(t.ctx)
	if err != nil {
		return fmt.Errorf("find open requests: %w", err)
	}
	for _, row := range rows {
		r := requestOf(row, nil)
		touched, err := touches(r)
		if err != nil {
			return err
		}
		if !touched {
			continue
		}
		if r, err = r.VoidVotes(); err != nil {
			return err
		}
		if err := t.saveRequest(r); err != nil {
			return err
		}
		t.record(audit.Event{
			Action: "request.void-votes", Object: r.Code,
			Text: fmt.Sprintf("Votes on %s are void: %s %s must confirm the difference.", r.Code, why, r.Owner()),
		})
	}
	return nil
}
