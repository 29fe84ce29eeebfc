package workflows

import (
	"context"
	"time"

	"keyholder/internal/connector"
	rules "keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// job is one step at work.
type job struct {
	*Activities
	attempt store.Attempt
	plan    rules.Plan
	step    rules.Step
	vars    map[string]string
}

// result is what one attempt at a step came to.
type result struct {
	text     string
	evidence any
	also     func(rules.Run) rules.Run // what else was learned
	wait     rules.Wait                // why a person is needed; WaitNone: it worked
	final    bool                      // trying again cannot help
}

// Perform carries out one step: its intent is committed before anything is touched, its outcome after. A run that has
// gone on meanwhile is left alone. It fails only where our own record is out of reach; a real system that does not do
// what it should is an outcome.
func (a *Activities) Perform(ctx context.Context, in StepInput) (rules.Directive, error) {
	defer alive(ctx)()
	for tried := 0; ; tried++ {
		attempt, err := a.store.Begin(ctx, in.Code, in.Step)
		if fault.KindOf(err) == fault.Conflict {
			return a.next(ctx, in.Code)
		}
		if err != nil {
			return rules.Directive{}, err
		}
		j, err := a.job(ctx, attempt)
		if err != nil {
			return rules.Directive{}, err
		}
		r := j.perform(ctx)
		if ctx.Err() != nil { // the worker is stopping: the next one settles this attempt
			return rules.Directive{}, ctx.Err()
		}
		if r.wait == rules.WaitNone {
			return a.store.Succeed(ctx, attempt, r.text, r.evidence, r.also)
		}
		if tried >= j.step.Retries || r.final {
			return a.store.Fail(ctx, attempt, store.Trouble{
				Wait: r.wait, Why: r.text, Abort: j.step.OnFailure == "abort", Evidence: r.evidence, Also: r.also,
			})
		}
		if err := a.store.Retrying(ctx, attempt, r.text, r.evidence); err != nil {
			return rules.Directive{}, err
		}
		if err := pause(ctx, time.Second); err != nil {
			return rules.Directive{}, err
		}
	}
}

// next reads off the record what is to be done instead.
func (a *Activities) next(ctx context.Context, code string) (rules.Directive, error) {
	run, err := a.store.Run(ctx, code)
	if err != nil {
		return rules.Directive{}, err
	}
	return run.Next(), nil
}

func (a *Activities) job(ctx context.Context, attempt store.Attempt) (job, error) {
	run := attempt.Run
	plan, err := a.store.Plan(ctx, run.Terms.Plan, run.Terms.PlanVersion)
	if err != nil {
		return job{}, err
	}
	vars, err := a.variables(ctx, run)
	if err != nil {
		return job{}, err
	}
	return job{a, attempt, plan.What, plan.What.StepsIn(run.Terms.Mode)[attempt.Index], vars}, nil
}

func (j job) perform(ctx context.Context) result {
	switch j.step.Purpose {
	case rules.GatesStep:
		return j.gates(ctx)
	case rules.CatchUpStep:
		return j.catchUp(ctx)
	case rules.LossStep:
		return j.compareLoss(ctx)
	case rules.VerifyStep:
		return j.verify(ctx)
	default:
		return j.act(ctx)
	}
}

// act lets a connector bring about what the step wants.
func (j job) act(ctx context.Context) result {
	if why := j.unfenced(ctx); why != "" {
		return result{wait: rules.WaitStep, text: why, final: true}
	}
	kind, params, err := j.connector()
	if err != nil {
		return result{wait: rules.WaitStep, text: connector.Words(err), final: true}
	}
	evidence, err := kind.Apply(ctx, j.attempt.Key(), params)
	switch {
	case err != nil && j.step.Purpose == rules.FenceStep:
		return result{wait: rules.WaitFence, text: "The old writer is not proved fenced: " + connector.Words(err), evidence: evidence}
	case err != nil:
		return result{wait: rules.WaitStep, text: connector.Words(err), evidence: evidence}
	case evidence.Already:
		return result{text: "it was so already", evidence: evidence}
	}
	return result{text: evidence.Did, evidence: evidence}
}

// unfenced says, right before a promotion, why the fence that was proved may not stand any more: people may have taken
// hours to accept the loss. One that two people overrode is not looked at.
func (j job) unfenced(ctx context.Context) string {
	if j.step.Purpose != rules.PromoteStep {
		return ""
	}
	for i, done := range j.attempt.Run.Steps {
		if done.Purpose != rules.FenceStep || done.State != rules.StepDone {
			continue
		}
		fence := j
		fence.step = j.plan.StepsIn(j.attempt.Run.Terms.Mode)[i]
		kind, params, err := fence.connector()
		if err != nil {
			return connector.Words(err)
		}
		ctx, cancel := context.WithTimeout(ctx, checkWithin)
		defer cancel()
		if holds, why, _ := kind.Stands(ctx, params); !holds {
			return "The old writer is not proved fenced any more, so nothing was promoted: " + why
		}
	}
	return ""
}

func (j job) connector() (connector.Connector, connector.Params, error) {
	kind, err := j.connectors.Get(j.step.Connector)
	if err != nil {
		return nil, nil, err
	}
	params, err := connector.Fill(j.step.Params, j.vars)
	return kind, params, err
}

// Undo takes one step back. What cannot be taken back is left, and said.
func (a *Activities) Undo(ctx context.Context, in StepInput) (rules.Directive, error) {
	defer alive(ctx)()
	run, err := a.store.Run(ctx, in.Code)
	if err != nil {
		return rules.Directive{}, err
	}
	if d := run.Next(); d.Do != rules.DoUndo || d.Step != in.Step {
		return d, nil
	}
	if in.Step < 0 {
		return a.store.NothingToUndo(ctx, in.Code)
	}
	attempt, err := a.store.BeginUndo(ctx, in.Code, in.Step)
	if fault.KindOf(err) == fault.Conflict {
		return a.next(ctx, in.Code)
	}
	if err != nil {
		return rules.Directive{}, err
	}
	j, err := a.job(ctx, attempt)
	if err != nil {
		return rules.Directive{}, err
	}
	failure, evidence := j.undo(ctx)
	if ctx.Err() != nil {
		return rules.Directive{}, ctx.Err()
	}
	return a.store.Undid(ctx, attempt, failure, evidence)
}

func (j job) undo(ctx context.Context) (failure string, evidence any) {
	if j.step.Connector == "" {
		return "", nil // it only looked
	}
	if why := j.mustStay(ctx); why != "" {
		return why, nil
	}
	kind, params, err := j.connector()
	if err != nil {
		return connector.Words(err), nil
	}
	for tried := 0; ; tried++ {
		seen, err := kind.Undo(ctx, j.attempt.Key(), params)
		if err == nil {
			return "", seen
		}
		if tried >= max(1, j.step.Retries) || pause(ctx, time.Second) != nil {
			return connector.Words(err), seen
		}
	}
}

// mustStay says why a step must not be undone: two writers would be worse than a move that is half done, and so would
// customers who are sent to the side that may not write.
func (j job) mustStay(ctx context.Context) string {
	run := j.attempt.Run
	switch {
	case run.AfterPromotion(j.attempt.Index):
		if seen, unknown := j.written(ctx, run); seen || unknown {
			return "the target may have accepted a write, so what leads to it stays"
		}
	case j.step.Purpose == rules.FenceStep && run.TargetMayWrite():
		return "the target may still write, so the old side stays fenced"
	}
	return ""
}
