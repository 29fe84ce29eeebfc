package store

import (
	"context"
	"fmt"

	"keyholder/internal/audit"
	"keyholder/internal/failover"
)

// Attempt is one try at a step: the run as it stood when the intent was committed.
type Attempt struct {
	Run   failover.Run
	Index int
	Undo  bool
}

// Act ties the intent of an attempt to its outcome in the record.
func (a Attempt) Act() string {
	verb := "do"
	if a.Undo {
		verb = "undo"
	}
	return fmt.Sprintf("%s/%s/%s/%d", a.Run.Code, a.Run.Steps[a.Index].Slug, verb, a.number())
}

// number counts the attempts at the step, or at undoing it.
func (a Attempt) number() int {
	if a.Undo {
		return a.Run.Steps[a.Index].Undos
	}
	return a.Run.Steps[a.Index].Attempt
}

// Key makes the effect on the real system once: it is the same for every attempt at the step in this run.
func (a Attempt) Key() string {
	key := "keyholder/" + a.Run.Code + "/" + a.Run.Steps[a.Index].Slug
	if a.Undo {
		key += "/undo"
	}
	return key
}

// Begin commits the intent to perform a step before anything is acted on. An attempt before it that was cut off gets
// the outcome "unknown" first. A run that has gone on refuses; its Next says where to.
func (s *Store) Begin(ctx context.Context, code string, i int) (Attempt, error) {
	var a Attempt
	_, err := s.changeRun(ctx, code, func(t *tx, before failover.Run) (failover.Run, error) {
		after, err := before.Start(i, t.now)
		if err != nil {
			return after, err
		}
		a = Attempt{Run: after, Index: i}
		if before.Steps[i].State == failover.StepRunning {
			t.lost(Attempt{Run: before, Index: i})
		}
		t.intend(a)
		return after, nil
	})
	return a, err
}

// BeginUndo commits the intent to undo a step. What was cut off before it, an attempt at the step or at undoing it, gets
// the outcome "unknown" first.
func (s *Store) BeginUndo(ctx context.Context, code string, i int) (Attempt, error) {
	var a Attempt
	_, err := s.changeRun(ctx, code, func(t *tx, before failover.Run) (failover.Run, error) {
		step := before.Steps[i]
		if step.Undos > 0 || step.State == failover.StepRunning {
			t.lost(Attempt{Run: before, Index: i, Undo: step.Undos > 0})
		}
		after, err := before.StartUndo(i)
		if err != nil {
			return after, err
		}
		a = Attempt{Run: after, Index: i, Undo: true}
		t.intend(a)
		return after, nil
	})
	return a, err
}

func (t *tx) intend(a Attempt) {
	step := a.Run.Steps[a.Index]
	verb := "Perform"
	if a.Undo {
		verb = "Undo"
	}
	t.record(audit.Event{
		Action: "run.step", Object: a.Run.Code, Outcome: audit.Intent, Act: a.Act(),
		Text: fmt.Sprintf("%s \"%s\", attempt %d.", verb, step.Name, a.number()),
	})
}

func (t *tx) lost(a Attempt) {
	t.record(audit.Event{
		Action: "run.step", Object: a.Run.Code, Outcome: audit.Unknown, Act: a.Act(),
		Text: fmt.Sprintf("\"%s\", attempt %d, was cut off before it could say what it did. The next attempt looks first.", a.Run.Steps[a.Index].Name, a.number()),
	})
}

func (t *tx) settle(a Attempt, outcome audit.Outcome, text string, evidence any) {
	e := audit.Event{Action: "run.step", Object: a.Run.Code, Outcome: outcome, Act: a.Act(), Text: fmt.Sprintf("\"%s\": %s", a.Run.Steps[a.Index].Name, text)}
	if evidence != nil {
		e.Detail = detail(evidence)
	}
	t.record(e)
}

