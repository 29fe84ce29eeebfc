package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"keyholder/ent"
	"keyholder/ent/draft"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/fault"
)

// RuleOneDraft keeps what somebody puts together from being mixed with what takes a change back.
const RuleOneDraft = "one-draft"

// RuleFirstPlan keeps the first version of a plan from being taken back: a plan is not retired.
const RuleFirstPlan = "first-of-a-plan"

// Draft is what one person has put together to propose.
type Draft struct {
	Terms  change.Terms
	Undoes int // the version of the catalogue that it would take back; 0 where it would not
}

// Draft loads what somebody has put together; nothing where they have not.
func (s *Store) Draft(ctx context.Context, person string) (Draft, error) {
	return readOnce(ctx, "draft of "+person, func() (Draft, error) {
		d, _, err := loadDraft(ctx, s.client, person)
		return d, err
	})
}

func loadDraft(ctx context.Context, c *ent.Client, person string) (d Draft, revision int, err error) {
	row, err := c.Draft.Get(ctx, person)
	if ent.IsNotFound(err) {
		return d, 0, nil
	}
	if err != nil {
		return d, 0, fmt.Errorf("load a draft: %w", err)
	}
	d.Undoes = row.Undoes
	if err := json.Unmarshal(row.Terms, &d.Terms); err != nil {
		return d, 0, fmt.Errorf("read a draft: %w", err)
	}
	return d, row.Revision, nil
}

// saveDraft writes a draft, guarded by the revision that was loaded; 0 where there was none.
func (t *tx) saveDraft(person string, d Draft, revision int) error {
	t.changed = true // it is the person's own, and no event; their pages show it
	if d.Terms.Empty() {
		return t.dropDraft(person)
	}
	slices.SortFunc(d.Terms.Records, func(a, b change.Record) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Slug, b.Slug)) })
	body, err := json.Marshal(d.Terms)
	if err != nil {
		return fmt.Errorf("write a draft: %w", err)
	}
	if revision == 0 {
		err = t.Draft.Create().SetID(person).SetTerms(body).SetUndoes(d.Undoes).SetUpdatedAt(t.now).Exec(t.ctx)
	} else {
		var n int
		n, err = t.Draft.Update().Where(draft.ID(person), draft.Revision(revision)).SetTerms(body).SetUndoes(d.Undoes).
			SetUpdatedAt(t.now).SetRevision(revision + 1).Save(t.ctx)
		if err == nil && n == 0 {
			return errStale
		}
	}
	if err != nil {
		return fmt.Errorf("save a draft: %w", err)
	}
	return nil
}

func (t *tx) dropDraft(person string) error {
	if _, err := t.Draft.Delete().Where(draft.ID(person)).Exec(t.ctx); err != nil {
		return fmt.Errorf("drop a draft: %w", err)
	}
	return nil
}

// AddToDraft puts an edit among what somebody is putting together, in the place of what they had there of the same record.
func (s *Store) AddToDraft(ctx context.Context, by access.Person, e Edit) error {
	return s.personal(ctx, by, "change.draft", recordObject(e.Ref), func(t *tx) error {
		stands, err := standing(t.ctx, t.Client(), e.Ref)
		if err != nil {
			return err
		}
		if err := s.mayEdit(t, e, stands); err != nil {
			return err
		}
		d, revision, err := loadDraft(t.ctx, t.Client(), by.ID)
		if err != nil {
			return err
		}
		r := change.Record{Ref: e.Ref, Base: e.Base}
		if stands != nil {
			r.Managed = stands.Managed
		}
		if e.Record != nil {
			if r.Body, err = (catalog.Entry{Ref: e.Ref, Record: e.Record}).Body(); err != nil {
				return fmt.Errorf("write %s: %w", e.Ref, err)
			}
		}
		d.Undoes = 0 // it would do more than that
		d.Terms.Records = append(slices.DeleteFunc(d.Terms.Records, func(had change.Record) bool { return had.Ref == e.Ref }), r)
		if err := s.soundInDraft(t, d, e); err != nil {
			return err
		}
		return t.saveDraft(by.ID, d, revision)
	})
}

// soundInDraft refuses a record that is wrong in itself on top of the rest of the draft. What is wrong with all of it together is
// said when it is looked at as a whole.
func (s *Store) soundInDraft(t *tx, d Draft, e Edit) error {
	now, err := s.Catalog(t.ctx)
	if err != nil || e.Record == nil {
		return err
	}
	after, err := d.Terms.On(now.Catalog)
	if err != nil {
		return err
	}
	wrong := fault.Wrong{}
	if entry, ok := after.Entry(e.Ref); ok {
		for p := range after.ProblemsOf(entry) {
			wrong.Add(p.Path, "%s", p.What)
		}
	}
	return wrong.Err()
}

