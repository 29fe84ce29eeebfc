package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/catalogrecord"
	"keyholder/ent/catalogversion"
	"keyholder/ent/predicate"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// CatalogVersion is the catalogue as it stood from one change of it to the next.
type CatalogVersion struct {
	catalog.Catalog
	CatalogChange
}

// CatalogChange is one change of the catalogue.
type CatalogChange struct {
	Version int
	By      string
	At      time.Time
	Why     string
	Source  string // the commit that files came from
	Records int    // how many it changed
}

func changeOf(row *ent.CatalogVersion) CatalogChange {
	return CatalogChange{row.Version, row.AppliedBy, row.AppliedAt.UTC(), row.Why, row.Source, row.Changes}
}

// Catalog loads the catalogue in force; an empty one where none was ever applied.
func (s *Store) Catalog(ctx context.Context) (CatalogVersion, error) {
	if h, ok := ctx.Value(heldKey{}).(held); ok {
		return h.version, nil
	}
	return readOnce(ctx, "catalog", func() (CatalogVersion, error) {
		newest, err := s.newestCatalog(ctx)
		if err != nil || newest == 0 {
			return CatalogVersion{}, err
		}
		return s.CatalogAt(ctx, newest)
	})
}

func (s *Store) newestCatalog(ctx context.Context) (int, error) {
	if at, ok := ctx.Value(asOfKey{}).(*snapshot); ok {
		return at.catalog, nil
	}
	return newestCatalog(ctx, s.client)
}

// newestCatalog is the version in force; 0 where there is none.
func newestCatalog(ctx context.Context, c *ent.Client) (int, error) {
	row, err := c.CatalogVersion.Query().Order(catalogversion.ByVersion(sql.OrderDesc())).Select(catalogversion.FieldVersion).First(ctx)
	if ent.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find the catalogue: %w", err)
	}
	return row.Version, nil
}

// CatalogOn loads the catalogue that was in force at a moment.
func (s *Store) CatalogOn(ctx context.Context, at time.Time) (CatalogVersion, error) {
	row, err := s.client.CatalogVersion.Query().Where(catalogversion.AppliedAtLTE(at)).
		Order(catalogversion.ByVersion(sql.OrderDesc())).Select(catalogversion.FieldVersion).First(ctx)
	if ent.IsNotFound(err) {
		return CatalogVersion{}, fault.Missing("catalogue on", at.Format(time.DateOnly))
	}
	if err != nil {
		return CatalogVersion{}, fmt.Errorf("find the catalogue of a date: %w", err)
	}
	return s.CatalogAt(ctx, row.Version)
}

// CatalogAt loads one version of the catalogue, which never changes.
func (s *Store) CatalogAt(ctx context.Context, version int) (CatalogVersion, error) {
	return s.catalogs.load(version, func(base CatalogVersion) (CatalogVersion, error) {
		row, err := s.client.CatalogVersion.Query().Where(catalogversion.Version(version)).Only(ctx)
		if ent.IsNotFound(err) {
			return CatalogVersion{}, fault.Missing("catalogue version", strconv.Itoa(version))
		}
		if err != nil {
			return CatalogVersion{}, fmt.Errorf("load the catalogue: %w", err)
		}
		changes, err := s.changesBetween(ctx, base.Version, version)
		if err != nil {
			return CatalogVersion{}, err
		}
		next, err := base.With(changes)
		return CatalogVersion{next, changeOf(row)}, err
	})
}

// changesBetween reads what differs between two versions; the older may be 0, the empty one.
func (s *Store) changesBetween(ctx context.Context, older, newer int) ([]catalog.Change, error) {
	rows, err := s.client.CatalogRecord.Query().Where(touched(older, newer)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the records of the catalogue: %w", err)
	}
	changes := make([]catalog.Change, 0, len(rows))
	standing := map[catalog.Ref]bool{}
	for _, row := range rows {
		if row.Since > newer || row.Until != nil && *row.Until <= newer {
			continue
		}
		entry, err := entryOf(row)
		if err != nil {
			return nil, err
		}
		standing[entry.Ref] = true
		changes = append(changes, catalog.Change{Ref: entry.Ref, Record: entry.Record})
	}
	for _, row := range rows {
		if ref := (catalog.Ref{Kind: catalog.Kind(row.Kind), Slug: row.Slug}); older > 0 && !standing[ref] {
			standing[ref] = true
			changes = append(changes, catalog.Change{Ref: ref})
		}
	}
	return changes, nil
}

