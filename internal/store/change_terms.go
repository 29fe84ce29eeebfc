package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/catalogrecord"
	"keyholder/ent/planversion"
	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// ground is what is in force of what some terms would change.
type ground struct {
	CatalogVersion
	stands map[catalog.Ref]Standing
	plans  map[string]*ent.PlanVersion // the newest version of each
}

// groundOf loads what is in force of what terms would change.
func (s *Store) groundOf(ctx context.Context, c *ent.Client, terms change.Terms) (g ground, err error) {
	newest, err := newestCatalog(ctx, c)
	if err == nil && newest > 0 {
		g.CatalogVersion, err = s.CatalogAt(ctx, newest)
	}
	if err != nil {
		return g, err
	}
	slugs := map[catalog.Kind][]string{}
	for _, r := range terms.Records {
		slugs[r.Kind] = append(slugs[r.Kind], r.Slug)
	}
	g.stands = map[catalog.Ref]Standing{}
	for kind, all := range slugs {
		for some := range slices.Chunk(all, rowsAtOnce) {
			rows, err := c.CatalogRecord.Query().Where(catalogrecord.Kind(string(kind)), catalogrecord.SlugIn(some...), catalogrecord.UntilIsNil()).All(ctx)
			if err != nil {
				return g, fmt.Errorf("load what is in force: %w", err)
			}
			for _, row := range rows {
				e, err := entryOf(row)
				if err != nil {
					return g, err
				}
				g.stands[e.Ref] = Standing{e, row.Since, row.Managed, row.Locked}
			}
		}
	}
	g.plans = map[string]*ent.PlanVersion{}
	for _, p := range terms.Plans {
		row, err := c.PlanVersion.Query().Where(planversion.Slug(p.Slug)).Order(planversion.ByVersion(sql.OrderDesc())).First(ctx)
		if err != nil && !ent.IsNotFound(err) {
			return g, fmt.Errorf("find plan %s: %w", p.Slug, err)
		}
		g.plans[p.Slug] = row
	}
	return g, nil
}

func (g ground) planVersion(slug string) int {
	if row := g.plans[slug]; row != nil {
		return row.Version
	}
	return 0
}

// tryTerms refuses terms that are based on something else than what is in force, or that would be wrong in force.
func (s *Store) tryTerms(t *tx, terms change.Terms) (CatalogVersion, error) {
	g, err := s.groundOf(t.ctx, t.Client(), terms)
	if err != nil {
		return g.CatalogVersion, err
	}
	late := func(what string) error {
		return fault.Late(RuleEditedMeanwhile, "%s has been changed since this was put together. Look at both, and go on from there.", what)
	}
	for _, r := range terms.Records {
		if g.stands[r.Ref].Since != r.Base {
			return g.CatalogVersion, late(catalog.Words(r.String()))
		}
	}
	for _, p := range terms.Plans {
		if g.planVersion(p.Slug) != p.Base {
			return g.CatalogVersion, late("Plan " + p.Slug)
		}
	}
	changes, err := terms.Changes()
	if err != nil {
		return g.CatalogVersion, err
	}
	after, err := g.With(changes)
	if err == nil {
		err = s.mayChange(t, g.Catalog, after, changes)
	}
	if err == nil {
		err = t.holds(after, changes)
	}
	if err == nil {
		err = t.ordersFit(after, changes, terms.Plans)
	}
	return g.CatalogVersion, err
}

// TryTerms says what is wrong with terms as a proposal of somebody, and changes nothing.
func (s *Store) TryTerms(ctx context.Context, by access.Person, terms change.Terms) error {
	err := s.act(ctx, by, func(t *tx) error {
		if _, err := s.tryTerms(t, terms); err != nil {
			return err
		}
		return errPreview
	})
	if errors.Is(err, errPreview) {
		return nil
	}
	return err
}

// rowsOf are the records of terms as the database takes them.
func (t *tx) rowsOf(terms change.Terms) ([]newRecord, error) {
	rows := make([]newRecord, len(terms.Records))
	for i, r := range terms.Records {
		c, err := r.Change()
		if err != nil {
			return nil, err
		}
		rows[i] = newRecord{Change: c, stood: r.Base > 0, managed: r.Managed, locked: r.Locked}
		if err := rows[i].write(); err != nil { // digests are said of all
			return nil, err
		}
	}
	return rows, nil
}

