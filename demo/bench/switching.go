package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/degrade"
	"keyholder/internal/store"
	"keyholder/internal/watch"
)

// A lost site: how many rules one signal calls, how long each flag takes to switch, and how many switch at once.
const (
	lostModes    = 500
	flagTakes    = 50 * time.Millisecond
	callsAtOnce  = 4
	switchWithin = 2 * time.Minute
)

// idealSwitching is how long the calls alone take, one row of them after another.
const idealSwitching = lostModes * flagTakes / callsAtOnce

// switchingOn compares hundreds of degraded modes that one signal switches on with the calls alone, and with a bare workflow that does
// the same calls.
func switchingOn(ctx context.Context, _ options) ([]figure, error) {
	const rounds = 3
	var ours, theirs []float64 // in seconds
	for range rounds {
		our, their, err := loseASite(ctx)
		if err != nil {
			return nil, err
		}
		ours, theirs = append(ours, our.Seconds()), append(theirs, their.Seconds())
	}
	our, their := median(ours), median(theirs)
	return []figure{
		{"switch_on_500_s", our, "s", 0}, {"switch_bare_500_s", their, "s", 0},
		{"switch_on_to_ideal", our / idealSwitching.Seconds(), "x", 1.25}, {"switch_on_to_bare", our / their, "x", 1.3},
	}, nil
}

// loseASite is how long the product and the peer take, each on the same fresh Temporal.
func loseASite(ctx context.Context) (ours, theirs time.Duration, err error) {
	r, err := newRig(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	if err := r.rulesOfALostSite(ctx); err != nil {
		return 0, 0, err
	}
	if theirs, err = r.timeBareCalls(ctx); err != nil {
		return 0, 0, err
	}
	ours, err = r.loseTheSite(ctx)
	return ours, theirs, err
}

// rulesOfALostSite has the owner approve rules that all begin by themselves by one signal.
func (r *rig) rulesOfALostSite(ctx context.Context) error {
	lost := catalog.Signal{Slug: "site", Name: "Site", Kind: catalog.Health, Service: "checkout", Observe: []byte(`{}`), Pointer: "/n"}
	b := store.Bundle{Records: []catalog.Entry{{Ref: catalog.Ref{Kind: catalog.KindSignal, Slug: lost.Slug}, Name: lost.Name, Record: lost}}}
	for i := range lostModes {
		rule := catalog.DegradedModeRule{
			Slug: fmt.Sprintf("lost-%d", i), Name: fmt.Sprintf("Lost %d", i), Trigger: []string{"checkout"}, Signals: []string{lost.Slug},
			Instead: "Sell without it.", LimitTime: catalog.Duration(time.Hour), AtLimit: catalog.GoOnAndPage, GoAhead: catalog.ByItself,
			Switch: catalog.Act{Connector: flags{}.Kind(), Params: fmt.Appendf(nil, `{"flag":"lost-%d"}`, i)},
		}
		b.Records = append(b.Records, catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindRule, Slug: rule.Slug}, Name: rule.Name, Record: rule})
	}
	asked, err := r.store.ProposeBundle(ctx, r.ines.Person(), store.NewID(), b, store.Manner{Why: "bench"})
	if err != nil {
		return err
	}
	owner, err := ownerOf(ctx, r.store)
	if err != nil {
		return err
	}
	for _, by := range []access.Principal{owner, r.bea} {
		if asked.State == approval.Approved {
			break
		}
		by.SignedInAt = r.store.Now()
		out, err := r.store.DecideChange(ctx, store.Vote{ID: store.NewID(), Code: asked.Code, By: by, Verdict: approval.Approve, Digest: asked.Digest})
		if err := errors.Join(err, out.Err()); err != nil {
			return err
		}
		if asked, err = r.store.ChangeRequest(ctx, asked.Code); err != nil {
			return err
		}
	}
	if asked.State != approval.Approved {
		return fmt.Errorf("the rules are %s", asked.State)
	}
	return nil
}

// loseTheSite is the time from the first mode that the signal files until the last one is on, as it was read back.
func (r *rig) loseTheSite(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, switchWithin)
	defer cancel()
	w := &watch.Watch{
		Store: r.store, Connectors: connector.All{Acts: connector.NewSet(lostSite{})}, Start: r.processes.Start, SeeWrites: r.activities.SeeWrites, Modes: r.activities,
		Log: slog.New(slog.DiscardHandler),
	}
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	took, err := r.allOn(ctx)
	cancel()
	return took, errors.Join(err, <-ended)
}

func (r *rig) allOn(ctx context.Context) (time.Duration, error) {
	for {
		all, err := r.store.OpenModes(ctx)
		if err != nil {
			return 0, err
		}
		var on int
		var first, last time.Time
		for i, m := range all {
			if i == 0 {
				first = m.FiledAt
			}
			if m.Phase == degrade.On && m.On != nil {
				on++
				if m.On.After(last) {
					last = *m.On
				}
			}
		}
		if on == lostModes {
			return last.Sub(first), nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%d of %d are on: %w", on, lostModes, ctx.Err())
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// bareCalls is the peer: the same calls, as many at once, in one workflow that keeps no record.
func bareCalls(ctx workflow.Context, n, atOnce int) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Second})
	group := workflow.NewWaitGroup(ctx)
	room := workflow.NewSemaphore(ctx, int64(atOnce))
	var failed error
	for range n {
		if err := room.Acquire(ctx, 1); err != nil {
			return err
		}
		group.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer group.Done()
			defer room.Release(1)
			if err := workflow.ExecuteActivity(ctx, flagCall).Get(ctx, nil); err != nil {
				failed = err
			}
		})
	}
	group.Wait(ctx)
	return failed
}

func flagCall(ctx context.Context) error {
	_, err := flags{}.Apply(ctx, "", nil)
	return err
}

func (r *rig) timeBareCalls(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	run, err := r.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: queue}, "bareCalls", lostModes, callsAtOnce)
	if err != nil {
		return 0, err
	}
	err = run.Get(ctx, nil)
	return time.Since(began), err
}

// flags is a connector to flags that take a while to switch.
type flags struct{ nothing }

func (flags) Kind() string { return "flag" }

func (flags) Apply(ctx context.Context, _ string, _ connector.Params) (connector.Evidence, error) {
	select {
	case <-ctx.Done():
		return connector.Evidence{}, ctx.Err()
	case <-time.After(flagTakes):
	}
	return connector.Evidence{Did: "switched"}, nil
}

// lostSite is a connector by which the signal of a lost site is read.
type lostSite struct{ nothing }

func (lostSite) Observe(context.Context, connector.Params) (connector.Observation, error) {
	return connector.Observation{}, errors.New("the site is lost")
}