// touched chooses the records that began or ended after one version, up to another.
func touched(older, newer int) predicate.CatalogRecord {
	began := catalogrecord.And(catalogrecord.SinceGT(older), catalogrecord.SinceLTE(newer))
	if older == 0 {
		return began
	}
	return catalogrecord.Or(began, catalogrecord.And(catalogrecord.UntilGT(older), catalogrecord.UntilLTE(newer)))
}

func entryOf(row *ent.CatalogRecord) (catalog.Entry, error) {
	entry, err := catalog.Read(catalog.Kind(row.Kind), row.Body)
	if err != nil {
		return entry, fmt.Errorf("read %s %s as of version %d: %w", row.Kind, row.Slug, row.Since, err)
	}
	return entry, nil
}

// catalogsKept is how many versions a process keeps: the one in force, some that runs and open requests were approved
// on, and one or two that somebody compares with.
const catalogsKept = 8

// catalogs keeps the versions that were used last. They share what they have in common.
type catalogs struct {
	mu   sync.Mutex
	kept []CatalogVersion // the last used comes first
}

// load finds a version, or lets make make it from the nearest older one that is kept.
func (k *catalogs) load(version int, make func(base CatalogVersion) (CatalogVersion, error)) (CatalogVersion, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var base CatalogVersion
	for i, kept := range k.kept {
		if kept.Version == version {
			k.use(i, kept)
			return kept, nil
		}
		if kept.Version < version && kept.Version > base.Version {
			base = kept
		}
	}
	made, err := make(base)
	if err == nil {
		k.use(len(k.kept), made)
	}
	return made, err
}

// use puts a version that stood at a place first.
func (k *catalogs) use(i int, version CatalogVersion) {
	rest := k.kept
	if i < len(rest) {
		rest = slices.Delete(slices.Clone(rest), i, i+1)
	}
	k.kept = append([]CatalogVersion{version}, rest[:min(len(rest), catalogsKept-1)]...)
}

// CatalogChanges lists the changes of the catalogue, newest first, from before a version on; 0 is from the newest.
func (s *Store) CatalogChanges(ctx context.Context, before, limit int) ([]CatalogChange, error) {
	q := s.client.CatalogVersion.Query()
	if before > 0 {
		q = q.Where(catalogversion.VersionLT(before))
	}
	rows, err := q.Order(catalogversion.ByVersion(sql.OrderDesc())).Limit(limit).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the changes of the catalogue: %w", err)
	}
	changes := make([]CatalogChange, len(rows))
	for i, row := range rows {
		changes[i] = changeOf(row)
	}
	return changes, nil
}

// RecordChange is one record as a change of the catalogue left it. An Entry without a Record was retired.
type RecordChange struct {
	catalog.Entry
	CatalogChange
	Before          any // the record that it replaced; nil where it was new
	Managed, Locked bool
}

// Differences says what the change changed.
func (c RecordChange) Differences() []catalog.Difference {
	return c.Kind.Differences(c.Before, c.Record)
}

// History lists what was made of a record, newest first.
func (s *Store) History(ctx context.Context, ref catalog.Ref) ([]RecordChange, error) {
	rows, err := s.client.CatalogRecord.Query().Where(catalogrecord.Kind(string(ref.Kind)), catalogrecord.Slug(ref.Slug)).
		Order(catalogrecord.BySince()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the history of %s: %w", ref, err)
	}
	return s.recordChanges(ctx, rows)
}

