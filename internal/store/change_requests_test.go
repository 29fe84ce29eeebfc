package store_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// eachGoverned is eachDatabase with the policies that ship, so that changes take two people: ada and olga administer, bea and hugo own.
func eachGoverned(t *testing.T, test func(t *testing.T, w governed)) {
	eachDatabase(t, func(t *testing.T, w world) {
		var b store.Bundle
		for _, p := range catalog.ShippedPolicies() {
			if p.Action == catalog.ActChange || p.Action == catalog.ActChangeRules {
				b.Records = append(b.Records, entry(p))
			}
		}
		testkit.Change(t, w.Store, b, store.Manner{})
		test(t, governed{
			world: w, ada: w.known(t, "ada", "administrators"), olga: w.known(t, "olga", "administrators"),
			bea: w.known(t, "bea", "business-owners"), hugo: w.known(t, "hugo", "business-owners"),
		})
	})
}

type governed struct {
	world
	ada, olga, bea, hugo access.Principal
}

var (
	checkout = catalog.Ref{Kind: catalog.KindService, Slug: "checkout"}
)

// edited is an edit of a record as it stands.
func edited[T any](t *testing.T, w world, ref catalog.Ref, change func(*T)) store.Edit {
	t.Helper()
	stands, err := w.Standing(w.ctx, ref)
	if err != nil || stands == nil {
		t.Fatal(stands, err)
	}
	record := stands.Record.(T)
	change(&record)
	return store.Edit{Change: catalog.Change{Ref: ref, Record: record}, Base: stands.Since, Why: "because"}
}

