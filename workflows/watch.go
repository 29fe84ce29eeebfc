package workflows

import (
	"context"
	"encoding/json"
	"time"

	"keyholder/internal/connector"
	rules "keyholder/internal/failover"
)

// watchEvery is how often the obligations are looked at.
const watchEvery = time.Second

// watchFor is how long one activity watches; the process may have to begin another history in between.
const watchFor = 5 * time.Minute

// Watch looks at the obligations of a recovered run until nothing is owed any more.
func (a *Activities) Watch(ctx context.Context, code string) (rules.Directive, error) {
	defer alive(ctx)()
	for began := time.Now(); ; {
		run, err := a.store.Run(ctx, code)
		if err != nil || run.State != rules.Recovered || time.Since(began) > watchFor {
			return run.Next(), err
		}
		if err := a.observeObligations(ctx, run); err != nil {
			return rules.Directive{}, err
		}
		if err := pause(ctx, watchEvery); err != nil {
			return rules.Directive{}, err
		}
	}
}

func (a *Activities) observeObligations(ctx context.Context, run rules.Run) error {
	plan, err := a.store.Plan(ctx, run.Terms.Plan, run.Terms.PlanVersion)
	if err != nil {
		return err
	}
	vars, err := a.variables(ctx, run)
	if err != nil {
		return err
	}
	for kind, check := range map[rules.ObligationKind]rules.Check{
		rules.Backlog: plan.What.Backlog, rules.Protection: plan.What.Protection,
	} {
		owed, _ := run.Obligation(kind)
		if owed.State != rules.Owed {
			continue
		}
		holds, why, seen := a.check(ctx, check, vars)
		if !holds && why == owed.Detail {
			continue
		}
		var also func(rules.Run) rules.Run
		if kind == rules.Protection && holds {
			also = unsaved(seen, plan.What.UnsavedKept)
		}
		if holds {
			why = check.Name
		}
		if _, err := a.store.Saw(ctx, run.Code, kind, holds, why, seen, also); err != nil {
			return err
		}
	}
	return nil
}

// unsaved makes the loss exact once the old side has been read: what it set aside is what never replicated.
func unsaved(seen connector.Observation, pointer string) func(rules.Run) rules.Run {
	var records int64
	raw, err := connector.Point(seen, pointer)
	if err == nil {
		err = json.Unmarshal(raw, &records)
	}
	if err != nil {
		return nil // the estimate stands, and says so
	}
	return func(run rules.Run) rules.Run {
		loss := rules.Loss{Known: true}
		if run.Loss != nil {
			loss = *run.Loss
		}
		if records == 0 {
			loss.Span = 0
		}
		loss.Known, loss.Records, loss.AtMost, loss.Estimate = true, records, records, false
		loss.Basis = "the old side was read and set these aside; the time is from the last record that may have been accepted"
		run.Loss = &loss
		return run
	}
}
