package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// A minute in which access ends: so many people, each on so many systems.
const (
	holders   = 10
	systems   = 100
	endsFrom  = 150 * time.Second // after the first has begun; by then all have
	endsOver  = time.Minute
	givesBack = 100

	startsAtOnce = 8
	accessAtAll  = 10 * time.Minute
)

// accessEnds compares a minute in which a thousand grants end, from their end until it has been read back that they are gone, with bare
// workflows that wait for the same moments between the same two calls. Then it measures how soon what is given back is refused.
func accessEnds(ctx context.Context, _ options) (figures []figure, err error) {
	ctx, cancel := context.WithTimeout(ctx, accessAtAll)
	defer cancel()
	r, err := newRig(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	b, err := r.accessBench(ctx)
	if err != nil {
		return nil, err
	}
	ours, err := b.ends(ctx)
	if err != nil {
		return nil, err
	}
	theirs, err := r.bareEnds(ctx)
	if err != nil {
		return nil, err
	}
	figures = []figure{
		{"access_gone_p50_s", at(ours, 50), "s", 0}, {"access_gone_p99_s", at(ours, 99), "s", 2},
		{"access_bare_p50_s", at(theirs, 50), "s", 0}, {"access_bare_p99_s", at(theirs, 99), "s", 0},
		{"access_gone_to_bare_p50", at(ours, 50) / at(theirs, 50), "x", 1.5}, {"access_gone_to_bare_p99", at(ours, 99) / at(theirs, 99), "x", 1.5},
	}
	record, system, err := b.givenBack(ctx)
	return append(figures, figure{"give_back_record_p99_s", at(record, 99), "s", 1}, figure{"give_back_system_p99_s", at(system, 99), "s", 1}), err
}

// at is a percentile, in seconds.
func at(of []time.Duration, percent int) float64 {
	of = slices.Clone(of)
	slices.Sort(of)
	return of[min(len(of)-1, len(of)*percent/100)].Seconds()
}

type accessBench struct {
	*rig
	people   []access.Principal
	incident string
}

func (r *rig) accessBench(ctx context.Context) (*accessBench, error) {
	records := []any{catalog.Assignment{Slug: "security", Name: "Security", Role: access.SecurityOfficer, Group: "security"}}
	for i := range systems {
		slug := fmt.Sprintf("system-%d", i)
		records = append(records, catalog.System{Slug: slug, Name: slug, Connector: instant{}.Kind(), Params: json.RawMessage(`{}`), Roles: []catalog.TargetRole{{Role: "reader", Does: "read"}}},
			catalog.Eligibility{
				Slug: slug, Name: slug, System: slug, Roles: []string{"reader"}, For: []access.Role{access.IncidentCommander}, Longest: catalog.Duration(time.Hour),
				ActivateWithin: catalog.Duration(time.Hour), ReviewWithin: catalog.Duration(time.Hour), Reviewers: []access.Role{access.SecurityOfficer},
			})
	}
	var bundle store.Bundle
	for _, record := range records {
		e, err := catalog.EntryOf(record)
		if err != nil {
			return nil, err
		}
		bundle.Records = append(bundle.Records, e)
	}
	if _, err := r.store.Apply(ctx, access.Person{ID: "bench", Name: "bench"}, bundle, store.Manner{}); err != nil {
		return nil, err
	}
	b := &accessBench{rig: r}
	for i := range holders {
		p, err := someone(ctx, r.store, fmt.Sprintf("Holder %d", i))
		if err != nil {
			return nil, err
		}
		b.people = append(b.people, p)
	}
	in, err := r.store.OpenIncident(ctx, r.ines, store.Incident{ID: store.NewID(), Title: "bench", Cause: failover.CauseUnknown, Services: []string{"checkout"}, ImpactAt: r.store.Now()})
	b.incident = in.Code
	return b, err
}

// begun is access of one person to one system that has begun and lasts so long. Access is agreed in steps of five minutes, which a bench
// cannot wait for: the record is told less.
func (b *accessBench) begun(ctx context.Context, by access.Principal, system string, lasts time.Duration) (string, error) {
	r, err := b.store.FileAccess(ctx, by, store.AccessFile{
		ID: store.NewID(), Eligibility: system, Role: "reader", Length: catalog.Duration(5 * time.Minute), Incident: b.incident, Reason: "bench",
	})
	if err != nil {
		return "", err
	}
	approver := b.ines
	approver.SignedInAt = b.store.Now()
	out, err := b.store.DecideAccess(ctx, store.AccessVote{Vote: store.Vote{ID: store.NewID(), Code: r.Code, By: approver, Verdict: approval.Approve, Digest: r.Digest}})
	if err = errors.Join(err, out.Err()); err != nil {
		return "", err
	}
	if err := b.lasting(ctx, r.Code, lasts); err != nil {
		return "", err
	}
	if out, err = b.store.CommandAccess(ctx, store.AccessCommand{ID: store.NewID(), Code: r.Code, By: by, Verb: store.BeginAccess}); err != nil || out.Err() != nil {
		return "", errors.Join(err, out.Err())
	}
	return r.Code, b.processes.Start(ctx, store.HolderCode(system, by.ID))
}

func (b *accessBench) lasting(ctx context.Context, code string, lasts time.Duration) error {
	db, err := sql.Open("sqlite", store.SQLiteName(filepath.Join(b.dir, "keyholder.db"), true))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "UPDATE access_requests SET body = CAST(json_set(CAST(body AS TEXT), '$.allowed', ?) AS BLOB) WHERE code = ?", lasts.String(), code)
	return errors.Join(err, db.Close())
}