func (w world) stands(t *testing.T, ref catalog.Ref) any {
	t.Helper()
	stands, err := w.Standing(w.ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	if stands == nil {
		return nil
	}
	return stands.Record
}

func (w world) propose(t *testing.T, by access.Principal, e store.Edit) change.Request {
	t.Helper()
	r, err := w.ProposeEdit(w.ctx, by, store.NewID(), e)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// decides votes on a change request as it stands.
func (w world) decides(t *testing.T, code string, by access.Principal, v approval.Verdict) store.Outcome {
	t.Helper()
	r, err := w.ChangeRequest(w.ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	by.SignedInAt = w.Now()
	out, err := w.DecideChange(w.ctx, store.Vote{ID: store.NewID(), Code: code, By: by, Verdict: v, Comment: "because", Digest: r.Digest})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func owner(name string) func(*catalog.Service) {
	return func(s *catalog.Service) { s.BusinessOwner = name }
}

func TestWhatOthersDecideByIsNotChangedByOnePerson(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		e := edited(t, w.world, checkout, owner("Bea"))
		_, err := w.EditRecord(w.ctx, w.ada, e)
		ruledBy(t, "alone", err, store.RuleFourEyes)
		if refused := w.record(t, store.Filter{Outcome: "refused"}); len(refused) != 1 || refused[0].Rule != store.RuleFourEyes {
			t.Errorf("the refusal is not on record: %+v", refused)
		}
		_, err = w.Apply(w.ctx, access.Person{ID: "cli:x"}, store.Bundle{Records: []catalog.Entry{{Ref: e.Ref, Record: e.Record}}}, store.Manner{})
		ruledBy(t, "by files", err, store.RuleFourEyes)
		_, err = w.Apply(w.ctx, access.Person{ID: "cli:x"}, store.Bundle{Plans: []failover.Plan{slower(shop(t).Plans[0])}}, store.Manner{})
		ruledBy(t, "a plan", err, store.RuleFourEyes)

		r := w.propose(t, w.ada, e)
		if now := w.stands(t, checkout).(catalog.Service); now.BusinessOwner == "Bea" {
			t.Fatal("what was only proposed is in force")
		}
		refusedBy(t, w.decides(t, r.Code, w.ada, approval.Approve), approval.RuleTwoPeople)
		refusedBy(t, w.decides(t, r.Code, w.known(t, "carl", "incident-commanders"), approval.Approve), approval.RuleRole)
		if out := w.decides(t, r.Code, w.bea, approval.Approve); out.State != failover.Approved {
			t.Fatalf("it is %s: %v", out.State, out.Err())
		}
		if now := w.stands(t, checkout).(catalog.Service); now.BusinessOwner != "Bea" {
			t.Error("what was approved is not in force")
		}
		r, err = w.ChangeRequest(w.ctx, r.Code)
		if err != nil {
			t.Fatal(err)
		}
		made, err := w.CatalogAt(w.ctx, r.Applied)
		if err != nil || made.By != "ada, approved by bea" {
			t.Errorf("version %d was made by %q: %v", r.Applied, made.By, err)
		}
		refusedBy(t, w.decides(t, r.Code, w.hugo, approval.Approve), approval.RuleDecided)
	})
}

func slower(p failover.Plan) failover.Plan {
	p.Steps = slices.Clone(p.Steps)
	p.Steps[0].Expected += catalog.Duration(time.Second)
	return p
}

func TestWhatNothingIsDecidedByIsSavedByOnePerson(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		e := edited(t, w.world, checkout, func(s *catalog.Service) { s.About, s.Links.Runbook = "Takes the money", "https://example.com/runbook" })
		if _, err := w.EditRecord(w.ctx, w.bea, e); err != nil {
			t.Error(err)
		}
		outlet := catalog.Outlet{Slug: "york", Name: "York", Type: "store"}
		_, err := w.EditRecord(w.ctx, w.bea, store.Edit{Change: catalog.Change{Ref: catalog.Ref{Kind: catalog.KindOutlet, Slug: "york"}, Record: outlet}})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestAChangeRequestBuiltOnAnOldVersionIsAConflictThatShowsBoth(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		r := w.propose(t, w.ada, edited(t, w.world, checkout, owner("Bea")))
		if _, err := w.EditRecord(w.ctx, w.hugo, edited(t, w.world, checkout, func(s *catalog.Service) { s.About = "Takes the money" })); err != nil {
			t.Fatal(err)
		}
		refusedBy(t, w.decides(t, r.Code, w.bea, approval.Approve), approval.RuleBound)
		r, err := w.ChangeRequest(w.ctx, r.Code)
		if err != nil || !r.MustConfirm(w.Now()) {
			t.Fatalf("nobody is asked to confirm: %+v, %v", r, err)
		}
		based, err := w.Rebase(w.ctx, r.Terms, r.FiledAt)
		if err != nil || len(based.Meanwhile) != 1 || !strings.Contains(strings.Join(based.Meanwhile[0].Lines, " "), "Takes the money") {
			t.Fatalf("what was changed meanwhile is not shown: %+v, %v", based.Meanwhile, err)
		}
		if c, err := based.Terms.Records[0].Change(); err != nil || c.Record.(catalog.Service).BusinessOwner != "Bea" || c.Record.(catalog.Service).About != "Takes the money" {
			t.Fatalf("it does not read as both: %+v, %v", c, err)
		}
		digest, err := based.Terms.Digest()
		if err != nil {
			t.Fatal(err)
		}
		confirm := func(by access.Principal, shown string) store.Outcome {
			t.Helper()
			out, err := w.ConfirmChange(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: by, Shown: shown})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		refusedBy(t, confirm(w.olga, digest), approval.RuleOwner)
		refusedBy(t, confirm(w.ada, r.Digest), approval.RuleBound)
		if out := confirm(w.ada, digest); out.Err() != nil {
			t.Fatal(out.Err())
		}
		if out := w.decides(t, r.Code, w.bea, approval.Approve); out.State != failover.Approved {
			t.Fatalf("it is %s: %v", out.State, out.Err())
		}
		if now := w.stands(t, checkout).(catalog.Service); now.BusinessOwner != "Bea" || now.About != "Takes the money" {
			t.Errorf("in force is %+v", now)
		}
	})
}

// TestTwoRequestsForOneRecordAreNotBothAppliedAsWritten: the second is put on top of the first, and shown so, before anyone votes on it.
func TestTwoRequestsForOneRecordAreNotBothAppliedAsWritten(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		first, second := w.propose(t, w.ada, edited(t, w.world, checkout, owner("Bea"))), w.propose(t, w.olga, edited(t, w.world, checkout, owner("Hugo")))
		w.decides(t, first.Code, w.bea, approval.Approve)
		refusedBy(t, w.decides(t, second.Code, w.bea, approval.Approve), approval.RuleBound)
		if now := w.stands(t, checkout).(catalog.Service); now.BusinessOwner != "Bea" {
			t.Errorf("in force is %q", now.BusinessOwner)
		}
	})
}

func TestAChangeIsAppliedWholeAndWhatIsWrongIsToldWhenItIsProposed(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		only := catalog.Policy{
			Slug: "tier-1-move", Name: "Emergencies", Action: catalog.ActMove, Mode: "emergency", Needs: []catalog.Need{{Role: access.BusinessOwner, Persons: 1}},
			RecentSignIn: catalog.Duration(time.Minute), Lifetime: catalog.Duration(time.Minute),
		}
		good := edited(t, w.world, checkout, owner("Bea"))
		_, err := w.ProposeBundle(w.ctx, w.ada.Person(), store.NewID(), store.Bundle{Records: []catalog.Entry{{Ref: good.Ref, Record: good.Record}, entry(only)}}, store.Manner{})
		if fault.KindOf(err) != fault.Invalid {
			t.Fatalf("planned moves would have no policy: %v", err)
		}
		if open, err := w.OpenChangeRequests(w.ctx); err != nil || len(open) != 0 {
			t.Errorf("%d are open: %v", len(open), err)
		}
	})
}

