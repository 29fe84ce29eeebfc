package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"keyholder/ent"
	"keyholder/ent/catalogrecord"
	"keyholder/ent/planversion"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// The rules that an edit of the catalogue may meet.
const (
	RuleEditedMeanwhile = "no-edit-over-another"   // two people edit one record: the second sees both
	RuleManagedByFiles  = "locked-to-files"        // the record may be changed by files only
	RuleStillReferred   = "no-reference-is-broken" // others refer to what is to be retired
)

// Edit is one record as somebody wants it to be. A Record of nil retires it.
type Edit struct {
	catalog.Change
	Base int    // what Standing.Since was when they saw it; 0 where there was none
	Why  string //
}

// EditRecord changes one record of the catalogue and returns the version that it stands since.
func (s *Store) EditRecord(ctx context.Context, by access.Principal, e Edit) (int, error) {
	action := "catalog.edit"
	if e.Record == nil {
		action = "catalog.retire"
	}
	var version int
	err := s.personal(ctx, by.Person(), action, recordObject(e.Ref), func(t *tx) error {
		stands, err := standing(t.ctx, t.Client(), e.Ref)
		if err != nil {
			return err
		}
		if err := s.mayEdit(t, e, stands); err != nil {
			return err
		}
		two, err := s.NeedsTwo(t.ctx, e.Change)
		if err != nil {
			return err
		}
		if two {
			return byTwo()
		}
		row := newRecord{Change: e.Change}
		if stands != nil {
			row.stood, row.managed = true, stands.Managed
		}
		version, err = s.changeCatalog(t, action, CatalogChange{Why: e.Why}, []newRecord{row})
		return err
	})
	return version, err
}

// NeedsTwo says whether a second person must approve a change.
func (s *Store) NeedsTwo(ctx context.Context, c catalog.Change) (bool, error) {
	now, err := s.Catalog(ctx)
	if err != nil {
		return false, err
	}
	old, _ := now.Entry(c.Ref)
	return c.Kind.NeedsTwo(old.Record, c.Record) && approval.Governed(now.Catalog, s.Now()), nil
}

func byTwo() error {
	return fault.Refused(RuleFourEyes, "anybody who may change it, by proposing it to a second person",
		"Others decide by this, or it is carried out. One person does not change it alone: propose it, and a second one approves it.")
}

// ProposeEdit files a change request for one edit.
func (s *Store) ProposeEdit(ctx context.Context, by access.Principal, id string, e Edit) (change.Request, error) {
	var filed change.Request
	err := s.personal(ctx, by.Person(), "change.file", recordObject(e.Ref), func(t *tx) error {
		stands, err := standing(t.ctx, t.Client(), e.Ref)
		if err != nil {
			return err
		}
		if err := s.mayEdit(t, e, stands); err != nil {
			return err
		}
		row := newRecord{Change: e.Change}
		if err := row.write(); err != nil {
			return err
		}
		r := change.Record{Ref: e.Ref, Body: row.body, Base: e.Base}
		if stands != nil {
			r.Managed = stands.Managed
		}
		filed, err = s.propose(t, Proposal{ID: id, Terms: change.Terms{Records: []change.Record{r}}, Why: e.Why})
		return err
	})
	return filed, err
}

// mayEdit refuses an edit of what has changed since it was seen, or of what only files may change.
func (s *Store) mayEdit(t *tx, e Edit, stands *Standing) error {
	switch {
	case stands == nil && e.Base != 0:
		return s.editedMeanwhile(t, e, "retired")
	case stands != nil && stands.Since != e.Base:
		return s.editedMeanwhile(t, e, "changed")
	case stands == nil && e.Record == nil:
		return fault.Missing(e.Kind.One(), e.Slug)
	case stands != nil && stands.Locked:
		return fault.Refused(RuleManagedByFiles, "whoever keeps the catalogue's files", "%s is kept in files and locked there. Change the file and apply it.", stands.Name)
	}
	return nil
}

