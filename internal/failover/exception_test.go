package failover

import (
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/fault"
)

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
	return run.Confirm(string(kind), Exception{ID: string(kind)}.Code(), who("bea", access.BusinessOwner), ballot(asked(), 1), night)
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
