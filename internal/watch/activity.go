package watch

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"keyholder/internal/breakglass"
	"keyholder/internal/connector"
	"keyholder/internal/store"
)

const (
	activityEvery  = 2 * time.Second
	activityWithin = time.Minute // one use

	activitiesAtOnce = 4
)

// activities reads what systems wrote down of what was done with access that is gone. What cannot be read is tried again.
func (w *Watch) activities(ctx context.Context) error {
	due, err := w.Store.ActivitiesDue(ctx)
	if err != nil {
		return err
	}
	failed := make([]error, len(due))
	var all errgroup.Group
	all.SetLimit(activitiesAtOnce) // one that hangs keeps few others waiting
	for i, d := range due {
		all.Go(func() error {
			failed[i] = w.activity(ctx, d)
			return nil
		})
	}
	return errors.Join(append(failed, all.Wait())...)
}

func (w *Watch) activity(ctx context.Context, d store.DueActivity) error {
	within, cancel := context.WithTimeout(ctx, activityWithin)
	defer cancel()
	g := d.Grant
	log, err := w.Connectors.Logs.Get(d.System.Log)
	var read connector.Activity
	if err == nil {
		read, err = log.Activity(within, d.System.LogParams, connector.Use{Account: g.Account, From: g.From, Until: *g.Confirmed})
	}
	if ctx.Err() != nil {
		return nil // the next worker reads it
	}
	if err != nil {
		return w.Store.ActivityUnread(ctx, g.Code, connector.Words(err))
	}
	entries := make([]breakglass.Entry, len(read.Entries))
	for i, e := range read.Entries {
		entries[i] = breakglass.Entry(e)
	}
	return w.Store.AttachActivity(ctx, g.Code, breakglass.Activity{Source: read.Source, LeftOut: read.LeftOut, Partial: read.Partial}, entries)
}
