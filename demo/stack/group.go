package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// stopInOrder is how long a part is kept running for those that need it while everything stops.
const stopInOrder = 8 * time.Second

// Part is one thing the demo runs.
type Part struct {
	Name  string
	After []string // started when these are ready, stopped before they are
	// Run works until ctx ends and calls ready once others may rely on it. To return earlier is a failure.
	Run func(ctx context.Context, ready func()) error
}

// Group runs parts together.
type Group struct {
	Parts []Part
	Ready func() // called once, when all parts are ready; may be nil
}

// running is what the group knows of one part.
type running struct {
	part       Part
	ready      chan struct{}
	ended      chan struct{}
	dependants []*running
}

// Run starts the parts, waits until ctx ends or one of them fails, and stops them all. Its error names the part that
// failed first.
func (g Group) Run(ctx context.Context) error {
	all, err := g.link()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wait sync.WaitGroup
	failures := make(chan error, len(all))
	for _, r := range all {
		wait.Go(func() {
			defer close(r.ended)
			if err := r.run(ctx, all); err != nil {
				failures <- fmt.Errorf("%s: %w", r.part.Name, err)
				stop()
			}
		})
	}
	wait.Go(func() { g.announce(ctx, all) })
	wait.Wait()
	close(failures)
	var joined []error
	for err := range failures {
		joined = append(joined, err)
	}
	return errors.Join(joined...)
}

func (g Group) announce(ctx context.Context, all map[string]*running) {
	for _, r := range all {
		select {
		case <-r.ready:
		case <-ctx.Done():
			return
		}
	}
	if g.Ready != nil && ctx.Err() == nil {
		g.Ready()
	}
}

// link checks the parts and tells each who depends on it.
func (g Group) link() (map[string]*running, error) {
	all := map[string]*running{}
	for _, p := range g.Parts {
		if _, twice := all[p.Name]; twice {
			return nil, fmt.Errorf("two parts are called %s", p.Name)
		}
		all[p.Name] = &running{part: p, ready: make(chan struct{}), ended: make(chan struct{})}
	}
	for _, p := range g.Parts {
		for _, name := range p.After {
			needed, ok := all[name]
			if !ok {
				return nil, fmt.Errorf("%s comes after %s, which is no part", p.Name, name)
			}
			needed.dependants = append(needed.dependants, all[p.Name])
		}
		if waitsForItself(all, p.Name, nil) {
			return nil, fmt.Errorf("%s waits for itself", p.Name)
		}
	}
	return all, nil
}

func waitsForItself(all map[string]*running, name string, path []string) bool {
	if slices.Contains(path, name) {
		return true
	}
	r, ok := all[name]
	if !ok {
		return false // said when its own turn comes
	}
	return slices.ContainsFunc(r.part.After, func(next string) bool {
		return waitsForItself(all, next, append(slices.Clone(path), name))
	})
}

func (r *running) run(group context.Context, all map[string]*running) error {
	for _, name := range r.part.After {
		select {
		case <-all[name].ready:
		case <-group.Done():
			return nil
		}
	}
	own, cancel := context.WithCancel(context.WithoutCancel(group))
	defer cancel()
	go r.stopAfterDependants(group, own, cancel)
	err := r.part.Run(own, sync.OnceFunc(func() { close(r.ready) }))
	switch {
	case group.Err() == nil && err == nil:
		return errors.New("ended by itself")
	case errors.Is(err, context.Canceled) && group.Err() != nil:
		return nil
	}
	return err
}

// stopAfterDependants ends a part once the group stops and nobody needs it any more, or once that has taken too long.
func (r *running) stopAfterDependants(group, own context.Context, cancel func()) {
	select {
	case <-group.Done():
	case <-own.Done():
		return
	}
	limit := time.NewTimer(stopInOrder)
	defer limit.Stop()
	for _, d := range r.dependants {
		select {
		case <-d.ended:
		case <-limit.C:
			cancel()
			return
		case <-own.Done():
			return
		}
	}
	cancel()
}
