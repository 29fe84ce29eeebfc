package store_test

import (
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// change makes an edit of what stands, or of what does not.
func (w world) change(t *testing.T, by access.Principal, ref catalog.Ref, record any) error {
	t.Helper()
	stands, err := w.Standing(w.ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	e := store.Edit{Change: catalog.Change{Ref: ref, Record: record}}
	if stands != nil {
		e.Base = stands.Since
	}
	two, err := w.NeedsTwo(w.ctx, e.Change)
	if err != nil {
		t.Fatal(err)
	}
	if !two {
		_, err = w.EditRecord(w.ctx, by, e)
		return err
	}
	asked, err := w.ProposeEdit(w.ctx, by, store.NewID(), e)
	if err == nil {
		testkit.Approve(t, w.Store, asked)
	}
	return err
}

func (w world) assign(t *testing.T, by access.Principal, a catalog.Assignment) error {
	t.Helper()
	return w.change(t, by, catalog.Ref{Kind: catalog.KindAssignment, Slug: a.Slug}, a)
}

func ruledBy(t *testing.T, what string, err error, rule string) {
	t.Helper()
	f := fault.As(err)
	if rule == "" && err != nil || rule != "" && (f == nil || f.Rule != rule) {
		t.Errorf("%s: %v, not %q", what, err, rule)
	}
}

func TestTheLastAdministratorCannotBeRemoved(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ada := w.known(t, "ada", "administrators")
		version, err := w.Catalog(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		var last catalog.Assignment
		for _, a := range version.Assignments {
			if a.Role == access.Administrator {
				last = a
			}
		}
		ref := catalog.Ref{Kind: catalog.KindAssignment, Slug: last.Slug}
		ruledBy(t, "retired", w.change(t, ada, ref, nil), store.RuleLastAdministrator)
		less := last
		less.Until = "2031-01-01"
		ruledBy(t, "with an end", w.change(t, ada, ref, less), store.RuleLastAdministrator)
		less = last
		less.Sites = []string{"leeds"}
		ruledBy(t, "at one site", w.change(t, ada, ref, less), store.RuleLastAdministrator)
		ruledBy(t, "another one", w.assign(t, ada, catalog.Assignment{Slug: "olga", Name: "Olga", Role: access.Administrator, Person: "olga@example.com"}), "")
		ruledBy(t, "retired beside another", w.change(t, ada, ref, nil), "")
	})
}

func TestNobodyGivesWhatTheyDoNotHold(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ada := w.known(t, "ada", "administrators")
		ruledBy(t, "for Leeds", w.assign(t, ada, catalog.Assignment{
			Slug: "lena", Name: "Lena", Role: access.Administrator, Person: "lena@example.com", Sites: []string{"leeds"},
		}), "")
		lena := w.known(t, "lena")
		owner := catalog.Assignment{Slug: "bea", Name: "Bea", Role: access.BusinessOwner, Person: "bea@example.com"}
		ruledBy(t, "everywhere, by who holds Leeds", w.assign(t, lena, owner), store.RuleOwnScope)
		owner.Sites = []string{"leeds", "dublin"}
		ruledBy(t, "at two sites, by who holds one", w.assign(t, lena, owner), store.RuleOwnScope)
		owner.Sites = []string{"leeds"}
		ruledBy(t, "at her own", w.assign(t, lena, owner), "")
		ruledBy(t, "widened by an administrator of everything", w.assign(t, ada, catalog.Assignment{Slug: "bea", Name: "Bea", Role: access.BusinessOwner, Person: "bea@example.com"}), "")
		ruledBy(t, "narrowed by who does not hold it whole", w.assign(t, lena, owner), store.RuleOwnScope)
		policy := moves(catalog.Need{Role: access.BusinessOwner, Persons: 1})
		ruledBy(t, "a policy", w.change(t, lena, catalog.Ref{Kind: catalog.KindPolicy, Slug: policy.Slug}, policy), store.RuleOwnScope)
	})
}

func TestTheFirstAdministratorIsNamedBySettings(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		if err := w.Ship(w.ctx, "eve@example.com"); err != nil {
			t.Fatal(err)
		}
		if eve := w.known(t, "eve"); len(eve.Roles) != 0 {
			t.Errorf("where somebody administers it already, eve became %v", eve.Roles)
		}
	})
	eachEmpty(t, func(t *testing.T, w world) {
		for range 2 {
			if err := w.Ship(w.ctx, "eve@example.com"); err != nil {
				t.Fatal(err)
			}
		}
		if eve := w.known(t, "eve"); !eve.Has(access.Administrator) {
			t.Errorf("eve is %v", eve.Roles)
		}
		version, err := w.Catalog(w.ctx)
		if err != nil || len(version.Policies) != len(catalog.Actions()) || len(version.Assignments) != 1 {
			t.Errorf("%d policies, %d assignments, %v", len(version.Policies), len(version.Assignments), err)
		}
	})
}