// Meanwhile is what somebody else has done to what a request would change.
type Meanwhile struct {
	catalog.Ref        // nothing where it is a plan
	Name        string //
	Lines       []string
}

// Rebased are terms as they read on what is in force now.
type Rebased struct {
	Terms     change.Terms
	Now       CatalogVersion
	Meanwhile []Meanwhile
}

// Rebase says how terms read on what is in force now: what others have changed meanwhile stays, where these leave it alone, and
// what is in force already is left out.
func (s *Store) Rebase(ctx context.Context, terms change.Terms, at time.Time) (Rebased, error) {
	return s.rebase(ctx, s.client, terms, at)
}

func (s *Store) rebase(ctx context.Context, c *ent.Client, terms change.Terms, at time.Time) (b Rebased, err error) {
	g, err := s.groundOf(ctx, c, terms)
	if err != nil {
		return b, err
	}
	b.Now = g.CatalogVersion
	for _, r := range terms.Records {
		stands, there := g.stands[r.Ref]
		if stands.Since != r.Base {
			m, err := s.onto(ctx, &r, stands, there)
			if err != nil {
				return b, err
			}
			b.Meanwhile = append(b.Meanwhile, m)
		}
		same, err := inForceAlready(r, stands, there)
		if err != nil {
			return b, err
		}
		if !same {
			b.Terms.Records = append(b.Terms.Records, r)
		}
	}
	for _, p := range terms.Plans {
		now := g.plans[p.Slug]
		if now != nil && bytes.Equal(now.Body, p.Body) {
			continue
		}
		if version := g.planVersion(p.Slug); version != p.Base {
			b.Meanwhile = append(b.Meanwhile, Meanwhile{Name: p.Slug, Lines: []string{fmt.Sprintf("The plan was published anew, as version %d.", version)}})
			p.Base = version
		}
		b.Terms.Plans = append(b.Terms.Plans, p)
	}
	rules, err := b.Terms.RulesOf(g.Catalog, at)
	if fault.As(err) != nil {
		return b, nil // no policy: filing says so, and nobody can vote
	}
	if err == nil {
		b.Terms.Rules, err = rules.Digest()
	}
	return b, err
}

// inForceAlready says whether a record of terms would change nothing.
func inForceAlready(r change.Record, stands Standing, there bool) (bool, error) {
	if len(r.Body) == 0 || !there {
		return len(r.Body) == 0 && !there, nil
	}
	body, err := stands.Body()
	return bytes.Equal(body, r.Body) && stands.Managed == r.Managed && stands.Locked == r.Locked, err
}

// onto puts a record of terms on top of what stands now.
func (s *Store) onto(ctx context.Context, r *change.Record, stands Standing, there bool) (m Meanwhile, err error) {
	var before, theirs any
	if r.Base > 0 {
		version, err := s.CatalogAt(ctx, r.Base)
		if err != nil {
			return m, err
		}
		if e, ok := version.Entry(r.Ref); ok {
			before = e.Record
		}
	}
	m = Meanwhile{Ref: r.Ref, Name: stands.Name}
	r.Base = 0
	if there {
		theirs, r.Base = stands.Record, stands.Since
	} else {
		m.Name, m.Lines = r.Slug, []string{"It was retired."}
	}
	if there {
		for _, d := range r.Kind.Differences(before, theirs) {
			m.Lines = append(m.Lines, d.String())
		}
	}
	if len(r.Body) == 0 || before == nil || theirs == nil {
		return m, nil
	}
	mine, err := r.Change()
	if err != nil {
		return m, err
	}
	r.Body, err = (catalog.Entry{Ref: r.Ref, Record: r.Kind.Merge(before, mine.Record, theirs)}).Body()
	return m, err
}

// planTerm is a plan as terms name it; nothing where it is in force already.
func (t *tx) planTerm(p failover.Plan) (*change.Plan, error) {
	body, digest, err := planBody(p)
	if err != nil {
		return nil, err
	}
	newest, err := t.newestPlan(p.Slug)
	if err != nil {
		return nil, err
	}
	term := change.Plan{Slug: p.Slug, Body: body}
	if newest != nil {
		if newest.Digest == digest {
			return nil, nil
		}
		term.Base = newest.Version
	}
	return &term, nil
}