// ChangedBy lists the records that a change of the catalogue changed, by kind and slug, at most limit of them.
func (s *Store) ChangedBy(ctx context.Context, version, limit int) ([]RecordChange, error) {
	rows, err := s.client.CatalogRecord.Query().
		Where(catalogrecord.Or(catalogrecord.Since(version), catalogrecord.Until(version))).
		Order(catalogrecord.ByKind(), catalogrecord.BySlug(), catalogrecord.BySince()).Limit(2 * limit).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load what version %d of the catalogue changed: %w", version, err)
	}
	all, err := s.recordChanges(ctx, rows)
	all = slices.DeleteFunc(all, func(c RecordChange) bool { return c.Version != version })
	slices.SortStableFunc(all, func(a, b RecordChange) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Slug, b.Slug))
	})
	return all[:min(len(all), limit)], err
}

// recordChanges makes the changes of rows in the order of their versions; the newest comes first.
func (s *Store) recordChanges(ctx context.Context, rows []*ent.CatalogRecord) ([]RecordChange, error) {
	var all []RecordChange
	last := map[catalog.Ref]*ent.CatalogRecord{}
	for _, row := range rows {
		entry, err := entryOf(row)
		if err != nil {
			return nil, err
		}
		change := RecordChange{Entry: entry, CatalogChange: CatalogChange{Version: row.Since}, Managed: row.Managed, Locked: row.Locked}
		if before := last[entry.Ref]; before != nil && before.Until != nil && *before.Until == row.Since {
			old, err := entryOf(before)
			if err != nil {
				return nil, err
			}
			change.Before = old.Record
			all = all[:len(all)-1] // it did not end, it was replaced
		}
		all = append(all, change)
		if row.Until != nil {
			ended := RecordChange{Entry: catalog.Entry{Ref: entry.Ref, Name: entry.Name}, CatalogChange: CatalogChange{Version: *row.Until}, Before: entry.Record}
			all = append(all, ended)
		}
		last[entry.Ref] = row
	}
	slices.Reverse(all)
	return all, s.tell(ctx, all)
}

// tell fills in who made the changes, when and why.
func (s *Store) tell(ctx context.Context, all []RecordChange) error {
	var versions []int
	for _, c := range all {
		versions = append(versions, c.Version)
	}
	slices.Sort(versions)
	rows, err := s.client.CatalogVersion.Query().Where(catalogversion.VersionIn(slices.Compact(versions)...)).All(ctx)
	if err != nil {
		return fmt.Errorf("load the changes of the catalogue: %w", err)
	}
	by := map[int]CatalogChange{}
	for _, row := range rows {
		by[row.Version] = changeOf(row)
	}
	for i := range all {
		all[i].CatalogChange = by[all[i].Version]
	}
	return nil
}

// Standing is a record in force with what the store knows of it.
type Standing struct {
	catalog.Entry
	Since           int // the version of the catalogue that it stands since: what an edit is based on
	Managed, Locked bool
}

// Standing finds a record in force; nil where there is none.
func (s *Store) Standing(ctx context.Context, ref catalog.Ref) (*Standing, error) {
	return standing(ctx, s.client, ref)
}

func standing(ctx context.Context, c *ent.Client, ref catalog.Ref) (*Standing, error) {
	row, err := c.CatalogRecord.Query().Where(catalogrecord.Kind(string(ref.Kind)), catalogrecord.Slug(ref.Slug), catalogrecord.UntilIsNil()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", ref, err)
	}
	entry, err := entryOf(row)
	return &Standing{entry, row.Since, row.Managed, row.Locked}, err
}

// inForce is a record as it stands, undecoded.
type inForce struct {
	body            []byte
	since           int
	managed, locked bool
}

// allInForce reads every record that stands.
func allInForce(ctx context.Context, c *ent.Client) (map[catalog.Ref]inForce, error) {
	rows, err := c.CatalogRecord.Query().Where(catalogrecord.UntilIsNil()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	all := make(map[catalog.Ref]inForce, len(rows))
	for _, row := range rows {
		all[catalog.Ref{Kind: catalog.Kind(row.Kind), Slug: row.Slug}] = inForce{row.Body, row.Since, row.Managed, row.Locked}
	}
	return all, nil
}
