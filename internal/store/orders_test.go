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

var order = catalog.Ref{Kind: catalog.KindStandingOrder, Slug: "collapse"}

// ordered is a shop in which a standing order is in force that ada proposed and bea approved.
type ordered struct {
	governed
	carl access.Principal
}

// collapse is an order that fits the shop's plan.
func collapse(t *testing.T, w world) catalog.StandingOrder {
	t.Helper()
	plan, err := w.Plan(w.ctx, "move-checkout", 0)
	if err != nil {
		t.Fatal(err)
	}
	return catalog.StandingOrder{
		Slug: order.Slug, Name: "Checkout collapses", Plan: plan.Slug, PlanVersion: plan.Version, Services: plan.What.Services,
		From: "leeds", To: "dublin", Cause: "site", Signals: []string{"checkout-success"}, BadFor: catalog.Duration(30 * time.Second),
		CeilingIn: "orders", Ceiling: 50, Apart: catalog.Duration(time.Hour), Until: "2026-08-31",
	}
}

func eachOrdered(t *testing.T, test func(t *testing.T, w ordered)) {
	eachGoverned(t, func(t *testing.T, g governed) {
		w := ordered{governed: g, carl: g.known(t, "carl", "incident-commanders")}
		w.allowInAdvance(t)
		w.approved(t, collapse(t, w.world))
		test(t, w)
	})
}

// allowInAdvance has the policy for moves accept approvals in advance.
func (w ordered) allowInAdvance(t *testing.T) {
	t.Helper()
	r := w.propose(t, w.ada, edited(t, w.world, catalog.Ref{Kind: catalog.KindPolicy, Slug: "tier-1-move"}, func(p *catalog.Policy) { p.InAdvance = true }))
	if out := w.decides(t, r.Code, w.olga, approval.Approve); out.State != failover.Approved {
		t.Fatal(out.Err())
	}
}

func (w ordered) approved(t *testing.T, o catalog.StandingOrder) {
	t.Helper()
	base := 0
	if stands, err := w.Standing(w.ctx, order); err != nil {
		t.Fatal(err)
	} else if stands != nil {
		base = stands.Since
	}
	r := w.propose(t, w.ada, store.Edit{Change: catalog.Change{Ref: order, Record: o}, Base: base, Why: "minutes matter"})
	if out := w.decides(t, r.Code, w.bea, approval.Approve); out.State != failover.Approved {
		t.Fatal(out.Err())
	}
}

// bad has the signal be bad since now.
func (w ordered) bad(t *testing.T) {
	t.Helper()
	now := w.Now()
	r := failover.Reading{Key: failover.SignalKey("checkout-success"), Value: 0.1, At: now, Bad: true, BadSince: &now}
	if err := w.SaveReadings(w.ctx, []failover.Reading{r}); err != nil {
		t.Fatal(err)
	}
}