// Succeed commits the outcome of an attempt and moves the run on. also, which may be nil, notes what else was learned.
func (s *Store) Succeed(ctx context.Context, a Attempt, text string, evidence any, also func(failover.Run) failover.Run) (failover.Directive, error) {
	after, err := s.changeRun(ctx, a.Run.Code, func(t *tx, r failover.Run) (failover.Run, error) {
		t.settle(a, audit.Held, text, evidence)
		if also != nil {
			r = also(r)
		}
		return r.Done(a.Index, text, t.now)
	})
	return after.Next(), err
}

// Retrying commits the outcome of an attempt that failed and will be followed by another.
func (s *Store) Retrying(ctx context.Context, a Attempt, why string, evidence any) error {
	_, err := s.changeRun(ctx, a.Run.Code, func(t *tx, r failover.Run) (failover.Run, error) {
		t.settle(a, audit.Failed, why, evidence)
		return r.Failing(a.Index, why), nil
	})
	return err
}

// Trouble is a step that cannot be done without a person.
type Trouble struct {
	Wait     failover.Wait
	Why      string
	Abort    bool // the plan says to undo rather than to ask
	Evidence any
	Also     func(failover.Run) failover.Run
}

// Fail commits the outcome of the last attempt at a step and asks a person, or begins to undo.
func (s *Store) Fail(ctx context.Context, a Attempt, trouble Trouble) (failover.Directive, error) {
	after, err := s.changeRun(ctx, a.Run.Code, func(t *tx, r failover.Run) (failover.Run, error) {
		t.settle(a, audit.Failed, trouble.Why, trouble.Evidence)
		if trouble.Also != nil {
			r = trouble.Also(r)
		}
		return r.Fail(a.Index, trouble.Wait, trouble.Why, trouble.Abort, t.now)
	})
	return after.Next(), err
}

// Undid commits the outcome of undoing a step; failure is empty where it worked.
func (s *Store) Undid(ctx context.Context, a Attempt, failure string, evidence any) (failover.Directive, error) {
	after, err := s.changeRun(ctx, a.Run.Code, func(t *tx, r failover.Run) (failover.Run, error) {
		if failure == "" {
			t.settle(a, audit.Held, "undone", evidence)
		} else {
			t.settle(a, audit.Failed, failure, evidence)
		}
		return r.UndoStep(a.Index, failure, t.now)
	})
	return after.Next(), err
}

// NothingToUndo ends the undoing of a run that had not begun any step.
func (s *Store) NothingToUndo(ctx context.Context, code string) (failover.Directive, error) {
	after, err := s.changeRun(ctx, code, func(t *tx, r failover.Run) (failover.Run, error) {
		return r.UndoStep(-1, "", t.now)
	})
	return after.Next(), err
}

// SawWrite records the point of no return: the target has accepted a write.
func (s *Store) SawWrite(ctx context.Context, code string, evidence any) (failover.Run, error) {
	return s.changeRun(ctx, code, func(t *tx, r failover.Run) (failover.Run, error) {
		if r.Times.FirstWrite == nil {
			t.record(audit.Event{
				Action: "run.no-return", Object: code, Detail: detail(evidence),
				Text: fmt.Sprintf("The target accepted its first write in %s: the point of no return.", code),
			})
		}
		return r.SawWrite(t.now), nil
	})
}

// Saw records what was observed of an obligation, where that is news.
func (s *Store) Saw(ctx context.Context, code string, kind failover.ObligationKind, met bool, text string, evidence any, also func(failover.Run) failover.Run) (failover.Run, error) {
	return s.changeRun(ctx, code, func(t *tx, r failover.Run) (failover.Run, error) {
		if met {
			t.record(audit.Event{Action: "obligation.met", Object: code, Text: kind.Title() + ": " + text, Detail: detail(evidence)})
		}
		if also != nil {
			r = also(r)
		}
		return r.Saw(kind, met, text, t.now)
	})
}
