package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	rules "keyholder/internal/failover"
	"keyholder/internal/store"
)

// failover is the state of one process: what it was told while it waited.
type failover struct {
	code    string
	expires time.Time
	told    *rules.Directive
}

// Failover carries one request from the wish for it to the closed books.
func Failover(ctx workflow.Context, in FailoverInput) (FailoverResult, error) {
	f, next, err := setup(ctx, in)
	if err != nil {
		return FailoverResult{}, err
	}
	return FailoverResult(in), f.run(ctx, next)
}

// setup listens to people first and then reads off the record where the process stands, so that a process that starts
// anew, on a fresh Temporal too, goes on from there.
func setup(ctx workflow.Context, in FailoverInput) (*failover, rules.Directive, error) {
	f := &failover{code: in.Code}
	if err := f.listen(ctx); err != nil {
		return nil, rules.Directive{}, err
	}
	var stand Stand
	err := workflow.ExecuteActivity(recordOptions(ctx), activityStand, in.Code).Get(ctx, &stand)
	f.expires = stand.Expires
	return f, stand.Next, err
}

// run does what the record says is next until nothing is.
func (f *failover) run(ctx workflow.Context, next rules.Directive) (err error) {
	for err == nil && next.Do != rules.DoEnd {
		if f.full(ctx) {
			return f.goOnAnew(ctx)
		}
		switch next.Do {
		case rules.DoAwaitDecision:
			next, err = f.awaitDecision(ctx)
		case rules.DoClaim:
			next, err = f.do(recordOptions(ctx), activityClaim, f.code)
		case rules.DoCheckGates, rules.DoPerform, rules.DoVerify:
			next, err = f.do(actOptions(ctx), activityPerform, StepInput{f.code, next.Step})
		case rules.DoUndo:
			next, err = f.do(actOptions(ctx), activityUndo, StepInput{f.code, next.Step})
		case rules.DoWait:
			next, err = f.awaitPerson(ctx)
		case rules.DoWatch:
			next, err = f.do(watchOptions(ctx), activityWatch, f.code)
		default:
			err = temporal.NewNonRetryableApplicationError(fmt.Sprintf("nobody knows how to %q", next.Do), "directive", nil)
		}
	}
	return errors.Join(err, workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }))
}

// full says that this history is nearly as long as Temporal lets one be: every act of a person, refused ones too, adds to it.
func (f *failover) full(ctx workflow.Context) bool {
	return workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

// goOnAnew begins another history, which reads off the record where it stands.
func (f *failover) goOnAnew(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, failoverWorkflow, FailoverInput{Code: f.code})
}

func (f *failover) do(ctx workflow.Context, activity string, in any) (next rules.Directive, err error) {
	err = workflow.ExecuteActivity(ctx, activity, in).Get(ctx, &next)
	return next, err
}

// awaitDecision waits for people until the request runs out. Silence is no.
func (f *failover) awaitDecision(ctx workflow.Context) (rules.Directive, error) {
	left := max(time.Second, f.expires.Sub(workflow.Now(ctx)))
	woken, err := workflow.AwaitWithTimeout(ctx, left, func() bool { return f.told != nil || f.full(ctx) })
	if err != nil {
		return rules.Directive{}, err
	}
	if woken && f.told == nil {
		return rules.Directive{Do: rules.DoAwaitDecision}, nil
	}
	if !woken {
		return f.do(recordOptions(ctx), activityExpire, f.code)
	}
	return f.heard(), nil
}

func (f *failover) awaitPerson(ctx workflow.Context) (rules.Directive, error) {
	err := workflow.Await(ctx, func() bool { return f.told != nil || f.full(ctx) })
	return f.heard(), err
}

// heard takes what the process was told. It may be older than the record by then: every activity looks at the record
// before it acts, and answers with what is next instead where the run has gone on.
func (f *failover) heard() rules.Directive {
	if f.told == nil {
		return rules.Directive{Do: rules.DoWait}
	}
	told := *f.told
	f.told = nil
	return told
}

// listen registers what people can do. Each handler runs one activity, which decides in the database.
func (f *failover) listen(ctx workflow.Context) error {
	return errors.Join(
		workflow.SetUpdateHandlerWithOptions(ctx, updateDecide, func(ctx workflow.Context, v store.Vote) (store.Outcome, error) {
			return f.answer(ctx, activityDecide, v)
		}, workflow.UpdateHandlerOptions{Validator: func(v store.Vote) error { return f.plausible(v.Code, v.ID) }}),
		workflow.SetUpdateHandlerWithOptions(ctx, updateWithdraw, func(ctx workflow.Context, a store.Amend) (store.Outcome, error) {
			return f.answer(ctx, activityWithdraw, a)
		}, workflow.UpdateHandlerOptions{Validator: func(a store.Amend) error { return f.plausible(a.Code, a.ID) }}),
		workflow.SetUpdateHandlerWithOptions(ctx, updateConfirm, func(ctx workflow.Context, a store.Amend) (store.Outcome, error) {
			return f.answer(ctx, activityConfirm, a)
		}, workflow.UpdateHandlerOptions{Validator: func(a store.Amend) error { return f.plausible(a.Code, a.ID) }}),
		workflow.SetUpdateHandlerWithOptions(ctx, updateCommand, func(ctx workflow.Context, c store.Command) (store.Outcome, error) {
			return f.answer(ctx, activityCommand, c)
		}, workflow.UpdateHandlerOptions{Validator: func(c store.Command) error { return f.plausible(c.Code, c.ID) }}),
	)
}

// plausible filters only what can never be right; rules are the database's.
func (f *failover) plausible(code, id string) error {
	if code != f.code || id == "" {
		return fmt.Errorf("this is the process of %s, and every act needs an id", f.code)
	}
	return nil
}

func (f *failover) answer(ctx workflow.Context, activity string, in any) (store.Outcome, error) {
	var out store.Outcome
	err := workflow.ExecuteActivity(recordOptions(ctx), activity, in).Get(ctx, &out)
	if err == nil && out.Refusal == nil {
		f.told = &out.Directive
	}
	return out, err
}
