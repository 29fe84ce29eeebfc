package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/failover"
	"keyholder/internal/store"
	"keyholder/workflows"
)

// The rhythms of the watch.
const (
	readEvery  = time.Second
	sheetEvery = 2 * time.Second
	startEvery = 150 * time.Millisecond
	writeEvery = 300 * time.Millisecond
	sweepEvery = 10 * time.Minute

	startsAtOnce = 8
)

// Watch is the worker's regular work.
type Watch struct {
	Store      *store.Store
	Connectors connector.All
	Start      func(ctx context.Context, code string) error // a process; one that runs already is left alone
	SeeWrites  func(ctx context.Context) error              // notes the point of no return of open runs
	Mail       Mailer                                       // nil where there is no mail server
	Modes      Modes                                        // looks at what runs degraded
	Channels   Poster                                       // whatever else people are told by
	PublicURL  string                                       // of the portal, for links
	Log        *slog.Logger

	out    outbox
	looked map[string]looked // by degraded mode
	toldOf map[string]bool   // what has been told of degraded modes

	toldOfAccess, toldOfFindings map[string]bool

	misses misses
}

// Run works until ctx ends. A failure is logged when it begins and when it ends, not every second.
func (w *Watch) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, duty := range []struct {
		name  string
		every time.Duration
		do    func(context.Context) error
	}{
		{"read signals", readEvery, w.read},
		{"refresh fact sheets", sheetEvery, w.sheets},
		{"start processes", startEvery, w.starts},
		{"look for first writes", writeEvery, w.SeeWrites},
		{"close change requests that have run out", tellEvery, w.Store.ExpireChanges},
		{"follow standing orders", readEvery, w.Store.FollowOrders},
		{"end what runs degraded", modesEvery, w.endModes},
		{"look at what runs degraded", modesEvery, w.lookAtModes},
		{"follow the rules of running degraded", readEvery, w.Store.FollowRules},
		{"close wishes to run degraded that have run out", tellEvery, w.Store.ExpireModes},
		{"close requests for access that have run out", tellEvery, w.Store.SweepAccess},
		{"wake what takes access back", overdueEvery, w.Store.Overdue},
		{"read who has access", driftEvery, w.drift},
		{"take what no grant explains", takeEvery, w.take},
		{"read what was done with access", activityEvery, w.activities},
		{"see whom to tell", tellEvery, w.tell},
		{"send messages", sendEvery, w.send},
		{"drop sessions that have run out", sweepEvery, w.Store.Sessions().Sweep},
	} {
		all.Go(func() { w.repeat(ctx, duty.name, duty.every, duty.do) })
	}
	all.Wait()
	w.out.all.Wait()
	return nil
}

func (w *Watch) repeat(ctx context.Context, name string, every time.Duration, do func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	failing := false
	for {
		err := do(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			w.Log.ErrorContext(ctx, "the worker cannot "+name, "error", err)
		case err == nil && failing:
			w.Log.InfoContext(ctx, "the worker can "+name+" again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// starts starts the processes whose requests were filed.
func (w *Watch) starts(ctx context.Context) error {
	waiting, err := w.Store.Starts(ctx)
	if err != nil {
		return err
	}
	failed := make([]error, len(waiting))
	room := make(chan struct{}, startsAtOnce)
	var all sync.WaitGroup
	for i, s := range waiting {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			failed[i] = w.Start(ctx, s.Code)
		})
	}
	all.Wait()
	var started []int
	for i, s := range waiting {
		if failed[i] == nil {
			started = append(started, s.ID)
		}
	}
	return errors.Join(w.Store.Started(ctx, started...), errors.Join(failed...))
}

// sheets makes new fact sheets for the requests that wait.
func (w *Watch) sheets(ctx context.Context) error {
	open, err := w.Store.OpenRequests(ctx)
	if err != nil {
		return err
	}
	for _, r := range open {
		if r.Standing(w.Store.Now()).Final() {
			continue
		}
		if err := w.Store.RefreshSheet(ctx, r); err != nil {
			return fmt.Errorf("refresh the facts of %s: %w", r.Code, err)
		}
	}
	return nil
}

// read reads every signal and every copy of every data set once, all at the same time.
func (w *Watch) read(ctx context.Context) error {
	version, err := w.Store.Catalog(ctx)
	if err != nil {
		return err
	}
	before, err := w.Store.Readings(ctx)
	if err != nil {
		return err
	}
	calm := calm(before)
	jobs := w.jobs(version.Catalog, before, calm)
	seen := make([]failover.Reading, len(jobs))
	var all sync.WaitGroup
	for i, job := range jobs {
		all.Go(func() { seen[i] = job(ctx) })
	}
	all.Wait()
	if ctx.Err() != nil || len(seen) == 0 {
		return ctx.Err()
	}
	return w.Store.SaveReadings(ctx, seen)
}

func (w *Watch) jobs(c catalog.Catalog, before failover.Readings, calm bool) []func(context.Context) failover.Reading {
	var jobs []func(context.Context) failover.Reading
	for _, signal := range c.Signals {
		last := before[failover.SignalKey(signal.Slug)]
		last.Key = failover.SignalKey(signal.Slug)
		jobs = append(jobs, func(ctx context.Context) failover.Reading {
			value, seen, err := workflows.ReadSignal(ctx, w.Connectors.Acts, signal)
			if err != nil {
				return last.Silence(connector.Words(err), seen.Source, w.Store.Now())
			}
			return last.Follow(value, signal.Bad(value), calm && !signal.Bad(value), seen.Source, w.Store.Now())
		})
	}
	for _, set := range c.DataSets {
		if set.Position.IsZero() {
			continue // nobody said how to read where it stands
		}
		for _, slug := range set.WriterSites {
			site, _ := c.Site(slug)
			last := before[failover.PositionKey(set.Slug, slug)]
			jobs = append(jobs, func(ctx context.Context) failover.Reading {
				return workflows.ReadPosition(ctx, w.Connectors.Acts, set, site, last, w.Store.Now())
			})
		}
	}
	return jobs
}

// calm says that no signal is bad, so that what is seen now is usual.
func calm(readings failover.Readings) bool {
	for _, r := range readings {
		if r.Bad {
			return false
		}
	}
	return true
}