// ends is how long after its end each of a thousand grants was seen to be gone.
func (b *accessBench) ends(ctx context.Context) ([]time.Duration, error) {
	began := time.Now()
	codes := make([]string, 0, holders*systems)
	for i := range holders * systems {
		end := began.Add(endsFrom + endsOver*time.Duration(i)/(holders*systems))
		code, err := b.begun(ctx, b.people[i%holders], fmt.Sprintf("system-%d", i/holders), time.Until(end).Truncate(time.Millisecond))
		if err != nil {
			return nil, err
		}
		codes = append(codes, code)
	}
	if took := time.Since(began); took > endsFrom {
		return nil, fmt.Errorf("it took %s to let them begin, and some have ended by then", took)
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Until(began.Add(endsFrom + endsOver + 10*time.Second))):
	}
	took := make([]time.Duration, len(codes))
	for i, code := range codes {
		r, err := b.store.Access(ctx, code)
		if err != nil {
			return nil, err
		}
		if r.Grant.Confirmed == nil {
			return nil, fmt.Errorf("%s is not gone ten seconds after the last has ended", code)
		}
		took[i] = r.Grant.Confirmed.Sub(r.Grant.End())
	}
	return took, nil
}

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

func bareGive(ctx context.Context) error {
	_, err := instant{}.Bring(ctx, "", nil, connector.Wanted{})
	return err
}

// gone are the moments at which the peer had taken what it gave.
var gone struct { //nolint:gochecknoglobals // an activity has nowhere else to say it
	sync.Mutex
	after []time.Duration
}

func bareTake(ctx context.Context, end time.Time) error {
	_, err := instant{}.Bring(ctx, "", nil, connector.Wanted{})
	gone.Lock()
	defer gone.Unlock()
	gone.after = append(gone.after, time.Since(end))
	return err
}

// bareEnds is how long after its moment each of a thousand bare workflows had taken what it gave.
func (r *rig) bareEnds(ctx context.Context) ([]time.Duration, error) {
	began := time.Now()
	runs := make([]client.WorkflowRun, holders*systems)
	starts, starting := errgroup.WithContext(ctx)
	starts.SetLimit(startsAtOnce)
	for i := range runs {
		end := began.Add(endsFrom/3 + endsOver*time.Duration(i)/(holders*systems))
		starts.Go(func() (err error) {
			runs[i], err = r.temporal.ExecuteWorkflow(starting, client.StartWorkflowOptions{TaskQueue: queue}, "bareEnd", end)
			return err
		})
	}
	if err := starts.Wait(); err != nil {
		return nil, err
	}
	if took := time.Since(began); took > endsFrom/3 {
		return nil, fmt.Errorf("it took %s to start the peer, and some have ended by then", took)
	}
	for _, run := range runs {
		if err := run.Get(ctx, nil); err != nil {
			return nil, err
		}
	}
	gone.Lock()
	defer gone.Unlock()
	return gone.after, nil
}

