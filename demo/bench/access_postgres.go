package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// accessOnPostgresAtAll is how long the bench may take: ten thousand are asked for, approved and begun one by one.
const accessOnPostgresAtAll = time.Hour

// grantHolders are as many people, each of whom has access to as many systems as it takes.
const grantHolders = 100

// accessEndsOnPostgres is accessEnds for ten thousand grants where the product and Temporal keep everything on one PostgreSQL that waits
// for the disk. It is only reported: machines differ in how many removals in a second they have room for, and where there are more than
// that, p50 and p99 say how far they fell behind. What is not gone ten minutes after the last has ended is counted as left.
func accessEndsOnPostgres(ctx context.Context, o options) (figures []figure, err error) {
	if o.grants < grantHolders || o.grants%grantHolders != 0 {
		return nil, fmt.Errorf("%d grants are no multiple of %d", o.grants, grantHolders)
	}
	ctx, cancel := context.WithTimeout(ctx, accessOnPostgresAtAll)
	defer cancel()
	on, err := startDurable(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, on.stop()) }()
	r, err := newRigOn(ctx, on)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	b, err := r.accessBench(ctx, minute{people: grantHolders, systems: o.grants / grantHolders, atOnce: startsAtOnce, drain: 10 * time.Minute})
	if err != nil {
		return nil, err
	}
	if err := b.approveAll(ctx); err != nil {
		return nil, err
	}
	theirs, err := r.bareEnds(ctx, b.minute) // first: nothing of it is left to be done afterwards, whatever comes of ours
	if err != nil {
		return nil, err
	}
	ours, err := b.ends(ctx)
	return append(theirs.figures("access_postgres_bare"), ours.figures("access_postgres_gone")...), err
}

// figures are none where nothing was measured.
func (r removals) figures(name string) []figure {
	if len(r.after) == 0 {
		return nil
	}
	return []figure{
		{name + "_p50_s", at(r.after, 50), "s", 0}, {name + "_p99_s", at(r.after, 99), "s", 0},
		{name + "_per_s", r.perSecond, "/s", 0}, {name + "_left", float64(r.left), "", 0}, {name + "_ends_over_s", r.over.Seconds(), "s", 0},
	}
}
