package failover

import (
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

var commander = who("ines", access.IncidentCommander)

func recipe() Plan {
	act := func(slug string, p Purpose) Step {
		return Step{Slug: slug, Name: slug, Purpose: p, Connector: "http", Expected: catalog.Duration(time.Second)}
	}
	loss := Step{Slug: "loss", Name: "loss", Purpose: LossStep}
	return Plan{Slug: "p", Steps: []Step{act("fence", FenceStep), loss, act("promote", PromoteStep), act("traffic", ActStep)}}
}

// begun is a run that has just been claimed: gates, fence, loss, promote, traffic, verify.
func begun(t *testing.T) Run {
	t.Helper()
	r := asked()
	r.State, r.DecidedAt = Approved, &night
	run, err := NewRun("run", r, recipe(), night)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// performed is a run whose first n steps were performed.
func performed(t *testing.T, n int) Run {
	t.Helper()
	run := begun(t)
	for i := range n {
		run = perform(t, run, i)
	}
	return run
}

func perform(t *testing.T, run Run, i int) Run {
	t.Helper()
	if d := run.Next(); d.Step != i {
		t.Fatalf("step %d is due, not %d", d.Step, i)
	}
	run, err := run.Start(i, night)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = run.Done(i, "done", night); err != nil {
		t.Fatal(err)
	}
	return run
}

func failed(t *testing.T, n int, w Wait) Run {
	t.Helper()
	run, err := performed(t, n).Start(n, night)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = run.Fail(n, w, "it fails", false, night); err != nil {
		t.Fatal(err)
	}
	return run
}

func TestARunGoesThroughItsStepsToClosed(t *testing.T) {
	run := performed(t, 5)
	if run.State != Verifying || run.Times.Fenced == nil || run.Times.Promoted == nil || run.Times.Executed == nil {
		t.Fatalf("%s, %+v", run.State, run.Times)
	}
	run = perform(t, run, 5)
	if run.State != Recovered || len(run.Obligations) != 3 || run.Next().Do != DoWatch {
		t.Fatalf("%s with %d obligations", run.State, len(run.Obligations))
	}
	var err error
	for _, k := range []ObligationKind{Backlog, Protection} {
		if run, err = run.Saw(k, true, "met", night); err != nil || run.State != Recovered {
			t.Fatalf("%s: %s, %v", k, run.State, err)
		}
	}
	run, err = run.Propose(Exception{ID: "x", Kind: Waive, Target: "books", Reason: "no engine yet"}, commander, night)
	if err != nil {
		t.Fatal(err)
	}
	_, err = run.Confirm("x", run.Exceptions[0].Code(), commander, policy(1), night)
	wantRule(t, err, RuleExceptionTwo)
	_, err = run.Confirm("x", "nope", who("bea", access.BusinessOwner), policy(1), night)
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("a wrong code: %v", err)
	}
	run, err = run.Confirm("x", run.Exceptions[0].Code(), who("bea", access.BusinessOwner), policy(1), night)
	if err != nil || run.State != Closed || !run.WithExceptions() || run.Next().Do != DoEnd {
		t.Fatalf("%s, %v", run.State, err)
	}
}

func TestAStepThatIsNotDueIsNotBegun(t *testing.T) {
	run := performed(t, 2)
	for i := range run.Steps {
		if _, err := run.Start(i, night); (err == nil) != (i == 2) {
			t.Errorf("step %d: %v", i, err)
		}
	}
}

func TestAbortAfterTheFirstWriteAtTheTargetIsNotOffered(t *testing.T) {
	run := performed(t, 4).SawWrite(night)
	for _, way := range run.Steerable() {
		if way == SteerAbort {
			t.Error("abort is offered")
		}
	}
	_, err := run.Steer(SteerAbort, "changed my mind", commander, night)
	wantRule(t, err, RuleNoReturn)
	if run, err = run.Steer(SteerGiveUp, "we lost", commander, night); err != nil || run.State != Failed {
		t.Errorf("%s, %v", run.State, err)
	}
}

func TestGivingUpBeforeTheFirstWriteIsAnAbort(t *testing.T) {
	_, err := performed(t, 3).Steer(SteerGiveUp, "we lost", commander, night)
	wantRule(t, err, RuleBeforeNoReturn)
}

func TestAbortUndoesCompletedStepsInReverse(t *testing.T) {
	run, err := performed(t, 4).Steer(SteerAbort, "Leeds is back", commander, night)
	if err != nil {
		t.Fatal(err)
	}
	var order []int
	for run.State == Undoing {
		i := run.Next().Step
		order = append(order, i)
		if run, err = run.UndoStep(i, "", night); err != nil {
			t.Fatal(err)
		}
	}
	if run.State != Undone || len(order) != 4 || order[0] != 3 || order[3] != 0 {
		t.Errorf("%s after %v", run.State, order)
	}
}

func TestWhatCannotBeUndoneEndsNotFullyUndone(t *testing.T) {
	run, err := performed(t, 2).Steer(SteerAbort, "Leeds is back", commander, night)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = run.UndoStep(1, "the lease service does not answer", night); err != nil {
		t.Fatal(err)
	}
	if run, err = run.UndoStep(0, "", night); err != nil || run.State != NotFullyUndone {
		t.Errorf("%s, %v", run.State, err)
	}
}

func TestAPauseTakesEffectBeforeTheNextStep(t *testing.T) {
	run, err := performed(t, 1).Start(1, night)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = run.Steer(SteerPause, "", commander, night); err != nil || run.State != Running {
		t.Fatalf("%s, %v", run.State, err)
	}
	if run, err = run.Done(1, "fenced", night); err != nil || run.State != Paused || run.Next().Do != DoWait {
		t.Fatalf("%s, %v", run.State, err)
	}
	if run, err = run.Steer(SteerResume, "", commander, night); err != nil || run.Next() != (Directive{DoPerform, 2}) {
		t.Errorf("%v, %v", run.Next(), err)
	}
}

func TestFenceLossAndPromotionAreNeverLeftOutByOnePerson(t *testing.T) {
	for step, w := range map[int]Wait{1: WaitFence, 2: WaitLoss, 3: WaitStep} {
		run := failed(t, step, w)
		if _, err := run.Steer(SteerMarkDone, "done by hand", commander, night); err == nil {
			t.Errorf("step %d was marked done", step)
		}
		if _, err := run.Propose(Exception{ID: "x", Kind: SkipStep, Reason: "hurry"}, commander, night); err == nil {
			t.Errorf("step %d may be skipped", step)
		}
	}
}

func TestLossBeyondTheCeilingAsksAgain(t *testing.T) {
	run := failed(t, 2, WaitLoss)
	if run.State != Paused || run.Next().Do != DoWait {
		t.Fatalf("%s", run.State)
	}
	run, err := run.Propose(Exception{ID: "x", Kind: AcceptLoss, Reason: "every minute costs more"}, commander, night)
	if err != nil {
		t.Fatal(err)
	}
	run, err = run.Confirm("x", run.Exceptions[0].Code(), who("bea", access.BusinessOwner), policy(1), night)
	if err != nil || run.Next() != (Directive{DoPerform, 3}) || !run.WithExceptions() {
		t.Errorf("%v, %v", run.Next(), err)
	}
}

func TestBlockedGatesAreCheckedAgainOrOverriddenByTwo(t *testing.T) {
	run, err := begun(t).Start(0, night)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = run.Fail(0, WaitGates, "the target is down", false, night); err != nil || run.State != Blocked {
		t.Fatalf("%s, %v", run.State, err)
	}
	again, err := run.Steer(SteerRetry, "", commander, night)
	if err != nil || again.Next().Do != DoCheckGates {
		t.Fatalf("%v, %v", again.Next(), err)
	}
	if again = perform(t, again, 0); again.State != Running {
		t.Errorf("%s", again.State)
	}
	stopped, err := run.Steer(SteerStop, "not worth it", commander, night)
	if err != nil || stopped.State != Stopped {
		t.Errorf("%s, %v", stopped.State, err)
	}
}

func TestOnlyThoseInCommandSteer(t *testing.T) {
	for _, role := range access.Roles() {
		_, err := performed(t, 1).Steer(SteerPause, "", who("x", role), night)
		if (err == nil) != (role == access.IncidentCommander) {
			t.Errorf("%s: %v", role, err)
		}
	}
}

func TestALossThatIsNotKnownKeepsOnlyToAnUnknownCeiling(t *testing.T) {
	at := func(n int64, stale bool) Reading {
		r := Reading{At: night, Position: &Position{Newest: n, NewestAt: night.Add(time.Duration(n) * time.Second)}}
		if stale {
			r.FailingAt = &night
		}
		return r
	}
	for name, c := range map[string]struct {
		ceiling Ceiling
		loss    Loss
		want    bool
	}{
		"unknown, none accepted":  {Ceiling{CeilingOrders, 100}, LossBetween(Reading{}, at(1, false), collapsed(0), night), false},
		"unknown, any accepted":   {Ceiling{CeilingUnknown, 0}, LossBetween(Reading{}, at(1, false), collapsed(0), night), true},
		"within orders":           {Ceiling{CeilingOrders, 5}, LossBetween(at(15, true), at(10, false), collapsed(0), night), true},
		"one order too many":      {Ceiling{CeilingOrders, 4}, LossBetween(at(15, true), at(10, false), collapsed(0), night), false},
		"within seconds":          {Ceiling{CeilingSeconds, 5}, LossBetween(at(15, true), at(10, false), collapsed(0), night), true},
		"too many seconds":        {Ceiling{CeilingSeconds, 4}, LossBetween(at(15, true), at(10, false), collapsed(0), night), false},
		"target ahead loses none": {Ceiling{CeilingOrders, 0}, LossBetween(at(10, false), at(15, false), collapsed(0), night), true},
		"nonsense accepts none":   {Ceiling{"bananas", 9}, LossBetween(at(15, true), at(10, false), collapsed(0), night), false},
	} {
		if got := c.ceiling.Within(c.loss); got != c.want {
			t.Errorf("%s: %v for %s", name, got, c.loss)
		}
	}
}

func TestTheTargetMayHaveHeardOfNewerRecordsThanWereSeenAtTheOldSide(t *testing.T) {
	old := Reading{At: night, FailingAt: &night, Position: &Position{Newest: 477, NewestAt: night}}
	target := Reading{At: night, Position: &Position{Newest: 483, NewestAt: night, LagRecords: 2}}
	if loss := LossBetween(old, target, collapsed(0), night); loss.Records != 2 || !loss.Estimate {
		t.Errorf("got %s, want an estimate of 2 orders", loss)
	}
	old.FailingAt = nil
	if loss := LossBetween(old, target, collapsed(0), night); loss.Records != 0 {
		t.Errorf("got %s from an old side that was read now", loss)
	}
}

// collapsed is how sales went: ten orders a second as usual, until they collapsed some time after the night began.
func collapsed(after time.Duration) Reading {
	since := night.Add(after)
	return Reading{At: since, Usual: 10, Bad: true, BadSince: &since}
}

func TestWhatTheUnreadableSideMayHaveSoldCountsAsLost(t *testing.T) {
	old := Reading{At: night, FailingAt: &night, Position: &Position{Newest: 1000, NewestAt: night}}
	target := Reading{At: night, Position: &Position{Newest: 1000, NewestAt: night}}
	good := Reading{At: night, Usual: 10, Value: 10}
	trickle := collapsed(2 * time.Second)
	trickle.Value = 1
	for name, c := range map[string]struct {
		sales  Reading
		want   int64
		span   time.Duration
		known  bool
		within bool // of 50 orders
	}{
		"sales collapsed at once":            {collapsed(0), 0, 0, true, true},
		"sales collapsed two seconds later":  {collapsed(2 * time.Second), 20, 2 * time.Second, true, true},
		"the old side sold on, cut off":      {good, 3000, 5 * time.Minute, true, false},
		"a few were sold after the collapse": {trickle, 318, 5 * time.Minute, true, false},
		"how sales went is not known":        {Reading{}, 0, 0, false, false},
	} {
		loss := LossBetween(old, target, c.sales, night.Add(5*time.Minute))
		if loss.AtMost != c.want || loss.Span != c.span || loss.Known != c.known || loss.Records != 0 {
			t.Errorf("%s: %s (%+v)", name, loss, loss)
		}
		if got := (Ceiling{CeilingOrders, 50}).Within(loss); got != c.within {
			t.Errorf("%s: within 50 orders: %v", name, got)
		}
	}
}

func TestMissingOrdersNeverFitIntoNoTimeAtAll(t *testing.T) {
	old := Reading{At: night, FailingAt: &night, Position: &Position{Newest: 1000, NewestAt: night.Add(-time.Minute)}}
	target := Reading{At: night, Position: &Position{Newest: 1000, NewestAt: night, LagRecords: 50}}
	if loss := LossBetween(old, target, collapsed(0), night); (Ceiling{CeilingSeconds, 0}).Within(loss) {
		t.Errorf("no loss was accepted, but %s is within it", loss)
	}
}

// proposed is a run for which an exception waits.
func proposed(t *testing.T, run Run, kind ExceptionKind) Run {
	t.Helper()
	run, err := run.Propose(Exception{ID: string(kind), Kind: kind, Reason: "every minute costs more"}, commander, night)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func confirmed(run Run, kind ExceptionKind) (Run, error) {
	return run.Confirm(string(kind), Exception{ID: string(kind)}.Code(), who("bea", access.BusinessOwner), policy(1), night)
}

func TestAnExceptionIsForTheAttemptThatItWasProposedFor(t *testing.T) {
	for step, c := range map[int]struct {
		wait Wait
		kind ExceptionKind
	}{1: {WaitFence, OverrideFence}, 2: {WaitLoss, AcceptLoss}, 4: {WaitStep, SkipStep}} {
		run := proposed(t, failed(t, step, c.wait), c.kind)
		run, err := run.Steer(SteerRetry, "", commander, night)
		if err != nil {
			t.Fatal(err)
		}
		if run, err = run.Start(step, night); err != nil {
			t.Fatal(err)
		}
		if run, err = run.Fail(step, c.wait, "it fails in another way", false, night); err != nil {
			t.Fatal(err)
		}
		if _, err := confirmed(run, c.kind); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: the second person confirmed something else than was proposed: %v", c.kind, err)
		}
		if len(run.PendingExceptions()) != 0 {
			t.Errorf("%s: the old proposal is still shown", c.kind)
		}
		run.Exceptions = nil
		if _, err := confirmed(proposed(t, run, c.kind), c.kind); err != nil {
			t.Errorf("%s: proposed anew: %v", c.kind, err)
		}
	}
}

func TestGatesAreNotOverriddenWhileTheyAreCheckedAgain(t *testing.T) {
	run, err := begun(t).Start(0, night)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = run.Fail(0, WaitGates, "a change freeze", false, night); err != nil {
		t.Fatal(err)
	}
	run = proposed(t, run, OverrideGate)
	if run, err = run.Steer(SteerRetry, "", commander, night); err != nil {
		t.Fatal(err)
	}
	if _, err := confirmed(run, OverrideGate); fault.KindOf(err) != fault.Conflict {
		t.Errorf("overridden while they are checked: %v", err)
	}
	if len(run.Steerable()) != 0 {
		t.Errorf("while gates are checked one may %v", run.Steerable())
	}
}

// TestAnAttemptThatWasCutOffOrSkippedIsUndoneToo: it may have acted all the same.
func TestAnAttemptThatWasCutOffOrSkippedIsUndoneToo(t *testing.T) {
	run, err := performed(t, 3).Start(3, night)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = run.Steer(SteerAbort, "Leeds is back", commander, night); err != nil {
		t.Fatal(err)
	}
	if run = run.Failing(3, "no answer"); run.Next() != (Directive{DoUndo, 3}) {
		t.Errorf("the promotion that gave no answer: next is %v", run.Next())
	}
	run, err = confirmed(proposed(t, failed(t, 1, WaitFence), OverrideFence), OverrideFence)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = run.Steer(SteerAbort, "Leeds is back", commander, night); err != nil || run.Next() != (Directive{DoUndo, 1}) {
		t.Errorf("the fence that was overridden: next is %v, %v", run.Next(), err)
	}
}

func TestARunWhoseTargetDoesNotSayWhetherItWroteCanBeGivenUp(t *testing.T) {
	run := failed(t, 4, WaitStep)
	if run, err := run.Steer(SteerGiveUp, "Dublin burns", commander, night); err != nil || run.State != Failed {
		t.Errorf("%s, %v", run.State, err)
	}
}

func TestNothingUndoesItselfOnceTheTargetMayWrite(t *testing.T) {
	run, err := performed(t, 4).Start(4, night)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = run.Fail(4, WaitStep, "no answer", true, night); err != nil || run.State != Paused {
		t.Errorf("%s, %v", run.State, err)
	}
}

func TestAWaiverOfWhatHasBeenMetMeanwhileIsNotTaken(t *testing.T) {
	run := performed(t, 6)
	run, err := run.Propose(Exception{ID: string(Waive), Kind: Waive, Target: string(Backlog), Reason: "it will drain"}, commander, night)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = run.Saw(Backlog, true, "drained", night); err != nil {
		t.Fatal(err)
	}
	if _, err := confirmed(run, Waive); fault.KindOf(err) != fault.Conflict || run.WithExceptions() {
		t.Errorf("%v", err)
	}
}

func TestVerifyingAgainDoesNotChangeWhenItWasExecuted(t *testing.T) {
	run := failed(t, 5, WaitVerify)
	was := *run.Times.Executed
	run, err := run.Steer(SteerRetry, "", commander, night.Add(time.Hour))
	if err != nil || !run.Times.Executed.Equal(was) {
		t.Errorf("%v, %v", run.Times.Executed, err)
	}
}
