package failover

import (
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
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
	r.State, r.DecidedAt = approval.Approved, &night
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
	_, err = run.Confirm("x", run.Exceptions[0].Code(), commander, ballot(Request{Question: approval.Question{Requester: access.Person{ID: commander.ID}, FiledAt: night}, Terms: asked().Terms}, 1), night)
	wantRule(t, err, approval.RuleTwoPeople)
	_, err = run.Confirm("x", "nope", who("bea", access.BusinessOwner), ballot(Request{Question: approval.Question{Requester: access.Person{ID: commander.ID}, FiledAt: night}, Terms: asked().Terms}, 1), night)
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("a wrong code: %v", err)
	}
	run, err = run.Confirm("x", run.Exceptions[0].Code(), who("bea", access.BusinessOwner), ballot(Request{Question: approval.Question{Requester: access.Person{ID: commander.ID}, FiledAt: night}, Terms: asked().Terms}, 1), night)
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
	run, err = run.Confirm("x", run.Exceptions[0].Code(), who("bea", access.BusinessOwner), ballot(Request{Question: approval.Question{Requester: access.Person{ID: commander.ID}, FiledAt: night}, Terms: asked().Terms}, 1), night)
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