func (s *Store) editedMeanwhile(t *tx, e Edit, how string) error {
	history, err := s.History(t.ctx, e.Ref)
	if err != nil || len(history) == 0 {
		return err
	}
	last := history[0]
	return fault.Late(RuleEditedMeanwhile, "%s %s this %s at %s, after you had opened it. Nothing of yours is lost: compare the two, and save again.",
		last.By, how, e.Kind.One(), last.At.UTC().Format("15:04 UTC"))
}

// newRecord is a record that a change of the catalogue puts in force, or retires.
type newRecord struct {
	catalog.Change
	body            []byte // in canonical form; nil where it is retired
	digest          string // of the body
	stood           bool   // another one of it is in force
	since           int    // the version of the catalogue since which that is, where somebody must know
	managed, locked bool
	reheld          bool // files hold it from now on, or lock it, or let it go: that decides who may change it
}

// write makes the body of a record that has none yet.
func (r *newRecord) write() (err error) {
	if r.Record == nil || r.body != nil {
		return nil
	}
	if r.body, err = (catalog.Entry{Ref: r.Ref, Record: r.Record}).Body(); err != nil {
		return fmt.Errorf("write %s: %w", r.Ref, err)
	}
	r.digest = canonical.DigestBytes("keyholder/catalog-record/1", r.body)
	return nil
}

// changeCatalog makes the next version of the catalogue from some records, which is checked as a whole.
func (s *Store) changeCatalog(t *tx, action string, about CatalogChange, rows []newRecord) (int, error) {
	newest, err := newestCatalog(t.ctx, t.Client())
	if err != nil {
		return 0, err
	}
	var before CatalogVersion
	if newest > 0 {
		if before, err = s.CatalogAt(t.ctx, newest); err != nil {
			return 0, err
		}
	}
	changes := make([]catalog.Change, len(rows))
	for i, row := range rows {
		changes[i] = row.Change
	}
	after, err := before.With(changes)
	if err != nil {
		return 0, err
	}
	if err := s.mayChange(t, before.Catalog, after, changes); err != nil {
		return 0, err
	}
	about.Version, about.By = newest+1, cmp.Or(about.By, t.actor.Name)
	digest, err := t.saveChecked(after, about.Version, changes, rows)
	if err != nil {
		return 0, err
	}
	err = t.CatalogVersion.Create().SetVersion(about.Version).SetDigest(digest).SetChanges(len(rows)).SetWhy(about.Why).
		SetSource(about.Source).SetAppliedBy(about.By).SetAppliedAt(t.now).Exec(t.ctx)
	if err != nil {
		return 0, fmt.Errorf("save catalogue version %d: %w", about.Version, err)
	}
	text := changeWords(before.Catalog, after, about, changes)
	t.record(audit.Event{Action: action, Object: objectOf(changes), Text: text, Detail: changeDetail(before.Catalog, about, digest, changes)})
	err = t.voidVotes(text, func(r failover.Request) (bool, error) {
		now, err := r.Terms.On(after, about.Version, r.FiledAt)
		return now.Ground != r.Terms.Ground || now.Rules != r.Terms.Rules, err
	})
	if err != nil {
		return 0, err
	}
	return about.Version, t.voidChanges(text, func(r change.Request) (bool, error) { return overtaken(r, after, changes) })
}

// overtaken says whether a change request is about what has just been changed, or is decided by others now.
func overtaken(r change.Request, after catalog.Catalog, changes []catalog.Change) (bool, error) {
	for _, c := range changes {
		if _, about := r.Terms.Of(c.Ref); about {
			return true, nil
		}
	}
	rules, err := r.Terms.RulesOf(after, r.FiledAt)
	if fault.As(err) != nil {
		return true, nil // no policy says who decides any more
	}
	if err != nil {
		return false, err
	}
	digest, err := rules.Digest()
	return digest != r.Terms.Rules, err
}

