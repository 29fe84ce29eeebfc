package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

func TestWhatSomebodyElseDidToARunIsNotOverwrittenByItsWorker(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines, bea := w.someone(t, "Ines", "incident-commanders"), w.someone(t, "Bea", "business-owners")
		r := w.file(t, ines)
		w.vote(t, r, bea, approval.Approve)
		if _, err := w.Claim(w.ctx, r.Code); err != nil {
			t.Fatal(err)
		}
		gates, err := w.Begin(w.ctx, r.Code, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Succeed(w.ctx, gates, "all hold", nil, nil); err != nil {
			t.Fatal(err)
		}
		fence, err := w.Begin(w.ctx, r.Code, 1)
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.Command(w.ctx, store.Command{ID: store.NewID(), Code: r.Code, By: ines, Steer: failover.SteerPause})
		if err != nil || out.Refusal != nil {
			t.Fatalf("%v, %+v", err, out.Refusal)
		}
		next, err := w.Succeed(w.ctx, fence, "fenced", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		run, err := w.Run(w.ctx, r.Code)
		if err != nil || run.State != failover.Paused || next.Do != failover.DoWait || run.Steps[1].State != failover.StepDone {
			t.Errorf("%s, next %+v, %v", run.State, next, err)
		}
		intents := w.record(t, store.Filter{Object: r.Code, Action: "run.step"})
		if len(intents) != 4 {
			t.Errorf("%d lines about two steps", len(intents))
		}
	})
}

func TestTheIdOfOneActDoesNotAnswerForAnother(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines, bea, hugo := w.someone(t, "Ines", "incident-commanders"), w.someone(t, "Bea", "business-owners"), w.someone(t, "Hugo", "business-owners")
		r := w.file(t, ines)
		sheet, err := w.NewestSheet(w.ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		yes := store.Vote{ID: store.NewID(), Code: r.Code, By: bea, Verdict: approval.Approve, Comment: "seen", Digest: r.Digest, Sheet: sheet.Digest}
		first, err := w.Decide(w.ctx, yes)
		if err != nil || first.Refusal != nil || first.Other(yes.Of()) != nil {
			t.Fatalf("%+v, %v", first, err)
		}
		no := yes
		no.Verdict = approval.Reject
		other := yes
		other.By = hugo
		for name, v := range map[string]store.Vote{"another verdict": no, "another person": other} {
			if first.Other(v.Of()) == nil {
				t.Errorf("%s is taken for the same act", name)
			}
			out, err := w.Decide(w.ctx, v)
			if err != nil || out.Refusal == nil || out.Refusal.Rule != store.RuleActTwice {
				t.Errorf("%s under the same id: %+v, %v", name, out, err)
			}
		}
	})
}

