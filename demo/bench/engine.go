package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// stepCost compares what one more step costs a run with what one more empty activity costs a bare workflow.
func stepCost(ctx context.Context, _ options) (figures []figure, err error) {
	const rounds = 75 // the slope is a difference of medians: fewer leave it to chance
	r, err := newRig(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	runs := []func() (time.Duration, error){
		func() (time.Duration, error) { return r.timeRun(ctx, 20) },
		func() (time.Duration, error) { return r.timeBare(ctx, 20) },
		func() (time.Duration, error) { return r.timeRun(ctx, 40) },
		func() (time.Duration, error) { return r.timeBare(ctx, 40) },
	}
	took := make([][]float64, len(runs)) // in ms, a list for each
	for i := range rounds + 1 {
		for j, run := range runs {
			one, err := run()
			if err != nil {
				return nil, err
			}
			if i > 0 { // the first round warms up
				took[j] = append(took[j], one.Seconds()*1000)
			}
		}
	}
	ours, theirs := (median(took[2])-median(took[0]))/20, (median(took[3])-median(took[1]))/20
	return []figure{{"step_cost_ms", ours, "ms", 0}, {"bare_step_ms", theirs, "ms", 0}, {"step_cost_ratio", ours / theirs, "x", 1.5}}, nil
}

// timeRun is the time from the claim of a run to the end of its last step before the verification.
func (r *rig) timeRun(ctx context.Context, steps int) (time.Duration, error) {
	run, err := r.carryOut(ctx, steps)
	if err != nil {
		return 0, err
	}
	return run.Times.Executed.Sub(run.Times.Started), nil
}

// carryOut files a request, approves it and waits until its run has recovered and closed.
func (r *rig) carryOut(ctx context.Context, steps int) (failover.Run, error) {
	code, err := r.approved(ctx, steps)
	if err != nil {
		return failover.Run{}, err
	}
	run, err := r.waitFor(ctx, code, failover.Recovered)
	if err != nil {
		return run, err
	}
	waiver := store.NewID()
	for _, c := range []store.Command{
		{ID: waiver, Code: code, By: r.ines, Propose: failover.Waive, Target: string(failover.Books), Note: "bench"},
		{ID: store.NewID(), Code: code, By: r.bea, Confirm: waiver, Digits: failover.Exception{ID: waiver}.Code()},
	} {
		out, err := r.processes.Command(ctx, c)
		if err := errors.Join(err, out.Err()); err != nil {
			return run, err
		}
	}
	_, err = r.waitFor(ctx, code, failover.Closed)
	return run, err
}

func (r *rig) approved(ctx context.Context, steps int) (string, error) {
	terms, err := r.store.TermsNow(ctx, failover.Terms{
		Plan: planOf(steps), From: "leeds", To: "dublin", Mode: failover.Emergency, Cause: failover.CauseSite,
		Ceiling: failover.Ceiling{Kind: failover.CeilingUnknown},
	}, r.store.Now())
	if err != nil {
		return "", err
	}
	situation, err := r.store.Situation(ctx, terms, r.store.Now())
	if err != nil {
		return "", err
	}
	request, err := r.store.FileRequest(ctx, r.ines, store.File{
		ID: store.NewID(), Terms: terms, Reason: "bench", Impact: r.store.Now(), Sheet: situation.Facts(""),
	})
	if err != nil {
		return "", err
	}
	if err := r.processes.Start(ctx, request.Code); err != nil {
		return "", err
	}
	sheet, err := r.store.NewestSheet(ctx, request.ID)
	if err != nil {
		return "", err
	}
	out, err := r.processes.Decide(ctx, store.Vote{ID: store.NewID(), Code: request.Code, By: r.bea, Verdict: approval.Approve, Digest: request.Digest, Sheet: sheet.Digest})
	return request.Code, errors.Join(err, out.Err())
}

func (r *rig) waitFor(ctx context.Context, code string, state failover.State) (failover.Run, error) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		run, err := r.store.Run(ctx, code)
		if err == nil && run.State == state {
			return run, nil
		}
		if err == nil && run.State == failover.Paused {
			return run, fmt.Errorf("%s is paused: %s", code, run.Why)
		}
		select {
		case <-ctx.Done():
			return run, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return failover.Run{}, fmt.Errorf("%s did not become %s", code, state)
}

// decisionToGate measures from a committed decision to the start of the first gate.
func decisionToGate(ctx context.Context, _ options) (figures []figure, err error) {
	const runs = 200
	r, err := newRig(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	var waits, activities []float64
	for range runs {
		run, err := r.carryOut(ctx, 4)
		if err != nil {
			return nil, err
		}
		waits = append(waits, run.Steps[0].StartedAt.Sub(run.Times.Approved).Seconds()*1000)
		few, err := r.timeBare(ctx, 1)
		if err != nil {
			return nil, err
		}
		many, err := r.timeBare(ctx, 6)
		if err != nil {
			return nil, err
		}
		activities = append(activities, (many-few).Seconds()*1000/5)
	}
	return []figure{
		{"decision_to_gate_ms", median(waits), "ms", 0}, {"bare_activity_ms", median(activities), "ms", 0},
		{"decision_to_gate_ratio", median(waits) / median(activities), "x", 10},
		{"decision_to_gate_slowest", slices.Max(waits) / 1000, "s", 1},
	}, nil
}
