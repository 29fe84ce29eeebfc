package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// Bundle is what files hold: records of the catalogue, and plans.
type Bundle struct {
	Records []catalog.Entry
	Plans   []failover.Plan
}

// Catalog is the records of the bundle on top of a catalogue.
func (b Bundle) Catalog(base catalog.Catalog) (catalog.Catalog, error) {
	changes := make([]catalog.Change, len(b.Records))
	for i, e := range b.Records {
		changes[i] = catalog.Change{Ref: e.Ref, Record: e.Record}
	}
	return base.With(changes)
}

// Manner is how files are applied.
type Manner struct {
	Source string // the commit that they come from
	Why    string
	Prune  bool // retire what files managed before and do not hold any more
	Lock   bool // let nothing but files change them from now on
	Base   int  // the version of the catalogue that whoever applies has seen; 0 is any
}

// Applied says what applying a bundle changed, a line each; nothing where everything was there already.
type Applied []string

// Apply puts a validated bundle in force, all or nothing. What is the same already is left alone, so applying twice
// changes nothing. What takes a second person is refused; ProposeBundle asks for it.
func (s *Store) Apply(ctx context.Context, actor access.Person, b Bundle, m Manner) (Applied, error) {
	var applied Applied
	err := s.personal(ctx, actor, "catalog.apply", "catalog", func(t *tx) (err error) {
		if err := t.stillAt(m.Base); err != nil {
			return err
		}
		rows, err := t.differing(b, m)
		if err != nil {
			return err
		}
		two, err := s.takesTwo(t, b, rows)
		if err != nil {
			return err
		}
		if two {
			return byTwo()
		}
		applied, err = s.apply(t, b, m, rows)
		return err
	})
	return applied, err
}

// takesTwo says whether a bundle changes what one person does not change alone.
func (s *Store) takesTwo(t *tx, b Bundle, rows []newRecord) (bool, error) {
	now, err := s.Catalog(t.ctx)
	if err != nil || !approval.Governed(now.Catalog, t.now) {
		return false, err
	}
	for _, row := range rows {
		old, _ := now.Entry(row.Ref)
		if row.Kind.NeedsTwo(old.Record, row.Record) || row.reheld && row.Kind.NeedsTwo(nil, row.Record) {
			return true, nil
		}
	}
	for _, p := range b.Plans {
		if term, err := t.planTerm(p); err != nil || term != nil {
			return true, err
		}
	}
	return false, nil
}

// ProposeBundle files a change request for all that a bundle changes.
func (s *Store) ProposeBundle(ctx context.Context, by access.Person, id string, b Bundle, m Manner) (change.Request, error) {
	var filed change.Request
	err := s.personal(ctx, by, "change.file", "catalog", func(t *tx) error {
		if err := t.stillAt(m.Base); err != nil {
			return err
		}
		terms, err := t.termsOf(b, m)
		if err != nil {
			return err
		}
		filed, err = s.propose(t, Proposal{ID: id, Terms: terms, Why: m.Why, Source: m.Source})
		return err
	})
	return filed, err
}

// termsOf are what a bundle changes.
func (t *tx) termsOf(b Bundle, m Manner) (change.Terms, error) {
	var terms change.Terms
	rows, err := t.differing(b, m)
	if err != nil {
		return terms, err
	}
	for i := range rows {
		row := &rows[i]
		if err := row.write(); err != nil {
			return terms, err
		}
		terms.Records = append(terms.Records, change.Record{Ref: row.Ref, Body: row.body, Base: row.since, Managed: row.managed, Locked: row.locked})
	}
	for _, p := range b.Plans {
		term, err := t.planTerm(p)
		if err != nil {
			return terms, err
		}
		if term != nil {
			terms.Plans = append(terms.Plans, *term)
		}
	}
	return terms, nil
}

