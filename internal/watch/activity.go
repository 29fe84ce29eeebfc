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
	activityWithin = 30 * time.Second // one use
	passWithin     = 20 * time.Second // until no other use of a system is begun
)

// activities reads what systems wrote down of what was done with access that is gone, one use at a time of each system, so that one that
// hangs keeps none of the others waiting for longer than a pass. What cannot be read is tried again.
func (w *Watch) activities(ctx context.Context) error {
	due, err := w.Store.ActivitiesDue(ctx)
	if err != nil || len(due) == 0 {
		return err
	}
	pass, cancel := context.WithTimeout(ctx, passWithin)
	defer cancel()
	by := map[string][]store.DueActivity{}
	for _, d := range due {
		by[d.Grant.System] = append(by[d.Grant.System], d)
	}
	var all errgroup.Group
	for _, its := range by {
		all.Go(func() error {
			var failed []error
			for _, d := range its {
				if pass.Err() == nil {
					failed = append(failed, w.activity(ctx, d))
				}
			}
			return errors.Join(failed...)
		})
	}
	return all.Wait() //nolint:wrapcheck // it is one of ours
}

func (w *Watch) activity(ctx context.Context, d store.DueActivity) error {
	within, cancel := context.WithTimeout(ctx, activityWithin)
	defer cancel()
	g := d.Grant
	if g.Account == "" {
		return w.Store.ActivityUnread(ctx, g.Code, "It is not known what the system called "+g.Holder.Name+".")
	}
	log, err := w.Connectors.Logs.Get(d.System.Log)
	if err == nil && w.Store.Now().Before(g.Confirmed.Add(log.Settles(d.System.LogParams))) {
		return nil // it is not all written down yet
	}
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
