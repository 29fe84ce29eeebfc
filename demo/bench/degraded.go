package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/store"
)

// The numbers of degraded modes that Now is compared with.
const (
	fewModes  = 5
	manyModes = 500
	modeLooks = 200
)

// nowDegraded compares Now while hundreds of degraded modes last with Now while a handful do.
func nowDegraded(ctx context.Context, _ options) (figures []figure, err error) {
	took, queries := map[int]float64{}, int64(0)
	for _, n := range []int{fewModes, manyModes} {
		if took[n], queries, err = lookAtModes(ctx, n); err != nil {
			return nil, err
		}
	}
	return []figure{
		{"now_degraded_5_ms", took[fewModes], "ms", 0}, {"now_degraded_500_ms", took[manyModes], "ms", 0},
		{"now_degraded_ratio", took[manyModes] / took[fewModes], "x", 3}, {"now_degraded_queries", float64(queries), "", 12},
	}, nil
}

// lookAtModes is how long Now takes while some modes last, and the most queries that it needs. Each look is after a change, as while
// what runs on them is read: what pages share is read anew.
func lookAtModes(ctx context.Context, n int) (took float64, queries int64, err error) {
	dir, err := os.MkdirTemp("", "keyholder-degraded-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := newSite(ctx, filepath.Join(dir, "keyholder.db"))
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	codes, err := s.modes(ctx, n)
	if err != nil {
		return 0, 0, err
	}
	samples := make([]float64, modeLooks)
	for i := range samples {
		seen := degrade.Seen{Exposure: &degrade.Exposure{Orders: float64(i + 1)}, At: s.store.Now()}
		m, err := s.store.Mode(ctx, codes[i%n])
		if err != nil {
			return 0, 0, err
		}
		if err := s.store.FollowMode(ctx, m, seen); err != nil {
			return 0, 0, err
		}
		if _, err := s.store.Change(ctx); err != nil { // as each portal asks four times a second
			return 0, 0, err
		}
		one, err := s.get(ctx, "/")
		if err != nil {
			return 0, 0, err
		}
		samples[i], queries = one.took.Seconds()*1000, max(queries, one.queries)
	}
	return median(samples), queries, nil
}

// modes switches on some degraded modes, each by a rule of its own.
func (s *site) modes(ctx context.Context, n int) ([]string, error) {
	var b store.Bundle
	for _, p := range catalog.ShippedPolicies() {
		if p.Action == catalog.ActDegrade {
			b.Records = append(b.Records, catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindPolicy, Slug: p.Slug}, Name: p.Name, Record: p})
		}
	}
	for i := range n {
		r := catalog.DegradedModeRule{
			Slug: fmt.Sprintf("rule-%d", i), Name: fmt.Sprintf("Rule %d", i), Trigger: []string{"checkout"}, Instead: "Do it on paper.",
			LimitTime: catalog.Duration(4e12), AtLimit: catalog.GoOnAndPage,
		}
		b.Records = append(b.Records, catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindRule, Slug: r.Slug}, Name: r.Name, Record: r})
	}
	if _, err := s.store.Apply(ctx, access.Person{ID: "bench", Name: "bench"}, b, store.Manner{}); err != nil {
		return nil, err
	}
	ines, err := someone(ctx, s.store, "Ines")
	if err != nil {
		return nil, err
	}
	owner, err := ownerOf(ctx, s.store)
	if err != nil {
		return nil, err
	}
	codes := make([]string, n)
	for i := range codes {
		if codes[i], err = s.switchedOn(ctx, ines, owner, fmt.Sprintf("rule-%d", i)); err != nil {
			return nil, err
		}
	}
	return slices.Clip(codes), nil
}

func ownerOf(ctx context.Context, s *store.Store) (access.Principal, error) {
	id, err := s.SignIn(ctx, store.Identity{Issuer: "bench", Subject: "Hugo", Name: "Hugo", Groups: []string{owners}, SignedInAt: s.Now()})
	if err != nil {
		return access.Principal{}, err
	}
	p, _, err := s.Principal(ctx, id)
	return p, err
}

func (s *site) switchedOn(ctx context.Context, by, owner access.Principal, rule string) (string, error) {
	m, err := s.store.FileMode(ctx, by, store.ModeFile{ID: store.NewID(), Rule: rule})
	if err != nil {
		return "", err
	}
	owner.SignedInAt = s.store.Now()
	out, err := s.store.DecideMode(ctx, store.Vote{ID: store.NewID(), Code: m.Code, By: owner, Verdict: approval.Approve, Digest: m.Digest})
	if err = errors.Join(err, out.Err()); err != nil {
		return "", err
	}
	out, err = s.store.CommandMode(ctx, store.ModeCommand{ID: store.NewID(), Code: m.Code, By: by, Verb: store.ByHandMode, Saw: degrade.SwitchingOn, Note: "bench"})
	return m.Code, errors.Join(err, out.Err())
}
