package store_test

import (
	"strings"
	"testing"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// good has the signal be good now.
func (w ordered) good(t *testing.T) {
	t.Helper()
	if err := w.SaveReadings(w.ctx, []failover.Reading{{Key: failover.SignalKey("checkout-success"), Value: 1, At: w.Now()}}); err != nil {
		t.Fatal(err)
	}
}

func (w ordered) use(t *testing.T) store.OrderUse {
	t.Helper()
	stands, err := w.Standing(w.ctx, order)
	if err != nil || stands == nil {
		t.Fatal(stands, err)
	}
	use, err := w.OrderUse(w.ctx, stands.Record.(catalog.StandingOrder), stands.Since)
	if err != nil {
		t.Fatal(err)
	}
	return use
}

// yields says that the order did nothing, says so, and has it on record once.
func (w ordered) yields(t *testing.T, rule, why string) {
	t.Helper()
	said := w.record(t, store.Filter{Action: "order.yield"})
	if len(said) == 0 || said[0].Rule != rule || !strings.Contains(said[0].Text, why) {
		t.Errorf("on record: %+v", said)
	}
	for i, line := range said {
		if i > 0 && line.Text == said[i-1].Text {
			t.Errorf("it is on record more than once: %s", line.Text)
		}
	}
	if use := w.use(t); !strings.Contains(use.Yields, why) || use.Obstacle != "" {
		t.Errorf("its page says %q, %q", use.Yields, use.Obstacle)
	}
}

func (w ordered) incident(t *testing.T, cause failover.Cause) store.Incident {
	t.Helper()
	in, err := w.OpenIncident(w.ctx, w.carl, store.Incident{ID: store.NewID(), Title: "Odd", Cause: cause, Services: []string{"checkout"}, ImpactAt: w.Now(), ImpactSource: "carl"})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestWhatPeopleDecidedAgainstIsNotDoneByAStandingOrder: nor does it ask them again, until its signals have been good in between.
func TestWhatPeopleDecidedAgainstIsNotDoneByAStandingOrder(t *testing.T) {
	for how, no := range map[string]func(*testing.T, ordered, failover.Request){
		"rejected": func(t *testing.T, w ordered, r failover.Request) {
			if out := w.vote(t, r, w.bea, approval.Reject); out.State != failover.Rejected {
				t.Fatal(out.Err())
			}
		},
		"withdrawn": func(t *testing.T, w ordered, r failover.Request) {
			if out, err := w.Withdraw(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: w.carl}); err != nil || out.Err() != nil {
				t.Fatal(err, out.Err())
			}
		},
	} {
		t.Run(how, func(t *testing.T) {
			eachOrdered(t, func(t *testing.T, w ordered) {
				w.bad(t)
				asked := w.file(t, w.carl)
				no(t, w, asked)
				if filed := w.follow(t, time.Minute); len(filed) != 1 {
					t.Fatalf("it acts or asks: %+v", filed)
				}
				w.yields(t, failover.RuleOrderYields, "people decided against it at")
				w.good(t)
				w.bad(t)
				if filed := w.follow(t, time.Minute); len(filed) != 2 || filed[1].State != approval.Approved {
					t.Errorf("a no lasts for longer than what it was said to: %+v", filed)
				}
			})
		})
	}
}

func TestAStandingOrderAsksUnderTheCauseThatPeopleState(t *testing.T) {
	for _, cause := range []failover.Cause{failover.CauseCompromise, failover.CauseNetwork} {
		t.Run(string(cause), func(t *testing.T) {
			eachOrdered(t, func(t *testing.T, w ordered) {
				in := w.incident(t, cause)
				w.incident(t, failover.CauseUnknown)
				w.bad(t)
				r := w.the(t, w.follow(t, time.Minute), approval.Requested)
				if r.Incident != in.Code || r.Terms.Cause != cause || !strings.Contains(r.Reason, in.Code+" says: "+cause.Title()) {
					t.Errorf("%s, %s: %s", r.Incident, r.Terms.Cause, r.Reason)
				}
			})
		})
	}
}

func TestAStandingOrderDoesNothingWhereMovingDoesNotHelp(t *testing.T) {
	for _, cause := range []failover.Cause{failover.CauseCorruption, failover.CauseRelease, failover.CauseThirdParty} {
		t.Run(string(cause), func(t *testing.T) {
			eachOrdered(t, func(t *testing.T, w ordered) {
				w.incident(t, cause)
				w.bad(t)
				if filed := w.follow(t, time.Minute); len(filed) > 0 {
					t.Fatalf("%+v", filed)
				}
				w.yields(t, failover.RuleCauseFirst, "Moving does not help")
			})
		})
	}
}

func TestAStandingOrderActsBesideAnIncidentThatAgreesOrDoesNotKnow(t *testing.T) {
	for _, cause := range []failover.Cause{failover.CauseSite, failover.CauseUnknown} {
		t.Run(string(cause), func(t *testing.T) {
			eachOrdered(t, func(t *testing.T, w ordered) {
				in := w.incident(t, cause)
				w.bad(t)
				if r := w.the(t, w.follow(t, time.Minute), approval.Approved); r.Incident != in.Code {
					t.Errorf("it is under %s", r.Incident)
				}
			})
		})
	}
}

func TestAStandingOrderActsOnWhatIsSeenWhenItActs(t *testing.T) {
	eachOrdered(t, func(t *testing.T, w ordered) {
		w.bad(t)
		w.passes(t, time.Minute)
		called, err := w.CalledOrders(w.ctx)
		if err != nil || len(called) != 1 {
			t.Fatal(called, err)
		}
		w.good(t)
		w.bad(t)
		if err := w.FollowOrder(w.ctx, called[0]); err != nil {
			t.Fatal(err)
		}
		if filed := w.follow(t, 0); len(filed) > 0 {
			t.Errorf("it acts on what was seen before: %+v", filed)
		}
	})
}

func TestAStandingOrderThatCannotBeFollowedDoesNotKeepOthersFromActing(t *testing.T) {
	eachOrdered(t, func(t *testing.T, w ordered) {
		other := collapse(t, w.world)
		other.Slug, other.Name = "zz-other", "Other"
		r := w.propose(t, w.ada, store.Edit{Change: catalog.Change{Ref: catalog.Ref{Kind: catalog.KindStandingOrder, Slug: other.Slug}, Record: other}})
		if out := w.decides(t, r.Code, w.bea, approval.Approve); out.State != failover.Approved {
			t.Fatal(out.Err())
		}
		if err := w.SpoilVotes(w.ctx, w.use(t).By.ID); err != nil {
			t.Fatal(err)
		}
		w.bad(t)
		w.passes(t, time.Minute)
		if err := w.FollowOrders(w.ctx); err == nil || !strings.Contains(err.Error(), order.Slug) {
			t.Errorf("it is not said: %v", err)
		}
		starts, err := w.Starts(w.ctx)
		if err != nil || len(starts) != 1 {
			t.Errorf("the other one does not act: %v, %v", starts, err)
		}
	})
}

// TestWhoProposedAnOrderAndHoldsNoRoleAnyMoreStopsIt, even where those who approved it are enough without them.
func TestWhoProposedAnOrderAndHoldsNoRoleAnyMoreStopsIt(t *testing.T) {
	eachOrdered(t, func(t *testing.T, w ordered) {
		w.known(t, "ada", "nobody-in-particular")
		w.bad(t)
		r := w.the(t, w.follow(t, time.Minute), approval.Requested)
		if !strings.Contains(r.Reason, "ada, who proposed or approved the order, holds no role any more") {
			t.Errorf("it says %q", r.Reason)
		}
	})
}

func TestOnlyWhatAnOrderStartedByItselfIsCountedAndOnlyAsItStands(t *testing.T) {
	eachOrdered(t, func(t *testing.T, w ordered) {
		w.bad(t)
		r := w.the(t, w.follow(t, time.Minute), approval.Approved)
		if _, err := w.Claim(w.ctx, r.Code); err != nil {
			t.Fatal(err)
		}
		w.stop(t, r.Code)
		w.good(t)
		w.bad(t)
		if filed := w.follow(t, time.Minute); len(filed) != 2 || filed[1].State != approval.Requested {
			t.Fatalf("it does not hold down: %+v", filed)
		}
		if use := w.use(t); use.Count != 1 || len(use.Filed) != 2 {
			t.Errorf("it was used %d times and filed %d", use.Count, len(use.Filed))
		}
		o := collapse(t, w.world)
		o.Ceiling = 5
		w.approved(t, o)
		if use := w.use(t); use.Count != 0 || len(use.Filed) != 0 {
			t.Errorf("what it was before was used %d times", use.Count)
		}
	})
}

func TestAnOrdersPageSaysWhatPeopleAreAtAlready(t *testing.T) {
	eachOrdered(t, func(t *testing.T, w ordered) {
		w.bad(t)
		asked := w.file(t, w.carl)
		w.follow(t, time.Minute)
		w.yields(t, store.RuleAlone, asked.Code+" already asks to move the same data")
	})
}

// TestAStandingOrderIsNotCalledByWhatNobodyHasReadLately: a watch that comes back after hours looks first.
func TestAStandingOrderIsNotCalledByWhatNobodyHasReadLately(t *testing.T) {
	eachOrdered(t, func(t *testing.T, w ordered) {
		w.bad(t)
		w.clock.add(4 * time.Hour)
		if err := w.FollowOrders(w.ctx); err != nil {
			t.Fatal(err)
		}
		if starts, err := w.Starts(w.ctx); err != nil || len(starts) > 0 {
			t.Fatalf("it acts on what was seen hours ago: %v, %v", starts, err)
		}
		w.the(t, w.follow(t, time.Second), approval.Approved) // it is still so
	})
}