// givenBack is how long after they gave it back people are refused by the record, and by the system.
func (b *accessBench) givenBack(ctx context.Context) (record, system []time.Duration, err error) {
	if err := b.reviewAll(ctx); err != nil {
		return nil, nil, err
	}
	for i := range givesBack {
		by, slug := b.people[i%holders], fmt.Sprintf("system-%d", i/holders)
		code, err := b.begun(ctx, by, slug, time.Minute)
		if err != nil {
			return nil, nil, err
		}
		if _, err := b.wait(ctx, code, true); err != nil {
			return nil, nil, err
		}
		pressed := time.Now()
		out, err := b.store.CommandAccess(ctx, store.AccessCommand{ID: store.NewID(), Code: code, By: by, Verb: store.ReturnAccess})
		if err = errors.Join(err, out.Err()); err != nil {
			return nil, nil, err
		}
		if has, err := b.store.Holds(ctx, by.ID, slug); err != nil || len(has) > 0 {
			return nil, nil, errors.Join(err, fmt.Errorf("given back, and there is %v", has))
		}
		record = append(record, time.Since(pressed))
		if err := b.processes.Start(ctx, store.HolderCode(slug, by.ID)); err != nil { // as the worker does, within 150 ms
			return nil, nil, err
		}
		confirmed, err := b.wait(ctx, code, false)
		if err != nil {
			return nil, nil, err
		}
		system = append(system, confirmed.Sub(pressed))
		if err := b.reviewAll(ctx); err != nil {
			return nil, nil, err
		}
	}
	return record, system, nil
}

// wait waits until access is given, or gone, and says since when.
func (b *accessBench) wait(ctx context.Context, code string, given bool) (time.Time, error) {
	for {
		r, err := b.store.Access(ctx, code)
		switch {
		case err != nil:
			return time.Time{}, err
		case given && r.Grant.Given != nil:
			return *r.Grant.Given, nil
		case !given && r.Grant.Confirmed != nil:
			return *r.Grant.Confirmed, nil
		}
		select {
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// reviewAll has somebody look at whatever was used, so that more can be asked for.
func (b *accessBench) reviewAll(ctx context.Context) error {
	id, err := b.store.SignIn(ctx, store.Identity{Issuer: "bench", Subject: "Sven", Name: "Sven", Groups: []string{"security"}, SignedInAt: b.store.Now()})
	if err != nil {
		return err
	}
	sven, _, err := b.store.Principal(ctx, id)
	if err != nil {
		return err
	}
	open, err := b.store.OpenAccess(ctx)
	if err != nil {
		return err
	}
	for _, r := range open {
		if r.Grant == nil || r.Grant.Confirmed == nil || !r.Grant.Unreviewed(b.store.Now()) {
			continue
		}
		out, err := b.store.CommandAccess(ctx, store.AccessCommand{ID: store.NewID(), Code: r.Code, By: sven, Verb: store.ReviewAccess, InOrder: true, Note: "bench"})
		if err := errors.Join(err, out.Err()); err != nil {
			return err
		}
	}
	return nil
}

// instant is a system that gives and takes at once.
type instant struct{ nothing }

func (instant) Kind() string { return "http" }

func (instant) Account(_ string, h connector.Holder) string { return h.ID }

func (instant) Signs() bool { return false }

func (instant) Holdings(context.Context, connector.Params, []string) ([]connector.Holding, connector.Observation, error) {
	return nil, connector.Observation{}, nil
}

func (instant) Bring(context.Context, string, connector.Params, connector.Wanted) (connector.Evidence, error) {
	return connector.Evidence{Did: "brought it about"}, nil
}

func (instant) Take(context.Context, string, connector.Params, string, string) (connector.Evidence, error) {
	return connector.Evidence{}, nil
}
