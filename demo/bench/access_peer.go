package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"keyholder/internal/connector"
)

// startsAtOnce is how many peers are started at a time.
const startsAtOnce = 8

// bareEnd is the peer: it gives, waits, and takes, and keeps no record.
func bareEnd(ctx workflow.Context, end time.Time) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Second})
	if err := workflow.ExecuteActivity(ctx, bareGive).Get(ctx, nil); err != nil {
		return err
	}
	if err := workflow.Sleep(ctx, end.Sub(workflow.Now(ctx))); err != nil {
		return err
	}
	return workflow.ExecuteActivity(ctx, bareTake, end).Get(ctx, nil)
}

// gone are the moments at which the peers had taken what they gave; given counts those that have given it.
var gone struct { //nolint:gochecknoglobals // an activity has nowhere else to say it
	sync.Mutex
	after []time.Duration
	last  time.Time
	given int
}

func bareGive(ctx context.Context) error {
	_, err := instant{}.Bring(ctx, "", nil, connector.Wanted{})
	gone.Lock()
	defer gone.Unlock()
	gone.given++
	return err
}

func bareTake(ctx context.Context, end time.Time) error {
	_, err := instant{}.Bring(ctx, "", nil, connector.Wanted{})
	gone.Lock()
	defer gone.Unlock()
	gone.last = time.Now()
	gone.after = append(gone.after, gone.last.Sub(end))
	return err
}

// bareEnds is how long after its moment each of as many bare workflows had taken what it gave.
func (r *rig) bareEnds(ctx context.Context, m minute) (removals, error) {
	began := time.Now()
	runs := make([]client.WorkflowRun, m.grants())
	starts, starting := errgroup.WithContext(ctx)
	starts.SetLimit(startsAtOnce)
	for i := range runs {
		starts.Go(func() (err error) {
			runs[i], err = r.temporal.ExecuteWorkflow(starting, client.StartWorkflowOptions{TaskQueue: queue}, "bareEnd", m.end(began, m.bareLead, i))
			return err
		})
	}
	if err := starts.Wait(); err != nil {
		return removals{}, err
	}
	first := began.Add(m.bareLead)
	if took := time.Since(began); took > m.bareLead {
		return removals{}, fmt.Errorf("it took %s to start the peer, and some have ended by then", took)
	}
	if err := allGiven(ctx, first, m); err != nil {
		return removals{}, err
	}
	for _, run := range runs {
		if err := run.Get(ctx, nil); err != nil {
			return removals{}, err
		}
	}
	gone.Lock()
	defer gone.Unlock()
	return removed(gone.after, 0, first, gone.last), nil
}

// allGiven waits until the first ends, by when all have been given.
func allGiven(ctx context.Context, first time.Time, m minute) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(first)):
	}
	gone.Lock()
	defer gone.Unlock()
	if gone.given < m.grants() {
		return fmt.Errorf("%d of the peer had not been given when the first ended", m.grants()-gone.given)
	}
	return nil
}