// TakeFromDraft takes one record out of what somebody is putting together; without one it drops all of it.
func (s *Store) TakeFromDraft(ctx context.Context, by access.Person, ref *catalog.Ref) error {
	return s.personal(ctx, by, "change.draft", "draft", func(t *tx) error {
		d, revision, err := loadDraft(t.ctx, t.Client(), by.ID)
		if err != nil || revision == 0 {
			return err
		}
		if ref == nil {
			d.Terms = change.Terms{}
		}
		d.Undoes = 0
		d.Terms.Records = slices.DeleteFunc(d.Terms.Records, func(had change.Record) bool { return ref != nil && had.Ref == *ref })
		return t.saveDraft(by.ID, d, revision)
	})
}

// DraftTakingBack puts together what would take back a version of the catalogue, which changed these records: each as it was before.
func (s *Store) DraftTakingBack(ctx context.Context, by access.Person, version int, changed []RecordChange) error {
	return s.draftTakingBack(ctx, by, Draft{Undoes: version}, changed)
}

// DraftTakingBackRequest puts together what would take back all that a change request put in force; changed are its records.
func (s *Store) DraftTakingBackRequest(ctx context.Context, by access.Person, r change.Request, changed []RecordChange) error {
	d := Draft{Undoes: r.Applied}
	for _, p := range r.Terms.Plans {
		if p.Base == 0 {
			return s.personal(ctx, by, "change.draft", r.Code, func(*tx) error {
				return fault.Late(RuleFirstPlan, "Plan %s had no version before this one, so there is nothing to go back to. Publish another version of it.", p.Slug)
			})
		}
		before, err := s.Plan(ctx, p.Slug, p.Base)
		if err != nil {
			return err
		}
		body, _, err := planBody(before.What)
		if err != nil {
			return err
		}
		d.Terms.Plans = append(d.Terms.Plans, change.Plan{Slug: p.Slug, Body: body, Base: p.Base + 1})
	}
	return s.draftTakingBack(ctx, by, d, changed)
}

func (s *Store) draftTakingBack(ctx context.Context, by access.Person, d Draft, changed []RecordChange) error {
	version := d.Undoes
	for _, c := range changed {
		r := change.Record{Ref: c.Ref, Managed: c.Managed, Locked: c.Locked}
		if c.Record != nil {
			r.Base = version
		}
		if c.Before != nil {
			var err error
			if r.Body, err = (catalog.Entry{Ref: c.Ref, Record: c.Before}).Body(); err != nil {
				return fmt.Errorf("write %s: %w", c.Ref, err)
			}
		}
		d.Terms.Records = append(d.Terms.Records, r)
	}
	return s.personal(ctx, by, "change.draft", "catalog", func(t *tx) error {
		_, revision, err := loadDraft(t.ctx, t.Client(), by.ID)
		if err != nil {
			return err
		}
		if revision > 0 {
			return fault.Late(RuleOneDraft, "You are putting together other changes. Propose them or drop them first.")
		}
		return t.saveDraft(by.ID, d, 0)
	})
}

// ProposeDraft files what somebody has put together as it reads on what is in force now. shown is the digest of that as they were
// shown it.
func (s *Store) ProposeDraft(ctx context.Context, by access.Principal, id, shown, why string) (change.Request, error) {
	var filed change.Request
	err := s.personal(ctx, by.Person(), "change.file", "catalog", func(t *tx) error {
		if row, err := t.ChangeRequest.Get(t.ctx, id); err == nil {
			filed, err = changeRequestOf(row, nil)
			return err
		}
		d, _, err := loadDraft(t.ctx, t.Client(), by.ID)
		if err != nil {
			return err
		}
		based, err := s.rebase(t.ctx, t.Client(), d.Terms, t.now)
		if err != nil {
			return err
		}
		digest, err := ShownDigest(based.Terms)
		if err != nil {
			return err
		}
		if digest != shown {
			return fault.Late(approval.RuleBound, "What you would propose changed while you were reading. It is shown again below.")
		}
		if filed, err = s.propose(t, Proposal{ID: id, Terms: based.Terms, Why: why, Undoes: d.Undoes}); err != nil {
			return err
		}
		return t.dropDraft(by.ID)
	})
	return filed, err
}

// ShownDigest names what would be proposed, whoever decides on it.
func ShownDigest(t change.Terms) (string, error) {
	t.Rules = ""
	return t.Digest()
}
