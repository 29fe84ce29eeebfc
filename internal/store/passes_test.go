package store_test

import (
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// TestWhoCannotDecidePassesOnceInARoundAndMayStillVote; both are on record, and a pass is no vote.
func TestWhoCannotDecidePassesOnceInARoundAndMayStillVote(t *testing.T) {
	eachDatabase(t, func(t *testing.T, w world) {
		ines, bea := w.someone(t, "Ines", "incident-commanders"), w.someone(t, "Bea", "business-owners")
		r := w.file(t, ines)
		pass := func(id string, by access.Principal) store.Outcome {
			out, err := w.Pass(w.ctx, store.Amend{ID: id, Code: r.Code, By: by})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		refusedBy(t, pass(store.NewID(), ines), approval.RuleTwoPeople)
		act := store.NewID()
		for range 2 { // a doubled press is the same act
			if out := pass(act, bea); out.Err() != nil || out.State != failover.Requested {
				t.Fatalf("%+v", out)
			}
		}
		refusedBy(t, pass(store.NewID(), bea), approval.RulePassOnce)
		r, err := w.Request(w.ctx, r.Code)
		if err != nil || len(r.Decisions) != 0 || len(r.Passed()) != 1 || r.Passed()[0].By.Name != "Bea" {
			t.Fatalf("%+v, %v", r, err)
		}
		if done := w.record(t, store.Filter{Object: r.Code, Action: "request.pass", Outcome: "done"}); len(done) != 1 {
			t.Errorf("on record: %+v", done)
		}
		if refused := w.record(t, store.Filter{Object: r.Code, Action: "request.pass", Outcome: "refused"}); len(refused) != 2 {
			t.Errorf("refusals on record: %+v", refused)
		}
		if out := w.vote(t, r, bea, approval.Approve); out.State != failover.Approved {
			t.Errorf("who passed may not vote: %+v", out)
		}
	})
}
