package store_test

import (
	"sync"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// degradable is a store with a rule for checkout, and a policy that asks a business owner.
type degradable struct {
	governed
	ines access.Principal
}

var pointsLater = catalog.DegradedModeRule{
	Slug: "points-later", Name: "Sell without points", Trigger: []string{"checkout"}, Signals: []string{"checkout-success"}, Instead: "Credit them later.",
	LimitTime: catalog.Duration(time.Hour), AtLimit: catalog.BackToNormal, Reconcile: "Compare the points.",
	Switch: catalog.Act{Connector: "http", Params: []byte(`{}`)},
}

func eachDegradable(t *testing.T, change func(*catalog.DegradedModeRule), test func(t *testing.T, w degradable)) {
	eachGoverned(t, func(t *testing.T, w governed) {
		rule := pointsLater
		change(&rule)
		b := store.Bundle{Records: []catalog.Entry{
			entry(rule), entry(catalog.Channel{Slug: "shop-front", Name: "Shop front", Address: "env:FRONT"}), entry(catalog.Channel{Slug: "stores", Name: "Stores", Address: "env:STORES"}),
		}}
		for _, p := range catalog.ShippedPolicies() {
			if p.Action == catalog.ActDegrade {
				b.Records = append(b.Records, entry(p))
			}
		}
		r, err := w.ProposeBundle(w.ctx, w.bea.Person(), store.NewID(), b, store.Manner{Why: "because"})
		if err != nil {
			testkit.Change(t, w.Store, b, store.Manner{})
		} else {
			w.approvesAll(t, r.Code)
		}
		test(t, degradable{w, w.known(t, "ines", "incident-commanders")})
	})
}

// approvesAll has whoever may approve a change request, until it is.
func (w governed) approvesAll(t *testing.T, code string) {
	t.Helper()
	for _, by := range []access.Principal{w.hugo, w.ada, w.olga} {
		if r, err := w.ChangeRequest(w.ctx, code); err != nil || r.State == approval.Approved {
			return
		}
		w.decides(t, code, by, approval.Approve)
	}
}

func (w degradable) asks(t *testing.T, by access.Principal) degrade.Mode {
	t.Helper()
	m, err := w.FileMode(w.ctx, by, store.ModeFile{ID: store.NewID(), Rule: "points-later", Reason: "it is down"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (w degradable) votes(t *testing.T, m degrade.Mode, by access.Principal, v approval.Verdict) store.Outcome {
	t.Helper()
	by.SignedInAt = w.Now()
	out, err := w.DecideMode(w.ctx, store.Vote{ID: store.NewID(), Code: m.Code, By: by, Verdict: v, Comment: "because", Digest: m.Digest})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func asIs(*catalog.DegradedModeRule) {}

func TestSomeoneNotTheOwnerDoesNotApproveRunningDegraded(t *testing.T) {
	eachDegradable(t, asIs, func(t *testing.T, w degradable) {
		m := w.asks(t, w.ines)
		if m.State != approval.Requested || m.Next() != degrade.DoAwait {
			t.Fatalf("nobody approved it, and it is %s", m.State)
		}
		carl := w.known(t, "carl", "incident-commanders")
		ruledBy(t, "another commander", w.votes(t, m, carl, approval.Approve).Err(), approval.RuleRole)
		ruledBy(t, "who asked", w.votes(t, m, w.ines, approval.Approve).Err(), approval.RuleTwoPeople)
		if refused := w.record(t, store.Filter{Outcome: "refused", Object: m.Code}); len(refused) != 2 {
			t.Errorf("%d refusals are on record", len(refused))
		}
		if out := w.votes(t, m, w.bea, approval.Approve); out.Refusal != nil || out.State != failover.Approved {
			t.Fatalf("%+v", out.Refusal)
		}
		m, err := w.Mode(w.ctx, m.Code)
		if err != nil || m.Next() != degrade.DoSwitchOn {
			t.Errorf("it is to %s, %v", m.Next(), err)
		}
		if starts, err := w.Starts(w.ctx); err != nil || len(starts) != 1 || starts[0].Code != m.Code {
			t.Errorf("%+v, %v", starts, err)
		}
	})
}

func TestARuleIsOnOnceHoweverManyAskAtOnce(t *testing.T) {
	eachDegradable(t, asIs, func(t *testing.T, w degradable) {
		var all sync.WaitGroup
		filed := make([]error, 8)
		for i := range filed {
			all.Go(func() {
				_, filed[i] = w.FileMode(w.ctx, w.ines, store.ModeFile{ID: store.NewID(), Rule: "points-later"})
			})
		}
		all.Wait()
		n := 0
		for _, err := range filed {
			if err == nil {
				n++
			} else if fault.As(err) == nil || fault.As(err).Rule != degrade.RuleOneAtOnce {
				t.Error(err)
			}
		}
		if n != 1 {
			t.Errorf("it was filed %d times", n)
		}
	})
}

func TestAVoteIsForTheRuleAsItWasAsked(t *testing.T) {
	eachDegradable(t, asIs, func(t *testing.T, w degradable) {
		m := w.asks(t, w.ines)
		e := edited(t, w.world, catalog.Ref{Kind: catalog.KindRule, Slug: "points-later"}, func(r *catalog.DegradedModeRule) { r.LimitTime *= 2 })
		r := w.propose(t, w.bea, e)
		w.approvesAll(t, r.Code)
		ruledBy(t, "after the rule changed", w.votes(t, m, w.bea, approval.Approve).Err(), approval.RuleBound)
	})
}

func TestApprovingTheRuleIsTheApprovalWhereItSaysSoAndTwoPeopleDidThat(t *testing.T) {
	eachDegradable(t, func(r *catalog.DegradedModeRule) { r.GoAhead = catalog.InAdvance }, func(t *testing.T, w degradable) {
		if m := w.asks(t, w.ines); m.State == approval.Approved && m.InAdvance == "" {
			t.Error("it cites no approval")
		}
		open, err := w.OpenModes(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if open[0].State == approval.Requested { // it came into force by one person, before anybody governed
			if _, err := w.WithdrawMode(w.ctx, store.Amend{ID: store.NewID(), Code: open[0].Code, By: w.ines}); err != nil {
				t.Fatal(err)
			}
		}
		e := edited(t, w.world, catalog.Ref{Kind: catalog.KindRule, Slug: "points-later"}, func(r *catalog.DegradedModeRule) {
			r.Orders, r.Exposure.Observe, r.Exposure.Orders = 9, []byte(`{}`), "/o"
		})
		r := w.propose(t, w.bea, e)
		w.decides(t, r.Code, w.hugo, approval.Approve)
		m, err := w.FileMode(w.ctx, w.ines, store.ModeFile{ID: store.NewID(), Rule: "points-later"})
		if err != nil || m.InAdvance != r.Code || m.Next() != degrade.DoSwitchOn {
			t.Errorf("%q approved it, it is to %s: %v", m.InAdvance, m.Next(), err)
		}
	})
}

// TestWhatIsDoneIsOnRecordBeforeAndAfter: an intent, its outcome, and no attempt at what is not due.
func TestWhatIsDoneForAModeIsOnRecordBeforeAndAfter(t *testing.T) {
	eachDegradable(t, asIs, func(t *testing.T, w degradable) {
		m := w.asks(t, w.ines)
		if _, err := w.BeginMode(w.ctx, m.Code, degrade.DoSwitchOn); fault.KindOf(err) != fault.Conflict {
			t.Errorf("it is begun before it was approved: %v", err)
		}
		w.votes(t, m, w.bea, approval.Approve)
		first, err := w.BeginMode(w.ctx, m.Code, degrade.DoSwitchOn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.ModeFailed(w.ctx, first, "the flag is still off", nil); err != nil {
			t.Fatal(err)
		}
		again, err := w.BeginMode(w.ctx, m.Code, degrade.DoSwitchOn)
		if err != nil || again.Key() != first.Key() {
			t.Fatalf("another attempt has the key %q, not %q: %v", again.Key(), first.Key(), err)
		}
		m, err = w.ModeDone(w.ctx, again, "it is on", nil)
		if err != nil || m.Phase != degrade.On || m.Trouble != nil {
			t.Errorf("%s, %+v, %v", m.Phase, m.Trouble, err)
		}
		var outcomes []audit.Outcome
		for _, line := range w.record(t, store.Filter{Object: m.Code, Action: "degraded.switch-on"}) {
			outcomes = append(outcomes, line.Outcome)
		}
		if len(outcomes) != 4 {
			t.Errorf("the record has %v", outcomes)
		}
	})
}

func TestWhatAPersonEndedWhileItWasSwitchedOnIsSwitchedOff(t *testing.T) {
	eachDegradable(t, asIs, func(t *testing.T, w degradable) {
		m := w.asks(t, w.ines)
		w.votes(t, m, w.bea, approval.Approve)
		a, err := w.BeginMode(w.ctx, m.Code, degrade.DoSwitchOn)
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.CommandMode(w.ctx, store.ModeCommand{ID: store.NewID(), Code: m.Code, By: w.ines, Verb: store.EndMode})
		if err != nil || out.Refusal != nil {
			t.Fatalf("%v, %+v", err, out.Refusal)
		}
		if m, err = w.ModeDone(w.ctx, a, "it is on", nil); err != nil || m.Next() != degrade.DoSwitchOff {
			t.Errorf("it is to %s, %v", m.Next(), err)
		}
	})
}

func TestAModeBeginsByItselfOnceAndNotAgainstWhatPeopleSaid(t *testing.T) {
	change := func(r *catalog.DegradedModeRule) {
		r.GoAhead, r.BadFor = catalog.ByItself, catalog.Duration(30*time.Second)
	}
	eachDegradable(t, change, func(t *testing.T, w degradable) {
		bad := func(since time.Time) {
			r := failover.Reading{Key: failover.SignalKey("checkout-success"), Source: "x", At: w.Now(), Bad: true, BadSince: &since}
			if err := w.SaveReadings(w.ctx, []failover.Reading{r}); err != nil {
				t.Fatal(err)
			}
		}
		follow := func(want int) []degrade.Mode {
			t.Helper()
			if err := w.FollowRules(w.ctx); err != nil {
				t.Fatal(err)
			}
			all, err := w.Modes(w.ctx, "points-later", "", 10)
			if err != nil || len(all) != want {
				t.Fatalf("there are %d, want %d: %v", len(all), want, err)
			}
			return all
		}
		began := w.Now()
		w.clock.add(20 * time.Second)
		bad(began)
		follow(0)
		w.clock.add(11 * time.Second)
		bad(began)
		follow(1)
		m := follow(1)[0]
		if m.State == approval.Requested {
			w.votes(t, m, w.bea, approval.Reject)
			follow(1)
		}
	})
}

// switchedOn has a mode approved and read back as on.
func (w degradable) switchedOn(t *testing.T, m degrade.Mode) degrade.Mode {
	t.Helper()
	if m.State == approval.Requested {
		if err := w.votes(t, m, w.bea, approval.Approve).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return w.does(t, m, degrade.DoSwitchOn)
}

func (w degradable) does(t *testing.T, m degrade.Mode, do degrade.Do) degrade.Mode {
	t.Helper()
	a, err := w.BeginMode(w.ctx, m.Code, do)
	if err == nil {
		m, err = w.ModeDone(w.ctx, a, "done", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (w degradable) commands(t *testing.T, m degrade.Mode, by access.Principal, verb store.ModeVerb, note string) store.Outcome {
	t.Helper()
	out, err := w.CommandMode(w.ctx, store.ModeCommand{ID: store.NewID(), Code: m.Code, By: by, Verb: verb, Note: note})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func scoped(r *catalog.DegradedModeRule) { r.Switch.Params = []byte(`{"for":"${mode.scope}"}`) }

func TestADrillGivesWayToTheRealThingAndDoesNotBeginBesideIt(t *testing.T) {
	eachDegradable(t, scoped, func(t *testing.T, w degradable) {
		drill, err := w.FileMode(w.ctx, w.ines, store.ModeFile{ID: store.NewID(), Rule: "points-later", Drill: true})
		if err != nil {
			t.Fatal(err)
		}
		drill = w.switchedOn(t, drill)
		m := w.asks(t, w.ines)
		if still, err := w.Mode(w.ctx, drill.Code); err != nil || still.Phase != degrade.On {
			t.Errorf("before the real thing was approved the drill is %s, %v", still.Phase, err)
		}
		m = w.switchedOn(t, m)
		if drill, err = w.Mode(w.ctx, drill.Code); err != nil || drill.Phase != degrade.Dropped || drill.Next() != degrade.DoNothing || m.Phase != degrade.On {
			t.Errorf("the drill is %s, the real thing %s, %v", drill.Phase, m.Phase, err)
		}
		_, err = w.FileMode(w.ctx, w.ines, store.ModeFile{ID: store.NewID(), Rule: "points-later", Drill: true})
		ruledBy(t, "a drill beside the real thing", err, degrade.RuleOneAtOnce)
	})
}

func TestWhatIsSwitchedForEverybodyIsNotDrilled(t *testing.T) {
	eachDegradable(t, asIs, func(t *testing.T, w degradable) {
		_, err := w.FileMode(w.ctx, w.ines, store.ModeFile{ID: store.NewID(), Rule: "points-later", Drill: true})
		ruledBy(t, "a switch that is not told for whom", err, degrade.RuleDrill)
	})
}

func TestARuleIsSwitchedOnAgainWhileWhatWaitedIsWorkedOff(t *testing.T) {
	change := func(r *catalog.DegradedModeRule) {
		r.Drain = catalog.Draining{Connector: "http", Params: []byte(`{}`), Observe: []byte(`{}`), Queued: "/n"}
	}
	eachDegradable(t, change, func(t *testing.T, w degradable) {
		m := w.switchedOn(t, w.asks(t, w.ines))
		if err := w.commands(t, m, w.ines, store.EndMode, "").Err(); err != nil {
			t.Fatal(err)
		}
		if m = w.does(t, m, degrade.DoSwitchOff); m.Phase != degrade.Draining {
			t.Fatalf("it is %s", m.Phase)
		}
		if again := w.switchedOn(t, w.asks(t, w.ines)); again.Phase != degrade.On {
			t.Errorf("broken again while it drains, it is %s", again.Phase)
		}
	})
}

func TestANoStopsWhatIsVoid(t *testing.T) {
	eachDegradable(t, asIs, func(t *testing.T, w degradable) {
		m := w.asks(t, w.ines)
		e := edited(t, w.world, catalog.Ref{Kind: catalog.KindRule, Slug: "points-later"}, func(r *catalog.DegradedModeRule) { r.LimitTime *= 2 })
		w.approvesAll(t, w.propose(t, w.bea, e).Code)
		if err := w.votes(t, m, w.bea, approval.Reject).Err(); err != nil {
			t.Errorf("a no to it: %v", err)
		}
		if m := w.asks(t, w.ines); m.State != approval.Requested {
			t.Errorf("asked anew it is %s", m.State)
		}
	})
}

func TestSigningTheBooksDoesNotEndAModeAgain(t *testing.T) {
	change := func(r *catalog.DegradedModeRule) {
		r.GoAhead, r.BadFor = catalog.ByItself, catalog.Duration(30*time.Second)
	}
	eachDegradable(t, change, func(t *testing.T, w degradable) {
		m := w.switchedOn(t, w.asks(t, w.ines))
		if err := w.commands(t, m, w.ines, store.EndMode, "").Err(); err != nil {
			t.Fatal(err)
		}
		w.does(t, m, degrade.DoSwitchOff)
		w.clock.add(10 * time.Minute)
		bad := w.Now()
		w.clock.add(time.Minute)
		if err := w.commands(t, m, w.bea, store.SignMode, "compared").Err(); err != nil {
			t.Fatal(err)
		}
		r := failover.Reading{Key: failover.SignalKey("checkout-success"), Source: "x", At: w.Now(), Bad: true, BadSince: &bad}
		if err := w.SaveReadings(w.ctx, []failover.Reading{r}); err != nil {
			t.Fatal(err)
		}
		if err := w.FollowRules(w.ctx); err != nil {
			t.Fatal(err)
		}
		if all, err := w.Modes(w.ctx, "points-later", "", 10); err != nil || len(all) != 2 {
			t.Errorf("bad since after the last one had ended, there are %d, %v", len(all), err)
		}
	})
}

func TestNothingRunsDegradedInAnIncidentThatIsClosed(t *testing.T) {
	eachDegradable(t, asIs, func(t *testing.T, w degradable) {
		in, err := w.OpenIncident(w.ctx, w.ines, store.Incident{ID: store.NewID(), Title: "It is down", Cause: failover.CauseUnknown, Services: []string{"checkout"}, ImpactAt: w.Now()})
		if err != nil {
			t.Fatal(err)
		}
		ask := func() error {
			_, err := w.FileMode(w.ctx, w.ines, store.ModeFile{ID: store.NewID(), Rule: "points-later", Incident: in.Code})
			return err
		}
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		if err := w.CloseIncident(w.ctx, w.ines, in.Code); fault.KindOf(err) != fault.Conflict {
			t.Errorf("closed while somebody asks to run degraded in it: %v", err)
		}
		open, err := w.OpenModes(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.votes(t, open[0], w.bea, approval.Reject).Err(); err != nil {
			t.Fatal(err)
		}
		if err := w.CloseIncident(w.ctx, w.ines, in.Code); err != nil {
			t.Fatal(err)
		}
		if err := ask(); fault.KindOf(err) != fault.Invalid {
			t.Errorf("asked for in a closed incident: %v", err)
		}
	})
}

func TestOfTwoRulesForOneServiceOneEndsBeforeTheOther(t *testing.T) {
	eachDegradable(t, asIs, func(t *testing.T, w degradable) {
		other := pointsLater
		other.Slug, other.Name, other.Switch = "tax-later", "Sell without tax", catalog.Act{Connector: "http", Params: []byte(`{"tax":true}`)}
		if r, err := w.ProposeBundle(w.ctx, w.bea.Person(), store.NewID(), store.Bundle{Records: []catalog.Entry{entry(other)}}, store.Manner{Why: "because"}); err != nil {
			testkit.Change(t, w.Store, store.Bundle{Records: []catalog.Entry{entry(other)}}, store.Manner{})
		} else {
			w.approvesAll(t, r.Code)
		}
		first := w.switchedOn(t, w.asks(t, w.ines))
		second, err := w.FileMode(w.ctx, w.ines, store.ModeFile{ID: store.NewID(), Rule: other.Slug})
		if err != nil {
			t.Fatal(err)
		}
		second = w.switchedOn(t, second)
		if err := w.commands(t, first, w.ines, store.EndMode, "").Err(); err != nil {
			t.Fatal(err)
		}
		w.does(t, first, degrade.DoSwitchOff)
		if second, err = w.Mode(w.ctx, second.Code); err != nil || second.Phase != degrade.On || second.Next() != degrade.DoAwait {
			t.Errorf("the end of one leaves the other %s, %v", second.Phase, err)
		}
		if again := w.switchedOn(t, w.asks(t, w.ines)); again.Phase != degrade.On {
			t.Errorf("and it can be switched on again: %s", again.Phase)
		}
	})
}
