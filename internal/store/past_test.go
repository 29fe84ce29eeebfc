package store_test

import (
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// except has a run go past its gates by two people.
func (w world) except(t *testing.T, code string, first, second access.Principal) {
	t.Helper()
	a, err := w.Begin(w.ctx, code, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Fail(w.ctx, a, store.Trouble{Wait: failover.WaitGates, Why: "test"}); err != nil {
		t.Fatal(err)
	}
	id := store.NewID()
	for _, c := range []store.Command{
		{ID: id, Code: code, By: first, Propose: failover.OverrideGate, Note: "no power in Leeds"},
		{ID: store.NewID(), Code: code, By: second, Confirm: id, Digits: failover.Exception{ID: id}.Code()},
	} {
		if out, err := w.Command(w.ctx, c); err != nil || out.Err() != nil {
			t.Fatal(err, out.Err())
		}
	}
}

// TestAChangeOfPoliciesIsHeldAgainstEverySortOfDecision: requests, change requests and exceptions.
func TestAChangeOfPoliciesIsHeldAgainstEverySortOfDecision(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		carl, cara := w.known(t, "carl", "incident-commanders"), w.known(t, "cara", "incident-commanders")
		r := w.file(t, carl)
		if out := w.vote(t, r, w.bea, approval.Approve); out.State != failover.Approved {
			t.Fatal(out.Err())
		}
		if _, err := w.Claim(w.ctx, r.Code); err != nil {
			t.Fatal(err)
		}
		w.except(t, r.Code, carl, cara)
		asked := w.propose(t, w.bea, edited(t, w.world, checkout, owner("Hugo")))
		if out := w.decides(t, asked.Code, w.hugo, approval.Approve); out.State != failover.Approved {
			t.Fatal(out.Err())
		}
		past, more, err := w.PastSince(w.ctx, w.Now().Add(-time.Hour), 10)
		if err != nil || more || len(past) != 3 {
			t.Fatalf("%+v, %t, %v", past, more, err)
		}
		now, err := w.Catalog(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for action, code := range map[catalog.Action]string{catalog.ActMove: r.Code, catalog.ActChange: asked.Code, catalog.ActOverride: r.Code + " (override the gates"} {
			after := now.Catalog
			after.Policies = nil
			for _, p := range now.Policies {
				if p.Action == action {
					p.Needs = []catalog.Need{{Role: access.SecurityOfficer, Persons: 2}}
				}
				after.Policies = append(after.Policies, p)
			}
			held, err := change.HeldAgainst(now.Catalog, after, past)
			if err != nil || held.Apart != 2 || len(held.Short) != 1 || !strings.HasPrefix(held.Short[0].Code, code) || seats(held.Short[0].Want) != 2 {
				t.Errorf("%s: %+v, %v", action, held, err)
			}
		}
		if _, more, err = w.PastSince(w.ctx, w.Now().Add(-time.Hour), 0); err != nil || !more {
			t.Errorf("that there is more is not said: %v", err)
		}
	})
}

func seats(wants []approval.Want) (n int) {
	for _, w := range wants {
		n += len(w.Roles)
	}
	return n
}

// TestWhoVotedIsCountedWithTheRolesThatTheyHeldThen, not with those of today.
func TestWhoVotedIsCountedWithTheRolesThatTheyHeldThen(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		r := w.file(t, w.known(t, "carl", "incident-commanders"))
		w.vote(t, r, w.bea, approval.Approve)
		w.known(t, "bea", "auditors")
		past, _, err := w.PastSince(w.ctx, w.Now().Add(-time.Hour), 10)
		if err != nil || len(past) != 1 || len(past[0].Ballot.Yes) != 1 {
			t.Fatalf("%+v, %v", past, err)
		}
		if yes := past[0].Ballot.Yes[0]; !yes.Has(access.BusinessOwner) || yes.Has(access.Auditor) || !past[0].Guessed {
			t.Errorf("bea voted as %v; guessed: %t", yes.Roles, past[0].Guessed)
		}
	})
}