// saveChecked writes rows while they are checked, for of a large catalogue either takes long; what is wrong with any takes all of
// them back.
func (t *tx) saveChecked(after catalog.Catalog, version int, changes []catalog.Change, rows []newRecord) (digest string, err error) {
	var checks errgroup.Group
	checks.Go(func() error { return sound(after, changes) })
	err = t.saveRecords(version, rows)
	if wrong := checks.Wait(); wrong != nil {
		return "", wrong
	}
	if err == nil {
		err = t.restHolds(after, changes)
	}
	if err != nil {
		return "", err
	}
	return digestOf(rows)
}

// holds refuses changes that would be wrong in force.
func (t *tx) holds(after catalog.Catalog, changes []catalog.Change) error {
	if err := sound(after, changes); err != nil {
		return err
	}
	return t.restHolds(after, changes)
}

// restHolds refuses changes that what is not in the catalogue does not allow: plans, and access that lasts.
func (t *tx) restHolds(after catalog.Catalog, changes []catalog.Change) error {
	if err := t.plansHold(after, changes); err != nil {
		return err
	}
	return t.accessHolds(changes)
}

// sound refuses changes that are wrong in themselves, or that take away what others refer to.
func sound(after catalog.Catalog, changes []catalog.Change) error {
	found := make([][]catalog.Problem, len(changes))
	err := inParallel(len(changes), func(i int) error {
		if e, ok := after.Entry(changes[i].Ref); ok {
			found[i] = slices.Collect(after.ProblemsOf(e))
		}
		return nil
	})
	if err != nil {
		return err
	}
	wrong := fault.Wrong{}
	noteHoles(wrong, after, changes)
	retired := map[catalog.Ref]bool{}
	for i, c := range changes {
		if c.Record == nil {
			retired[c.Ref] = true
		}
		for _, p := range found[i] {
			path := p.Path
			if len(changes) > 1 {
				path = p.At.String() + ": " + path
			}
			wrong.Add(path, "%s", p.What)
		}
	}
	if err := wrong.Err(); err != nil || len(retired) == 0 {
		return err
	}
	if broken := after.Broken(retired); len(broken) > 0 {
		return fault.Late(RuleStillReferred, "It is still referred to: %s. Change that first.", strings.Join(broken, "; "))
	}
	return nil
}

// noteHoles notes the cases that no policy, or no single one, would decide on any more.
func noteHoles(wrong fault.Wrong, after catalog.Catalog, changes []catalog.Change) {
	touches := func(c catalog.Change) bool {
		return slices.Contains([]catalog.Kind{catalog.KindPolicy, catalog.KindTier, catalog.KindCapability, catalog.KindTenant}, c.Kind)
	}
	if !slices.ContainsFunc(changes, touches) {
		return
	}
	for i, hole := range approval.HolesOf(after, mostHoles) {
		wrong.Add(fmt.Sprintf("policies[%d]", i), "%s", hole)
	}
}

// mostHoles bounds how many gaps and ties of policies are told at once.
const mostHoles = 10

// plansHold refuses to take away what a plan in force acts on.
func (t *tx) plansHold(after catalog.Catalog, changes []catalog.Change) error {
	if !slices.ContainsFunc(changes, func(c catalog.Change) bool { return c.Record == nil }) {
		return nil
	}
	rows, err := t.PlanVersion.Query().Order(planversion.BySlug(), planversion.ByVersion()).All(t.ctx)
	if err != nil {
		return fmt.Errorf("load plans: %w", err)
	}
	newest := map[string]*ent.PlanVersion{}
	for _, row := range rows {
		newest[row.Slug] = row
	}
	for _, slug := range slices.Sorted(maps.Keys(newest)) {
		var plan failover.Plan
		if err := json.Unmarshal(newest[slug].Body, &plan); err != nil {
			return fmt.Errorf("read plan %s: %w", slug, err)
		}
		if f := fault.As(plan.Validate(after)); f != nil {
			what := slices.Sorted(maps.Values(f.Fields))
			return fault.Late(RuleStillReferred, "Plan %s would no longer work: %s. Publish another version of it first.", plan.Name, strings.Join(what, "; "))
		}
	}
	return nil
}