func TestWhoRunsTheCommandLineCountsForNobody(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		e := edited(t, w.world, checkout, owner("Bea"))
		r, err := w.ProposeBundle(w.ctx, access.Person{ID: store.CommandLine + "root", Name: "root"}, store.NewID(), store.Bundle{Records: []catalog.Entry{{Ref: e.Ref, Record: e.Record}}}, store.Manner{})
		if err != nil {
			t.Fatal(err)
		}
		if out := w.decides(t, r.Code, w.ada, approval.Approve); out.State != failover.Requested {
			t.Fatalf("one person beside the command line made it %s", out.State)
		}
		if out := w.decides(t, r.Code, w.bea, approval.Approve); out.State != failover.Approved {
			t.Fatalf("two people made it %s: %v", out.State, out.Err())
		}
	})
}

func TestUntilSomebodyElseCouldApproveOnePersonChangesAloneAndNeverAgain(t *testing.T) {
	eachEmpty(t, func(t *testing.T, w world) {
		if err := w.Ship(w.ctx, "ada@example.com"); err != nil {
			t.Fatal(err)
		}
		ada := w.known(t, "ada")
		second := catalog.Assignment{Slug: "second", Name: "Second administrator", Role: access.Administrator, Person: "olga@example.com"}
		ref := catalog.Ref{Kind: catalog.KindAssignment, Slug: second.Slug}
		if _, err := w.EditRecord(w.ctx, ada, store.Edit{Change: catalog.Change{Ref: ref, Record: second}}); err != nil {
			t.Fatalf("the first administrator cannot name a second one: %v", err)
		}
		stands, err := w.Standing(w.ctx, ref)
		if err != nil {
			t.Fatal(err)
		}
		retire := store.Edit{Change: catalog.Change{Ref: ref}, Base: stands.Since}
		_, err = w.EditRecord(w.ctx, ada, retire)
		ruledBy(t, "the second is retired by the first alone", err, store.RuleFourEyes)
		_, err = w.ProposeEdit(w.ctx, ada, store.NewID(), retire)
		ruledBy(t, "the second is retired", err, store.RuleStaysByTwo)
		ending := second
		ending.Until = "2031-01-01"
		_, err = w.ProposeEdit(w.ctx, ada, store.NewID(), store.Edit{Change: catalog.Change{Ref: ref, Record: ending}, Base: stands.Since})
		ruledBy(t, "the second ends by itself", err, store.RuleStaysByTwo)
	})
}

func TestAPolicyChangeVoidsOpenVotesOnChangesToo(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		r := w.propose(t, w.ada, edited(t, w.world, checkout, owner("Bea")))
		policy := w.propose(t, w.ada, edited(t, w.world, catalog.Ref{Kind: catalog.KindPolicy, Slug: "any-change-catalogue"}, func(p *catalog.Policy) {
			p.Needs = []catalog.Need{{Role: access.BusinessOwner, Persons: 2}}
		}))
		if out := w.decides(t, policy.Code, w.olga, approval.Approve); out.State != failover.Approved {
			t.Fatal(out.Err())
		}
		refusedBy(t, w.decides(t, r.Code, w.bea, approval.Approve), approval.RuleBound)
		if said := w.record(t, store.Filter{Object: r.Code, Action: "change.void-votes"}); len(said) != 1 {
			t.Errorf("it is said %d times that votes are void", len(said))
		}
	})
}

func TestAChangeRequestRunsOutAndSilenceIsNo(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		r := w.propose(t, w.ada, edited(t, w.world, checkout, owner("Bea")))
		w.clock.add(8 * 24 * time.Hour)
		refusedBy(t, w.decides(t, r.Code, w.bea, approval.Approve), approval.RuleExpiry)
		if err := w.ExpireChanges(w.ctx); err != nil {
			t.Fatal(err)
		}
		if r, err := w.ChangeRequest(w.ctx, r.Code); err != nil || r.State != approval.Expired {
			t.Errorf("it is %s, %v", r.State, err)
		}
	})
}