// passes lets time pass while the watch goes on reading.
func (w ordered) passes(t *testing.T, after time.Duration) {
	t.Helper()
	w.clock.add(after)
	before, err := w.Readings(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var now []failover.Reading
	for _, r := range before {
		r.At = w.Now()
		now = append(now, r)
	}
	if err := w.SaveReadings(w.ctx, now); err != nil {
		t.Fatal(err)
	}
}

// follow lets time pass and the orders act, more often than needed.
func (w ordered) follow(t *testing.T, after time.Duration) []failover.Request {
	t.Helper()
	w.passes(t, after)
	for range 3 {
		if err := w.FollowOrders(w.ctx); err != nil {
			t.Fatal(err)
		}
	}
	starts, err := w.Starts(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var filed []failover.Request
	for _, s := range starts {
		r, err := w.Request(w.ctx, s.Code)
		if err != nil {
			t.Fatal(err)
		}
		filed = append(filed, r)
	}
	return filed
}

func (w ordered) the(t *testing.T, filed []failover.Request, state approval.State) failover.Request {
	t.Helper()
	if len(filed) != 1 || filed[0].State != state {
		t.Fatalf("not one request that is %s: %+v", state, filed)
	}
	return filed[0]
}

func TestAStandingOrderActsOnceWhenItsSignalsHaveBeenBadForItsTime(t *testing.T) {
	eachOrdered(t, func(t *testing.T, w ordered) {
		w.bad(t)
		if early := w.follow(t, 29*time.Second); len(early) > 0 {
			t.Fatalf("it acts too early: %+v", early)
		}
		r := w.the(t, w.follow(t, 2*time.Second), approval.Approved)
		if r.Requester.Name != "Standing order Checkout collapses" || !strings.Contains(r.Reason, "proposed by ada and approved by bea") || r.Terms.Ceiling.Value != 50 {
			t.Errorf("%+v", r)
		}
		if in, err := w.Incident(w.ctx, r.Incident); err != nil || in.Title != "Checkout success has collapsed" {
			t.Errorf("its incident: %+v, %v", in, err)
		}
		next, err := w.Claim(w.ctx, r.Code)
		if err != nil || next.Do != failover.DoCheckGates {
			t.Errorf("its run: %+v, %v", next, err)
		}
		started := w.record(t, store.Filter{Action: "order.start"})
		if len(started) != 1 || started[0].Object != r.Code {
			t.Errorf("on record: %+v", started)
		}
		stands, err := w.Standing(w.ctx, order)
		if err != nil {
			t.Fatal(err)
		}
		if use, err := w.OrderUse(w.ctx, collapse(t, w.world), stands.Since); err != nil || use.Count != 1 || use.By.Requester.Name != "ada" {
			t.Errorf("its use: %+v, %v", use, err)
		}
	})
}

// TestAStandingOrderThatIsGoneBetweenSignalAndStartDoesNotStart: revoked, run out, or changed, before it acts and after.
func TestAStandingOrderThatIsGoneBetweenSignalAndStartDoesNotStart(t *testing.T) {
	for name, gone := range map[string]func(*testing.T, ordered){
		"revoked": func(t *testing.T, w ordered) {
			if err := w.RevokeOrder(w.ctx, w.bea, order.Slug, "not tonight"); err != nil {
				t.Fatal(err)
			}
		},
		"run out": func(_ *testing.T, w ordered) { w.clock.add(200 * 24 * time.Hour) },
		"changed": func(t *testing.T, w ordered) {
			o := collapse(t, w.world)
			o.Ceiling = 5
			w.approved(t, o)
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachOrdered(t, func(t *testing.T, w ordered) {
				w.bad(t)
				if name != "changed" { // which is another order, in force
					w.clock.add(29 * time.Second)
					gone(t, w)
					if filed := w.follow(t, 5*time.Second); len(filed) > 0 {
						t.Fatalf("what is gone acts: %+v", filed)
					}
				}
			})
			eachOrdered(t, func(t *testing.T, w ordered) {
				w.bad(t)
				r := w.the(t, w.follow(t, 31*time.Second), approval.Approved)
				gone(t, w)
				next, err := w.Claim(w.ctx, r.Code)
				if err != nil || next.Do != failover.DoEnd {
					t.Fatalf("it starts: %+v, %v", next, err)
				}
				if r, err = w.Request(w.ctx, r.Code); err != nil || r.State != approval.Withdrawn {
					t.Errorf("it is %s, %v", r.State, err)
				}
				if refused := w.record(t, store.Filter{Action: "order.gone"}); len(refused) != 1 || refused[0].Rule != store.RuleOrderGone {
					t.Errorf("on record: %+v", refused)
				}
			})
		})
	}
}

// TestAStandingOrderThatMayNotActAsksPeople, who must be two: an order is nobody.
func TestAStandingOrderThatMayNotActAsksPeople(t *testing.T) {
	for why, spoil := range map[string]func(*testing.T, ordered){
		"not now": func(t *testing.T, w ordered) {
			o := collapse(t, w.world)
			o.Forbidden = []catalog.Window{{Name: "not now"}}
			w.approved(t, o)
		},
		"hold their role": func(t *testing.T, w ordered) { w.known(t, "bea", "auditors") },
		"asks people each time": func(t *testing.T, w ordered) {
			peak := edited(t, w.world, catalog.Ref{Kind: catalog.KindCapability, Slug: "checkout"}, func(c *catalog.Capability) {
				c.Peaks = []catalog.Peak{{Name: "always", Times: 2}}
			})
			r := w.propose(t, w.ada, peak)
			w.decides(t, r.Code, w.bea, approval.Approve)
			stands, err := w.Standing(w.ctx, catalog.Ref{Kind: catalog.KindPolicy, Slug: "tier-1-move"})
			if err != nil {
				t.Fatal(err)
			}
			p := stands.Record.(catalog.Policy)
			p.Slug, p.Name, p.When, p.InAdvance = "peak-move", "At peak", "peak", false
			r = w.propose(t, w.ada, store.Edit{Change: catalog.Change{Ref: catalog.Ref{Kind: catalog.KindPolicy, Slug: p.Slug}, Record: p}})
			w.decides(t, r.Code, w.olga, approval.Approve)
		},
		"described otherwise": func(t *testing.T, w ordered) {
			r := w.propose(t, w.ada, edited(t, w.world, catalog.Ref{Kind: catalog.KindSignal, Slug: "checkout-volume"}, func(s *catalog.Signal) { s.Unit = "sales" }))
			if out := w.decides(t, r.Code, w.bea, approval.Approve); out.Err() != nil {
				t.Fatal(out.Err())
			}
		},
	} {
		t.Run(why, func(t *testing.T) {
			eachOrdered(t, func(t *testing.T, w ordered) {
				spoil(t, w)
				w.bad(t)
				r := w.the(t, w.follow(t, 31*time.Second), approval.Requested)
				if !strings.Contains(r.Reason, why) {
					t.Errorf("it says %q", r.Reason)
				}
				b, err := w.Ballot(w.ctx, r)
				if err != nil || !b.Faceless {
					t.Errorf("one person is enough: %+v, %v", b, err)
				}
			})
		})
	}
}

func TestWhatPeopleHaveAskedForIsLeftToThem(t *testing.T) {
	eachOrdered(t, func(t *testing.T, w ordered) {
		w.bad(t)
		asked := w.file(t, w.carl)
		filed := w.follow(t, time.Minute)
		if len(filed) != 1 || filed[0].Code != asked.Code {
			t.Errorf("%+v", filed)
		}
	})
}

func TestOnlyWhatMayBeApprovedInAdvanceIsOrdered(t *testing.T) {
	eachGoverned(t, func(t *testing.T, w governed) {
		o := collapse(t, w.world)
		_, err := w.ProposeEdit(w.ctx, w.ada, store.NewID(), store.Edit{Change: catalog.Change{Ref: order, Record: o}})
		ruledBy(t, "a policy that asks people each time", err, approval.RuleInAdvance)
		_, err = w.EditRecord(w.ctx, w.ada, store.Edit{Change: catalog.Change{Ref: order, Record: o}})
		ruledBy(t, "alone", err, store.RuleFourEyes)
		ordered{governed: w}.allowInAdvance(t)
		for field, spoil := range map[string]func(*catalog.StandingOrder){
			"plan":         func(o *catalog.StandingOrder) { o.Plan = "none" },
			"plan_version": func(o *catalog.StandingOrder) { o.PlanVersion = 9 },
			"services":     func(o *catalog.StandingOrder) { o.Services = o.Services[:1] },
			"to":           func(o *catalog.StandingOrder) { o.To = "leeds" },
			"until":        func(o *catalog.StandingOrder) { o.Until = "2036-01-01" },
			"signals":      func(o *catalog.StandingOrder) { o.Signals = nil },
		} {
			o := collapse(t, w.world)
			spoil(&o)
			_, err := w.ProposeEdit(w.ctx, w.ada, store.NewID(), store.Edit{Change: catalog.Change{Ref: order, Record: o}})
			if f := fault.As(err); f == nil || f.Fields[field] == "" {
				t.Errorf("%s: %v", field, err)
			}
		}
	})
}

func TestAStandingOrderIsApprovedByThoseWhoWouldDecideOnTheMove(t *testing.T) {
	eachGoverned(t, func(t *testing.T, g governed) {
		w := ordered{governed: g}
		w.allowInAdvance(t)
		r := w.propose(t, w.ada, store.Edit{Change: catalog.Change{Ref: order, Record: collapse(t, w.world)}})
		refusedBy(t, w.decides(t, r.Code, w.olga, approval.Approve), approval.RuleRole)
		refusedBy(t, w.decides(t, r.Code, w.ada, approval.Approve), approval.RuleTwoPeople)
		if left := r.ExpiresAt.Sub(r.FiledAt); left != 7*24*time.Hour {
			t.Errorf("it waits for %s", left)
		}
		if out := w.decides(t, r.Code, w.bea, approval.Approve); out.State != failover.Approved {
			t.Error(out.Err())
		}
	})
}