// digestOf is the digest of all that a change of the catalogue changes.
func digestOf(rows []newRecord) (string, error) {
	type changed struct {
		catalog.Ref
		Digest string `json:"digest,omitempty"` // of its body
	}
	all := make([]changed, len(rows))
	for i, row := range rows {
		all[i] = changed{row.Ref, row.digest}
	}
	return canonical.Digest("keyholder/catalog-change/1", all)
}

// saveRecords ends what stood, and begins what stands now. Bodies that were not needed before are written on the way.
func (t *tx) saveRecords(version int, rows []newRecord) error {
	ends := map[catalog.Kind][]string{}
	var begins []*newRecord
	for i := range rows {
		if row := &rows[i]; row.stood {
			ends[row.Kind] = append(ends[row.Kind], row.Slug)
		}
		if rows[i].Record != nil {
			begins = append(begins, &rows[i])
		}
	}
	for kind, slugs := range ends {
		for some := range slices.Chunk(slugs, rowsAtOnce) {
			err := t.CatalogRecord.Update().Where(catalogrecord.Kind(string(kind)), catalogrecord.SlugIn(some...), catalogrecord.UntilIsNil()).
				SetUntil(version).Exec(t.ctx)
			if err != nil {
				return fmt.Errorf("end records of the catalogue: %w", err)
			}
		}
	}
	if err := t.insertRecords(version, begins); err != nil {
		return fmt.Errorf("save records of the catalogue: %w", err)
	}
	return nil
}

// objectOf is what the record says was changed.
func objectOf(changes []catalog.Change) string {
	if len(changes) == 1 {
		return recordObject(changes[0].Ref)
	}
	return "catalog"
}

// changeWords says in a sentence what a change did.
func changeWords(before, after catalog.Catalog, about CatalogChange, changes []catalog.Change) string {
	if len(changes) != 1 {
		return fmt.Sprintf("Catalogue version %d: %d records changed.", about.Version, len(changes))
	}
	c := changes[0]
	verb, in := "changed", after
	if _, stood := before.Entry(c.Ref); !stood {
		verb = "added"
	}
	if c.Record == nil {
		verb, in = "retired", before
	}
	e, _ := in.Entry(c.Ref)
	return fmt.Sprintf("%s %s was %s (catalogue version %d).", catalog.Words(string(c.Kind)), e.Name, verb, about.Version)
}

// mostSaid bounds how many records an audit event names one by one; the digest stands for all of them.
const mostSaid = 20

func changeDetail(before catalog.Catalog, about CatalogChange, digest string, changes []catalog.Change) json.RawMessage {
	body := struct {
		Version int      `json:"version"`
		Digest  string   `json:"digest"`
		Why     string   `json:"why,omitempty"`
		Source  string   `json:"source,omitempty"`
		Records int      `json:"records"`
		Some    []saidOf `json:"changes"`
	}{about.Version, digest, about.Why, about.Source, len(changes), said(before, changes)}
	return detail(body)
}

// saidOf is what an event says of one record.
type saidOf struct {
	catalog.Ref
	Differences []string `json:"differences"`
}

// said is what an event says of changes: of the first of them.
func said(before catalog.Catalog, changes []catalog.Change) []saidOf {
	var all []saidOf
	for _, c := range changes[:min(len(changes), mostSaid)] {
		old, _ := before.Entry(c.Ref)
		one := saidOf{Ref: c.Ref}
		for _, d := range c.Kind.Differences(old.Record, c.Record) {
			one.Differences = append(one.Differences, d.String())
		}
		all = append(all, one)
	}
	return all
}