func (s *Store) apply(t *tx, b Bundle, m Manner, rows []newRecord) (Applied, error) {
	var applied Applied
	if len(rows) > 0 {
		version, err := s.changeCatalog(t, "catalog.apply", CatalogChange{Why: m.Why, Source: m.Source}, rows)
		if err != nil {
			return nil, err
		}
		applied = append(applied, fmt.Sprintf("Catalogue version %d: %d records changed.", version, len(rows)))
	}
	for _, p := range b.Plans {
		line, err := t.publishPlan(p, t.actor.Name)
		if err != nil {
			return nil, err
		}
		applied = append(applied, line...)
	}
	return applied, nil
}

// stillAt refuses what was decided on another version of the catalogue than the one in force.
func (t *tx) stillAt(base int) error {
	newest, err := newestCatalog(t.ctx, t.Client())
	if err != nil || base == 0 || newest == base {
		return err
	}
	return fault.Late(RuleEditedMeanwhile, "The catalogue has changed since this was shown: it was version %d, and is %d now. Look at what would change, and apply again.", base, newest)
}

// differing lists the records of a bundle that are not in force as it says.
func (t *tx) differing(b Bundle, m Manner) ([]newRecord, error) {
	stands, err := allInForce(t.ctx, t.Client())
	if err != nil {
		return nil, err
	}
	all := make([]newRecord, len(b.Records))
	held := make(map[catalog.Ref]bool, len(all))
	for i, e := range b.Records {
		now, stood := stands[e.Ref]
		all[i] = newRecord{Change: catalog.Change{Ref: e.Ref, Record: e.Record}, stood: stood, since: now.since, managed: true, locked: m.Lock}
		held[e.Ref] = true
	}
	err = inParallel(len(all), func(i int) error {
		if !all[i].stood {
			return nil // there is nothing to compare it with yet
		}
		return all[i].write()
	})
	if err != nil {
		return nil, err
	}
	var rows []newRecord
	for _, row := range all {
		now := stands[row.Ref]
		row.reheld = row.stood && (!now.managed || now.locked != m.Lock)
		if !row.stood || !bytes.Equal(now.body, row.body) || row.reheld {
			rows = append(rows, row)
		}
	}
	if m.Prune {
		for ref, now := range stands {
			if now.managed && !held[ref] {
				rows = append(rows, newRecord{Change: catalog.Change{Ref: ref}, stood: true, since: now.since})
			}
		}
	}
	slices.SortFunc(rows, func(a, b newRecord) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Slug, b.Slug))
	})
	return rows, nil
}

// errPreview ends a transaction that only wanted to know what would come of it.
var errPreview = errors.New("this was only a preview")

// Preview is what applying a bundle would change.
type Preview struct {
	Base    int // the version of the catalogue that it would change
	Changes []RecordChange
	Applied Applied // what applying would say
	ByTwo   bool    // a second person must approve it
}

// Preview says what applying a bundle would change, and changes nothing.
func (s *Store) Preview(ctx context.Context, b Bundle, m Manner) (p Preview, err error) {
	var rows []newRecord
	err = s.act(ctx, nobody, func(t *tx) (err error) {
		if rows, err = t.differing(b, m); err != nil {
			return err
		}
		if p.ByTwo, err = s.takesTwo(t, b, rows); err != nil {
			return err
		}
		if p.Applied, err = s.apply(t, b, m, rows); err != nil {
			return err
		}
		return errPreview
	})
	if !errors.Is(err, errPreview) {
		return Preview{}, err
	}
	now, err := s.Catalog(ctx)
	if err != nil {
		return Preview{}, err
	}
	p.Base, p.Changes = now.Version, make([]RecordChange, len(rows))
	for i, row := range rows {
		old, _ := now.Entry(row.Ref)
		p.Changes[i] = RecordChange{Entry: catalog.Entry{Ref: row.Ref, Name: old.Name, Record: row.Record}, Before: old.Record, Managed: row.managed, Locked: row.locked}
	}
	return p, nil
}

// Export is all that is in force: what an empty database needs to say the same.
func (s *Store) Export(ctx context.Context) (Bundle, error) {
	now, err := s.Catalog(ctx)
	if err != nil {
		return Bundle{}, err
	}
	b := Bundle{Records: slices.Collect(now.Entries())}
	plans, err := s.Plans(ctx)
	for _, p := range plans {
		b.Plans = append(b.Plans, p.What)
	}
	return b, err
}
