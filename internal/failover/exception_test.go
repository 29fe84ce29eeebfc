package failover

import (
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
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
		if len(run.PendingExceptions(run.Times.Started)) != 0 {
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

func TestAnExceptionThatNobodyConfirmsInTimeLapsesAndMayBeProposedAgain(t *testing.T) {
	run := proposed(t, failed(t, 1, WaitFence), OverrideFence).EndsAt(string(OverrideFence), night.Add(time.Minute))
	late := night.Add(time.Minute)
	x, err := run.Exception(string(OverrideFence))
	if err != nil {
		t.Fatal(err)
	}
	if len(run.PendingExceptions(night)) != 1 || len(run.PendingExceptions(late)) != 0 {
		t.Errorf("it waits %d times at first, %d times when it has run out", len(run.PendingExceptions(night)), len(run.PendingExceptions(late)))
	}
	bea := who("bea", access.BusinessOwner)
	bea.SignedInAt = late
	if _, err := run.Confirm(x.ID, x.Code(), bea, ballot(asked(), 1), late); fault.As(err) == nil || fault.As(err).Rule != approval.RuleExpiry {
		t.Errorf("confirmed when it had run out: %v", err)
	}
	if !run.Unproposed(OverrideFence, late) {
		t.Error("it cannot be proposed again")
	}
}

func TestASecondPersonWhoRefusesAnExceptionEndsItWithAReason(t *testing.T) {
	run := proposed(t, failed(t, 1, WaitFence), OverrideFence)
	id, bea := string(OverrideFence), who("bea", access.BusinessOwner)
	if _, err := run.Refuse(id, "no", commander, ballot(asked(), 1), night); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("who proposed it refuses it: %v", err)
	}
	if _, err := run.Refuse(id, "", bea, ballot(asked(), 1), night); fault.KindOf(err) != fault.Invalid {
		t.Errorf("refused without a reason: %v", err)
	}
	run, err := run.Refuse(id, "Leeds still writes", bea, ballot(asked(), 1), night)
	if err != nil || len(run.PendingExceptions(night)) != 0 || len(run.DecidedExceptions()) != 1 || run.State != Paused {
		t.Fatalf("%v, %d wait, %s", err, len(run.PendingExceptions(night)), run.State)
	}
	if _, err := confirmed(run, OverrideFence); fault.KindOf(err) != fault.Conflict {
		t.Errorf("confirmed after it was refused: %v", err)
	}
}
