package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"keyholder/internal/access"
)

// minute is one in which access ends.
type minute struct {
	people, systems int           // each person has access to each system
	atOnce          int           // so many ask for it, and begin it, at a time
	lead, bareLead  time.Duration // from when the first begins to its end; by then all have been given. 0: as this machine needs
	drain           time.Duration // after the last has ended all are gone by then
}

const endsOver = time.Minute

func (m minute) grants() int { return m.people * m.systems }

// end is when the nth grant ends, if the first begins then.
func (m minute) end(began time.Time, lead time.Duration, n int) time.Time {
	return began.Add(lead + endsOver*time.Duration(n)/time.Duration(m.grants()))
}

// last is when all are gone at the latest.
func (m minute) last(began time.Time, lead time.Duration) time.Time {
	return began.Add(lead + endsOver + m.drain)
}

// removals are how long after its end each of the grants of a minute was gone, and how many were in each second until the last was. What
// is left was not gone when the wait was over, and counts with how late it was by then.
type removals struct {
	after     []time.Duration
	perSecond float64
	left      int
	over      time.Duration // from when the first ended until the last did
}

// removed counts from when the first ended; last is when the last was gone, or the wait was over.
func removed(after []time.Duration, left int, first, last time.Time) removals {
	return removals{after: after, left: left, perSecond: float64(len(after)-left) / last.Sub(first).Seconds(), over: endsOver}
}

// each does something for every grant of the minute, and says who has it on which system.
func (b *accessBench) each(ctx context.Context, do func(ctx context.Context, n int, by access.Principal, system string) error) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(b.minute.atOnce)
	for n := range b.minute.grants() {
		work.Go(func() error {
			return do(ctx, n, b.people[n%b.minute.people], fmt.Sprintf("system-%d", n/b.minute.people))
		})
	}
	return work.Wait()
}

// approveAll asks for access for everybody and has it approved. Where no lead is given it learns from how long that took what this
// machine needs: to begin one and to give it took two and a half times as long, and four times on a busy machine.
func (b *accessBench) approveAll(ctx context.Context) error {
	asked := time.Now()
	b.codes = make([]string, b.minute.grants())
	err := b.each(ctx, func(ctx context.Context, n int, by access.Principal, system string) (err error) {
		b.codes[n], err = b.approved(ctx, by, system)
		return err
	})
	if b.minute.lead == 0 {
		b.minute.lead = 5*time.Since(asked) + time.Minute
		b.minute.bareLead = b.minute.lead / 2
	}
	say("%d were asked for and approved in %s", len(b.codes), time.Since(asked).Round(time.Second))
	return err
}

// ends lets all begin, waits until they have ended, and reads off the record when each was seen to be gone.
func (b *accessBench) ends(ctx context.Context) (removals, error) {
	began := time.Now()
	say("the first is to end in %s", b.minute.lead.Round(time.Second))
	err := b.each(ctx, func(ctx context.Context, n int, by access.Principal, system string) error {
		return b.begin(ctx, by, system, b.codes[n], time.Until(b.minute.end(began, b.minute.lead, n)))
	})
	if err != nil {
		return removals{}, err
	}
	took := time.Since(began)
	say("%d have begun in %s", len(b.codes), took.Round(time.Second))
	if took > b.minute.lead {
		return removals{}, fmt.Errorf("it took %s to let them begin, and some have ended by then", took)
	}
	if err := b.untilGone(ctx, began); err != nil {
		return removals{}, err
	}
	return b.read(ctx, began.Add(b.minute.lead))
}

// say tells whoever waits how far it is.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "access: "+format+"\n", args...)
}

// untilGone waits until all have ended and nothing is open any more, or it has taken too long.
func (b *accessBench) untilGone(ctx context.Context, began time.Time) error {
	last := b.minute.last(began, b.minute.lead)
	wait := time.Until(last) - b.minute.drain
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		var open int
		if err := b.record.QueryRowContext(ctx, "SELECT count(*) FROM access_grants WHERE open").Scan(&open); err != nil {
			return err
		}
		if open == 0 {
			return nil
		}
		if time.Now().After(last) {
			say("%d are not gone %s after the last has ended", open, b.minute.drain)
			return nil
		}
		wait = time.Second
	}
}

// read reads off the record when each was gone. One that was not given before the first ended would say nothing of what it takes to remove it.
func (b *accessBench) read(ctx context.Context, first time.Time) (removals, error) {
	after, left, last, now := make([]time.Duration, len(b.codes)), 0, first, b.store.Now()
	ended := []time.Time{} // the clock of a grant starts when it is given, so that where giving is slow they end over more than the minute
	for i, code := range b.codes {
		r, err := b.store.Access(ctx, code)
		if err != nil {
			return removals{}, err
		}
		g := r.Grant
		if g.Given == nil || g.Given.After(first) {
			return removals{}, fmt.Errorf("%s had not been given when the first ended", code)
		}
		ended = append(ended, g.End())
		at := now
		if g.Confirmed != nil {
			at = *g.Confirmed
		} else {
			left++
		}
		if at.After(last) {
			last = at
		}
		after[i] = at.Sub(g.End())
	}
	slices.SortFunc(ended, time.Time.Compare)
	all := removed(after, left, ended[0], last)
	all.over = ended[len(ended)-1].Sub(ended[0])
	return all, nil
}
