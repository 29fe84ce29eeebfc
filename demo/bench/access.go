package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

const (
	givesBack   = 100
	accessAtAll = 12 * time.Minute
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
	m := minute{people: 10, systems: 100, atOnce: 1, lead: 150 * time.Second, bareLead: 50 * time.Second, drain: 10 * time.Second}
	b, err := r.accessBench(ctx, m)
	if err != nil {
		return nil, err
	}
	if err := b.approveAll(ctx); err != nil {
		return nil, err
	}
	mine, err := b.ends(ctx)
	if err != nil {
		return nil, err
	}
	if mine.left > 0 {
		return nil, fmt.Errorf("%d are not gone %s after the last has ended", mine.left, m.drain)
	}
	peer, err := r.bareEnds(ctx, m)
	if err != nil {
		return nil, err
	}
	figures = againstBare(mine.after, peer.after)
	record, system, err := b.givenBack(ctx)
	return append(figures, figure{"give_back_record_p99_s", at(record, 99), "s", 1}, figure{"give_back_system_p99_s", at(system, 99), "s", 1}), err
}

// againstBare is how late ours were, and the peer's, and how much later ours.
func againstBare(ours, theirs []time.Duration) []figure {
	return []figure{
		{"access_gone_p50_s", at(ours, 50), "s", 0}, {"access_gone_p99_s", at(ours, 99), "s", 2},
		{"access_bare_p50_s", at(theirs, 50), "s", 0}, {"access_bare_p99_s", at(theirs, 99), "s", 0},
		{"access_gone_to_bare_p50", at(ours, 50) / at(theirs, 50), "x", 1.5}, {"access_gone_to_bare_p99", at(ours, 99) / at(theirs, 99), "x", 1.5},
	}
}

// at is a percentile, in seconds.
func at(of []time.Duration, percent int) float64 {
	of = slices.Clone(of)
	slices.Sort(of)
	return of[min(len(of)-1, len(of)*percent/100)].Seconds()
}

type accessBench struct {
	*rig
	minute   minute
	people   []access.Principal
	incident string
	codes    []string // of the grants of the minute
}

func (r *rig) accessBench(ctx context.Context, m minute) (*accessBench, error) {
	records := []any{catalog.Assignment{Slug: "security", Name: "Security", Role: access.SecurityOfficer, Group: "security"}}
	for i := range m.systems {
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
	b := &accessBench{rig: r, minute: m}
	for i := range m.people {
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

// begun is access of one person to one system that has begun and lasts so long.
func (b *accessBench) begun(ctx context.Context, by access.Principal, system string, lasts time.Duration) (string, error) {
	code, err := b.approved(ctx, by, system)
	if err != nil {
		return "", err
	}
	return code, b.begin(ctx, by, system, code, lasts)
}

// approved is access that one person has asked for and may begin.
func (b *accessBench) approved(ctx context.Context, by access.Principal, system string) (string, error) {
	r, err := b.store.FileAccess(ctx, by, store.AccessFile{
		ID: store.NewID(), Eligibility: system, Role: "reader", Length: catalog.Duration(5 * time.Minute), Incident: b.incident, Reason: "bench",
	})
	if err != nil {
		return "", err
	}
	approver := b.ines
	approver.SignedInAt = b.store.Now()
	out, err := b.store.DecideAccess(ctx, store.AccessVote{Vote: store.Vote{ID: store.NewID(), Code: r.Code, By: approver, Verdict: approval.Approve, Digest: r.Digest}})
	return r.Code, errors.Join(err, out.Err())
}

// begin begins access that lasts so long. Access is agreed in steps of five minutes, which a bench cannot wait for: the record is told
// otherwise.
func (b *accessBench) begin(ctx context.Context, by access.Principal, system, code string, lasts time.Duration) error {
	shorten := "UPDATE access_requests SET body = CAST(json_set(CAST(body AS TEXT), '$.allowed', $1) AS BLOB) WHERE code = $2"
	if b.onPostgres {
		shorten = "UPDATE access_requests SET body = convert_to(jsonb_set(convert_from(body, 'UTF8')::jsonb, '{allowed}', to_jsonb($1::text))::text, 'UTF8') WHERE code = $2"
	}
	if _, err := b.record.ExecContext(ctx, shorten, lasts.Truncate(time.Millisecond).String(), code); err != nil {
		return err
	}
	by.SignedInAt = b.store.Now()
	out, err := b.store.CommandAccess(ctx, store.AccessCommand{ID: store.NewID(), Code: code, By: by, Verb: store.BeginAccess})
	if err := errors.Join(err, out.Err()); err != nil {
		return err
	}
	return b.processes.Start(ctx, store.HolderCode(system, by.ID))
}

// givenBack is how long after they gave it back people are refused by the record, and by the system.
func (b *accessBench) givenBack(ctx context.Context) (record, system []time.Duration, err error) {
	if err := b.reviewAll(ctx); err != nil {
		return nil, nil, err
	}
	for i := range givesBack {
		by, slug := b.people[i%b.minute.people], fmt.Sprintf("system-%d", i/b.minute.people)
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
		seen, err := r.Grant.Seen()
		if err != nil {
			return err
		}
		out, err := b.store.CommandAccess(ctx, store.AccessCommand{ID: store.NewID(), Code: r.Code, By: sven, Verb: store.ReviewAccess, InOrder: true, Note: "bench", Seen: seen})
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