// shopCatalog is the shop's catalogue, to be changed.
func shopCatalog(t *testing.T) catalog.Catalog {
	t.Helper()
	c, err := shop(t).Catalog(catalog.Catalog{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// target is the site that runs of these tests move to.
func target(c *catalog.Catalog) *catalog.Site {
	return &c.Sites[slices.IndexFunc(c.Sites, func(s catalog.Site) bool { return s.Slug == "dublin" })]
}

func TestAnAddressThatIsAppliedAnewVoidsVotesAndARunKeepsItsOwn(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines, bea := w.someone(t, "Ines", "incident-commanders"), w.someone(t, "Bea", "business-owners")
		r := w.file(t, ines)
		apply := func(change func(*catalog.Catalog)) {
			t.Helper()
			b, c := shop(t), shopCatalog(t)
			change(&c)
			b.Records = slices.Collect(c.Entries())
			testkit.Change(t, w.Store, b, store.Manner{})
		}
		stands := func() failover.Request {
			t.Helper()
			now, err := w.Request(w.ctx, r.Code)
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		apply(func(c *catalog.Catalog) { c.Capabilities[0].RevenuePerHour++ })
		if !stands().Open {
			t.Error("a change elsewhere in the catalogue voids votes")
		}
		first := shopCatalog(t)
		was := target(&first).Addresses["url"]
		apply(func(c *catalog.Catalog) { target(c).Addresses["url"] = "http://elsewhere" })
		if stands().Open {
			t.Fatal("another address of the target leaves the vote open")
		}
		refusedBy(t, w.vote(t, r, bea, approval.Approve), approval.RuleBound)
		terms, err := w.TermsNow(w.ctx, stands().Terms, stands().FiledAt)
		if err != nil {
			t.Fatal(err)
		}
		old, err := w.CatalogAt(w.ctx, r.Terms.Catalog)
		if err != nil {
			t.Fatal(err)
		}
		now, err := w.Catalog(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Terms.DiffGrounds(old.Catalog, now.Catalog); len(got) != 1 || !strings.Contains(got[0], was) || !strings.Contains(got[0], "http://elsewhere") {
			t.Errorf("the difference is told as %q", got)
		}
		shown, err := terms.Digest()
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.ConfirmAnew(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: ines, Shown: shown})
		if err != nil || out.Refusal != nil {
			t.Fatalf("%+v, %v", out.Refusal, err)
		}
		if out = w.vote(t, stands(), bea, approval.Approve); out.Refusal != nil {
			t.Fatal(out.Refusal.Message)
		}
		if _, err := w.Claim(w.ctx, r.Code); err != nil {
			t.Fatal(err)
		}
		apply(func(c *catalog.Catalog) { target(c).Addresses["url"] = "http://a-third" })
		run, err := w.Run(w.ctx, r.Code)
		if err != nil {
			t.Fatal(err)
		}
		ground, err := w.CatalogAt(w.ctx, run.Terms.Catalog)
		if err != nil || target(&ground.Catalog).Addresses["url"] != "http://elsewhere" {
			t.Errorf("the run acts at %q, %v", target(&ground.Catalog).Addresses["url"], err)
		}
	})
}

func TestAnUndoThatWasCutOffIsSettledByTheNextAttempt(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines, bea := w.someone(t, "Ines", "incident-commanders"), w.someone(t, "Bea", "business-owners")
		r := w.file(t, ines)
		w.vote(t, r, bea, approval.Approve)
		next, err := w.Claim(w.ctx, r.Code)
		if err != nil {
			t.Fatal(err)
		}
		gates, err := w.Begin(w.ctx, r.Code, next.Step)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Succeed(w.ctx, gates, "all hold", nil, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Begin(w.ctx, r.Code, 1); err != nil { // and it is cut off
			t.Fatal(err)
		}
		out, err := w.Command(w.ctx, store.Command{ID: store.NewID(), Code: r.Code, By: ines, Steer: failover.SteerAbort, Note: "Leeds is back"})
		if err != nil || out.Refusal != nil || out.Directive != (failover.Directive{Do: failover.DoUndo, Step: 1}) {
			t.Fatalf("%+v, %v", out, err)
		}
		if _, err := w.BeginUndo(w.ctx, r.Code, 1); err != nil { // and it is cut off too
			t.Fatal(err)
		}
		again, err := w.BeginUndo(w.ctx, r.Code, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Undid(w.ctx, again, "", nil); err != nil {
			t.Fatal(err)
		}
		for _, line := range w.record(t, store.Filter{Object: r.Code, Action: "run.step"}) {
			if line.Open {
				t.Errorf("%s has no outcome", line.Act)
			}
		}
		if _, err := w.BeginUndo(w.ctx, r.Code, 1); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a step that is undone is undone again: %v", err)
		}
	})
}

func TestARequestIsFiledOnlyAsItWasChecked(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines := w.someone(t, "Ines", "incident-commanders")
		wish := w.wish(t)
		plan := shop(t).Plans[0]
		plan.Steps[0].Expected += 1e9
		testkit.Change(t, w.Store, store.Bundle{Plans: []failover.Plan{plan}}, store.Manner{})
		if _, err := w.FileRequest(w.ctx, ines, wish); fault.KindOf(err) != fault.Conflict {
			t.Errorf("filed with a plan that nobody was shown: %v", err)
		}
	})
}

func TestTwoWhoFileAtOnceGetOneRequest(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		var filed sync.WaitGroup
		errs := make([]error, 16)
		for i := range errs {
			by, wish := w.someone(t, fmt.Sprintf("Commander %d", i), "incident-commanders"), w.wish(t)
			filed.Go(func() { _, errs[i] = w.FileRequest(w.ctx, by, wish) })
		}
		filed.Wait()
		got := 0
		for _, err := range errs {
			if err == nil {
				got++
			} else if f := fault.As(err); f == nil || f.Rule != store.RuleAlone {
				t.Error(err)
			}
		}
		open, err := w.OpenRequests(w.ctx)
		if err != nil || got != 1 || len(open) != 1 {
			t.Errorf("%d were filed, %d are open, %v", got, len(open), err)
		}
	})
}
