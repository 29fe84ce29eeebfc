package store_test

import (
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
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
		ruledBy(t, "retired beside one who has never signed in", w.change(t, ada, ref, nil), store.RuleLastAdministrator)
		moved := last
		moved.Group = "nobody-is-in-it"
		ruledBy(t, "moved to a group that nobody is in", w.change(t, ada, ref, moved), store.RuleLastAdministrator)
		later := last
		later.From = w.Now().AddDate(0, 0, 7).Format(time.DateOnly)
		ruledBy(t, "from next week on", w.change(t, ada, ref, later), store.RuleLastAdministrator)
		w.known(t, "olga")
		ruledBy(t, "retired beside another", w.change(t, ada, ref, nil), "")
	})
}

func TestTwoWhoHaveSignedInCanAlwaysChangeWhoDecides(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		var group catalog.Assignment
		version, err := w.Catalog(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range version.Assignments {
			if a.Role == access.Administrator {
				group = a
			}
		}
		ref := catalog.Ref{Kind: catalog.KindAssignment, Slug: group.Slug}
		moved := group
		moved.Group = "nobody-is-in-it"
		ruledBy(t, "to a group that nobody is in", w.change(t, w.ada, ref, moved), store.RuleLastAdministrator)
		ruledBy(t, "one by name", w.assign(t, w.ada, catalog.Assignment{Slug: "ada", Name: "Ada", Role: access.Administrator, Person: "ada@example.com"}), "")
		ruledBy(t, "which leaves one who is known", w.change(t, w.ada, ref, moved), store.RuleStaysByTwo)
		ruledBy(t, "another by name", w.assign(t, w.ada, catalog.Assignment{Slug: "rosa", Name: "Rosa", Role: access.Administrator, Person: "rosa@example.com"}), "")
		ruledBy(t, "who has not signed in", w.change(t, w.ada, ref, moved), store.RuleStaysByTwo)
		w.known(t, "rosa")
		ruledBy(t, "which leaves two", w.change(t, w.ada, ref, moved), "")
	})
}

func TestAnActionThatHadAPolicyKeepsOne(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		move := catalog.Ref{Kind: catalog.KindPolicy, Slug: "tier-1-move"}
		if w.stands(t, move) == nil {
			t.Fatal("there is no policy for moves")
		}
		err := w.change(t, w.ada, move, nil)
		ruledBy(t, "retired", err, approval.RuleNoGap)
		if f := fault.As(err); f == nil || !strings.Contains(f.Message, "this: move") {
			t.Errorf("the gap is not named: %v", err)
		}
		drill := moves(catalog.Need{Role: access.BusinessOwner, Persons: 1})
		drill.Action = catalog.ActDrill
		ruledBy(t, "made one of something else", w.change(t, w.ada, move, drill), approval.RuleNoGap)
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
		if eve := w.known(t, "eve"); !eve.Has(access.Administrator) {
			t.Errorf("a group that nobody is in administers it, and eve became %v", eve.Roles)
		}
		if err := w.Ship(w.ctx, "rosa@example.com"); err != nil {
			t.Fatal(err)
		}
		if rosa := w.known(t, "rosa"); len(rosa.Roles) != 0 {
			t.Errorf("eve administers it already, and rosa became %v", rosa.Roles)
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
		if err != nil || len(version.Policies) != len(catalog.Actions()) || len(version.Assignments) != 1 || version.Version != 2 {
			t.Errorf("version %d: %d policies, %d assignments, %v", version.Version, len(version.Policies), len(version.Assignments), err)
		}
	})
}

// TestNobodyIsGivenARoleWithoutASecondPersonWhoIsNotThem: what administrators hold is the right to give roles, and they give none to
// themselves alone.
func TestNobodyIsGivenARoleWithoutASecondPersonWhoIsNotThem(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		today := w.Now().Format(time.DateOnly)
		w.give(t, catalog.Deputy{Slug: "d", Name: "While Ada is away", For: "ada@example.com", Person: "dora@example.com", From: today, Until: today})
		id, err := w.SignIn(w.ctx, store.Identity{
			Issuer: "i", Subject: "ada at home", Name: "Ada", Email: "Ada@example.com", Verified: true, Groups: []string{"administrators"}, SignedInAt: w.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
		twin, _, err := w.Principal(w.ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		security := catalog.Assignment{Slug: "ada", Name: "Ada", Role: access.SecurityOfficer, Person: "ada@example.com"}
		ref := catalog.Ref{Kind: catalog.KindAssignment, Slug: security.Slug}
		edit := store.Edit{Change: catalog.Change{Ref: ref, Record: security}}
		_, err = w.EditRecord(w.ctx, w.ada, edit)
		ruledBy(t, "saved by herself", err, store.RuleFourEyes)
		own := w.propose(t, w.ada, edit)
		refusedBy(t, w.decides(t, own.Code, w.ada, approval.Approve), approval.RuleTwoPeople)
		refusedBy(t, w.decides(t, own.Code, twin, approval.Approve), approval.RuleTwoPeople)
		refusedBy(t, w.decides(t, own.Code, w.known(t, "dora", "administrators"), approval.Approve), approval.RuleDeputy)

		byFiles, err := w.ProposeBundle(w.ctx, access.Person{ID: store.CommandLine + "x"}, store.NewID(), store.Bundle{Records: []catalog.Entry{entry(security)}}, store.Manner{})
		if err != nil {
			t.Fatal(err)
		}
		if out := w.decides(t, byFiles.Code, w.ada, approval.Approve); out.State != failover.Requested || out.Refusal != nil {
			t.Fatalf("proposed by files, after her own vote: %s, %+v", out.State, out.Refusal)
		}
		refusedBy(t, w.decides(t, byFiles.Code, twin, approval.Approve), approval.RuleOneVote)
		if w.stands(t, ref) != nil {
			t.Fatal("she gave herself a role")
		}
		if out := w.decides(t, own.Code, w.olga, approval.Approve); out.State != failover.Approved {
			t.Errorf("with another administrator it is %s: %v", out.State, out.Err())
		}
	})
}