// TestAChangeIsTakenBackTheSameWay: with what was changed since left as it is.
func TestAChangeIsTakenBackTheSameWay(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		before := w.stands(t, checkout).(catalog.Service)
		r := w.propose(t, w.ada, edited(t, w.world, checkout, owner("Bea")))
		w.decides(t, r.Code, w.bea, approval.Approve)
		r, err := w.ChangeRequest(w.ctx, r.Code)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.EditRecord(w.ctx, w.hugo, edited(t, w.world, checkout, func(s *catalog.Service) { s.About = "Takes the money" })); err != nil {
			t.Fatal(err)
		}
		changed, err := w.ChangedBy(w.ctx, r.Applied, 10)
		if err == nil {
			err = w.DraftTakingBack(w.ctx, w.olga.Person(), r.Applied, changed)
		}
		if err != nil {
			t.Fatal(err)
		}
		back := w.proposeDraft(t, w.olga)
		if back.Undoes != r.Applied {
			t.Errorf("it does not say what it takes back: %d", back.Undoes)
		}
		if out := w.decides(t, back.Code, w.bea, approval.Approve); out.State != failover.Approved {
			t.Fatal(out.Err())
		}
		now := w.stands(t, checkout).(catalog.Service)
		if now.BusinessOwner != before.BusinessOwner || now.About != "Takes the money" {
			t.Errorf("in force is %+v", now)
		}
	})
}

// proposeDraft files what somebody has put together as they are shown it.
func (w world) proposeDraft(t *testing.T, by access.Principal) change.Request {
	t.Helper()
	draft, err := w.Draft(w.ctx, by.ID)
	if err != nil {
		t.Fatal(err)
	}
	based, err := w.Rebase(w.ctx, draft.Terms, w.Now())
	if err != nil {
		t.Fatal(err)
	}
	shown, err := store.ShownDigest(based.Terms)
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.ProposeDraft(w.ctx, by, store.NewID(), shown, "because")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatIsPutTogetherIsProposedAsItWasShown(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		add := func(e store.Edit) {
			t.Helper()
			if err := w.AddToDraft(w.ctx, w.ada.Person(), e); err != nil {
				t.Fatal(err)
			}
		}
		site := catalog.Site{Slug: "cork", Name: "Cork"}
		add(store.Edit{Change: catalog.Change{Ref: catalog.Ref{Kind: catalog.KindSite, Slug: "cork"}, Record: site}})
		add(edited(t, w.world, checkout, func(s *catalog.Service) {
			s.Deployments = append(slices.Clone(s.Deployments), catalog.Deployment{Site: "cork", Role: catalog.Cold})
		}))
		_, err := w.ProposeDraft(w.ctx, w.ada, store.NewID(), "sha256:other", "because")
		ruledBy(t, "what was not shown is proposed", err, approval.RuleBound)
		r := w.proposeDraft(t, w.ada)
		if len(r.Terms.Records) != 2 {
			t.Fatalf("%+v", r.Terms)
		}
		if left, err := w.Draft(w.ctx, w.ada.ID); err != nil || !left.Terms.Empty() {
			t.Errorf("the draft is still there: %+v, %v", left, err)
		}
		if out := w.decides(t, r.Code, w.bea, approval.Approve); out.State != failover.Approved {
			t.Fatal(out.Err())
		}
		if w.stands(t, catalog.Ref{Kind: catalog.KindSite, Slug: "cork"}) == nil {
			t.Error("the site is not in force")
		}
	})
}

// TestAChangeIsAppliedOnceHoweverManyApproveAtOnce: and pressed twice it is one vote.
func TestAChangeIsAppliedOnceHoweverManyApproveAtOnce(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		r := w.propose(t, w.ada, edited(t, w.world, checkout, owner("Bea")))
		before, err := w.Catalog(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		people := []access.Principal{w.olga, w.bea, w.hugo}
		var all sync.WaitGroup
		for _, p := range people {
			p.SignedInAt = w.Now()
			vote := store.Vote{ID: store.NewID(), Code: r.Code, By: p, Verdict: approval.Approve, Digest: r.Digest}
			for range 2 {
				all.Go(func() {
					if _, err := w.DecideChange(w.ctx, vote); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		after, err := w.Catalog(w.ctx)
		if err != nil || after.Version != before.Version+1 {
			t.Errorf("version %d became %d: %v", before.Version, after.Version, err)
		}
		if r, err = w.ChangeRequest(w.ctx, r.Code); err != nil || len(r.Decisions) != 1 || r.Applied != after.Version {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestNobodyProposesWhatTheyMayNotGive(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		w.give(t, catalog.Assignment{Slug: "leeds-admin", Name: "Leeds", Role: access.Administrator, Person: "lee@example.com", Sites: []string{"leeds"}})
		lee := w.known(t, "lee")
		everywhere := catalog.Assignment{Slug: "lee-everywhere", Name: "Lee", Role: access.Administrator, Person: "lee@example.com"}
		_, err := w.ProposeEdit(w.ctx, lee, store.NewID(), store.Edit{Change: catalog.Change{Ref: catalog.Ref{Kind: catalog.KindAssignment, Slug: everywhere.Slug}, Record: everywhere}})
		ruledBy(t, "an administrator of one site gives everything", err, store.RuleOwnScope)
	})
}
