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
)

// asking is a request that the order filed for people, and whose votes a new plan has voided.
func (w ordered) asking(t *testing.T) failover.Request {
	t.Helper()
	o := collapse(t, w.world)
	o.Forbidden = []catalog.Window{{Name: "not now"}}
	w.approved(t, o)
	w.bad(t)
	r := w.the(t, w.follow(t, time.Minute), approval.Requested)
	change := w.propose(t, w.ada, edited(t, w.world, catalog.Ref{Kind: catalog.KindSignal, Slug: "checkout-volume"}, func(s *catalog.Signal) { s.Unit = "sales" }))
	if out := w.decides(t, change.Code, w.bea, approval.Approve); out.Err() != nil {
		t.Fatal(out.Err())
	}
	r, err := w.Request(w.ctx, r.Code)
	if err != nil || !r.MustConfirm(w.Now()) {
		t.Fatalf("nobody is asked to confirm: %+v, %v", r, err)
	}
	said := w.record(t, store.Filter{Object: r.Code, Action: "request.void-votes"})
	if len(said) != 1 || !strings.Contains(said[0].Text, "Somebody who may ask for the same must confirm") {
		t.Errorf("who confirms, by the record: %+v", said)
	}
	return r
}

// TestWhatNobodyInParticularAsksForIsConfirmedAndWithdrawnByWhoeverMayAsk: an order cannot, and would keep people's requests out.
func TestWhatNobodyInParticularAsksForIsConfirmedAndWithdrawnByWhoeverMayAsk(t *testing.T) {
	eachOrdered(t, func(t *testing.T, w ordered) {
		r := w.asking(t)
		terms, err := w.TermsNow(w.ctx, r.Terms, r.FiledAt)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := terms.Digest()
		if err != nil {
			t.Fatal(err)
		}
		confirm := func(by access.Principal) store.Outcome {
			out, err := w.ConfirmAnew(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: by, Shown: shown})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		withdraw := func(by access.Principal) store.Outcome {
			out, err := w.Withdraw(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: by})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		refusedBy(t, confirm(w.bea), approval.RuleOwner) // an owner may not ask for a move
		no := withdraw(w.bea)
		refusedBy(t, no, approval.RuleOwner)
		if who := no.Refusal.Who; who != "Somebody who may ask for the same" {
			t.Errorf("who can act is said to be %q", who)
		}
		if out := confirm(w.carl); out.Err() != nil {
			t.Fatal(out.Err())
		}
		if r.Digest = shown; w.vote(t, r, w.carl, approval.Approve).State != failover.Requested {
			t.Error("one person is enough")
		}
		if out := withdraw(w.carl); out.State != failover.Withdrawn {
			t.Fatal(out.Err())
		}
		for _, action := range []string{"request.confirm", "request.withdraw"} {
			if said := w.record(t, store.Filter{Object: r.Code, Action: action, Outcome: "done"}); len(said) != 1 || said[0].Actor.Name != "carl" {
				t.Errorf("on record: %+v", said)
			}
		}
		if by, err := w.WithdrawnBy(w.ctx, r.Code); err != nil || by.Name != "carl" {
			t.Errorf("withdrawn by %+v, %v", by, err)
		}
		w.file(t, w.carl)
	})
}

func TestWhatTheCommandLineProposedIsWithdrawnByWhoeverMayPropose(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		e := edited(t, w.world, checkout, owner("Bea"))
		r, err := w.ProposeBundle(w.ctx, access.Person{ID: store.CommandLine + "root", Name: "root"}, store.NewID(), store.Bundle{Records: []catalog.Entry{{Ref: e.Ref, Record: e.Record}}}, store.Manner{})
		if err != nil {
			t.Fatal(err)
		}
		withdraw := func(by access.Principal) store.Outcome {
			out, err := w.WithdrawChange(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: by})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		refusedBy(t, withdraw(w.known(t, "carl", "incident-commanders")), approval.RuleOwner)
		if out := withdraw(w.hugo); out.State != failover.Withdrawn {
			t.Errorf("it is %s: %v", out.State, fault.As(out.Err()))
		}
	})
}
