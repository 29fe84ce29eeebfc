package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
	"keyholder/migrations"
)

// The size of what is decided by.
const (
	assignments  = 2000
	policies     = 300 // three for each capability
	electors     = 5000
	groupsOfEach = 4
)

// deciding measures how long it takes to know whether somebody may vote, and who else may.
func deciding(ctx context.Context, _ options) (figures []figure, err error) {
	dir, err := os.MkdirTemp("", "keyholder-deciding-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &site{}
	if s.store, err = governed(ctx, filepath.Join(dir, "keyholder.db")); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	figures, err = ruling(version.Catalog)
	if err != nil {
		return nil, err
	}
	if err := s.portal(ctx); err != nil {
		return figures, err
	}
	asked, err := s.queries(ctx)
	if err != nil {
		return figures, err
	}
	everybody, err := whoCan(ctx, s.store, version.Catalog)
	return append(append(figures, asked...), everybody...), err
}

// queries counts what is asked of the database: by a page that resolves session and roles and decides on nothing; by the page of
// a request, seen again while nothing has changed and anew; and by a vote, with what loads the request and facts and what is written.
func (s *site) queries(ctx context.Context) ([]figure, error) {
	ines, err := someone(ctx, s.store, "Ines")
	if err != nil {
		return nil, err
	}
	bea, err := someone(ctx, s.store, "Bea")
	if err != nil {
		return nil, err
	}
	r, err := s.asks(ctx, ines, planOf(4))
	if err != nil {
		return nil, err
	}
	anew, again := map[string]int64{}, map[string]int64{}
	for _, path := range []string{"/me", "/a/" + r.Code} {
		for _, into := range []map[string]int64{anew, again} { // the first look fills what pages share
			one, err := s.get(ctx, path)
			if err != nil {
				return nil, err
			}
			into[path] = one.queries
		}
	}
	sheet, err := s.store.NewestSheet(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	m := &meter{}
	out, err := s.store.Decide(context.WithValue(ctx, meterKey{}, m), store.Vote{ID: store.NewID(), Code: r.Code, By: bea, Verdict: approval.Approve, Digest: r.Digest, Sheet: sheet.Digest})
	if err := errors.Join(err, out.Err()); err != nil {
		return nil, err
	}
	return []figure{
		{"guard_queries", float64(again["/me"]), "", 2},
		{"deciding_page_queries", float64(again["/a/"+r.Code]), "", 2},
		{"deciding_page_anew_queries", float64(anew["/a/"+r.Code]), "", 0},
		{"deciding_queries", float64(m.decides.Load()), "", 2},
		{"deciding_vote_queries", float64(m.queries.Load()), "", 0},
	}, nil
}

// governed is a store whose catalogue has as many assignments and policies as a large retailer's.
func governed(ctx context.Context, file string) (*store.Store, error) {
	if err := store.Migrate(ctx, file); err != nil {
		return nil, err
	}
	db, err := sql.Open(meteredSQLite(), store.SQLiteName(file, true))
	if err != nil {
		return nil, err
	}
	s, err := store.OpenDB(ctx, db, migrations.SQLite, nil)
	if err != nil {
		return nil, err
	}
	if _, err := s.Apply(ctx, access.Person{ID: "bench", Name: "bench"}, governance(), store.Manner{}); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	for i := range electors {
		who := store.Identity{
			Issuer: "bench", Subject: fmt.Sprint(i), Name: fmt.Sprintf("Person %d", i), Email: fmt.Sprintf("p%d@example.com", i), Verified: true, SignedInAt: s.Now(),
		}
		for g := range groupsOfEach {
			who.Groups = append(who.Groups, fmt.Sprintf("group-%d", (i*groupsOfEach+g)%assignments))
		}
		if _, err := s.SignIn(ctx, who); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// governance has for each capability a policy of its own for moves, another for its emergencies, another for those at peak.
func governance() store.Bundle {
	b := catalogOf(4)
	add := func(k catalog.Kind, slug string, record any) {
		b.Records = append(b.Records, catalog.Entry{Ref: catalog.Ref{Kind: k, Slug: slug}, Name: slug, Record: record})
	}
	for i := range policies / 3 {
		slug := fmt.Sprintf("capability-%d", i)
		add(catalog.KindCapability, slug, catalog.Capability{Slug: slug, Name: slug, RevenuePerHour: 60})
		add(catalog.KindService, "service-"+slug, catalog.Service{Slug: "service-" + slug, Name: slug, Tier: "tier-1", Capability: slug, Pattern: catalog.ActivePassive})
		p := catalog.ShippedPolicies()[0]
		p.Capabilities = []string{slug}
		p.Slug = slug
		add(catalog.KindPolicy, p.Slug, p)
		p.Slug, p.Mode = slug+"-emergency", "emergency"
		add(catalog.KindPolicy, p.Slug, p)
		p.Slug, p.When = slug+"-emergency-peak", "peak"
		add(catalog.KindPolicy, p.Slug, p)
	}
	roles := []access.Role{access.IncidentCommander, access.BusinessOwner, access.SecurityOfficer, access.Auditor}
	for i := range assignments {
		a := catalog.Assignment{
			Slug: fmt.Sprintf("assignment-%d", i), Name: fmt.Sprintf("Assignment %d", i), Role: roles[i%len(roles)], Group: fmt.Sprintf("group-%d", i),
			Capabilities: []string{fmt.Sprintf("capability-%d", i%(policies/3))},
		}
		add(catalog.KindAssignment, a.Slug, a)
	}
	return b
}

// question is what is decided on in every turn: another capability each.
func questionOf(i int, at time.Time) approval.About {
	return approval.About{
		Action: catalog.ActMove, Services: []string{fmt.Sprintf("service-capability-%d", i%(policies/3))}, Sites: []string{"leeds", "dublin"},
		Cause: "site", Mode: "emergency", At: at,
	}
}

// ruling measures the rules alone: which roles somebody holds, which policies apply, whether they may vote; against looking up an
// answer that is known already for each policy that is considered.
func ruling(c catalog.Catalog) ([]figure, error) {
	const turns = 3000
	at := time.Date(2026, 11, 28, 14, 0, 0, 0, time.UTC)
	type known struct {
		policy string
		of     approval.Case
	}
	answers := map[known]bool{}
	of := func(i int, policy string) known {
		return known{policy, approval.Case{Action: catalog.ActMove, Tier: "tier-1", Capability: fmt.Sprintf("capability-%d", i%(policies/3)), Cause: "site", Mode: "emergency"}}
	}
	considered := 0
	for _, p := range c.Policies {
		if p.Action == catalog.ActMove {
			considered++
			for i := range policies / 3 {
				answers[of(i, p.Slug)] = true
			}
		}
	}
	nobody := func(string) (catalog.Identity, bool) { return catalog.Identity{}, false }
	var ours, theirs []float64
	yes := 0
	for i := range turns {
		asked, who := questionOf(i, at), catalog.Identity{Groups: []string{fmt.Sprintf("group-%d", i%assignments), "group-1", "group-2", "others"}}
		began := time.Now()
		rules, err := approval.RulesOf(c, asked)
		if err != nil {
			return nil, err
		}
		p := access.Principal{ID: "p", Name: "P"}.With(c.GrantsOf(who, nobody, at))
		if (approval.Ballot{Rules: rules, Requester: access.Principal{ID: "q", Name: "Q"}}).MayVote(p) == nil {
			yes++
		}
		ours = append(ours, time.Since(began).Seconds()*1e6)
		key := of(i, "")
		began = time.Now()
		for j := range c.Policies {
			if c.Policies[j].Action != catalog.ActMove {
				continue
			}
			if key.policy = c.Policies[j].Slug; !answers[key] {
				return nil, fmt.Errorf("there is no answer for %+v", key)
			}
		}
		theirs = append(theirs, time.Since(began).Seconds()*1e6)
	}
	if yes == 0 || yes == turns {
		return nil, fmt.Errorf("%d of %d might vote: nothing was decided", yes, turns)
	}
	return []figure{
		{"deciding_us", median(ours), "us", 200},
		{"deciding_per_policy_us", median(ours) / float64(considered), "us", 0},
		{"deciding_lookup_ratio", median(ours) / median(theirs), "x", 3},
	}, nil
}

// whoCan measures the question who can approve something, asked of everybody, as the page of a request asks it; the first time after
// somebody has signed in, when everybody is read anew, is told apart.
func whoCan(ctx context.Context, s *store.Store, c catalog.Catalog) ([]figure, error) {
	const turns = 15
	var took, anew []float64
	for i := range turns {
		who := store.Identity{Issuer: "bench", Subject: "guest", Name: "Guest", SignedInAt: s.Now()}
		if _, err := s.SignIn(ctx, who); err != nil {
			return nil, err
		}
		for _, into := range []*[]float64{&anew, &took} {
			began := time.Now()
			if err := whoCanOnce(ctx, s, c, i); err != nil {
				return nil, err
			}
			*into = append(*into, time.Since(began).Seconds()*1000)
		}
	}
	return []figure{{"who_can_approve_ms", median(took), "ms", 50}, {"who_can_approve_anew_ms", median(anew), "ms", 0}}, nil
}

func whoCanOnce(ctx context.Context, s *store.Store, c catalog.Catalog, i int) error {
	rules, err := approval.RulesOf(c, questionOf(i, s.Now()))
	if err != nil {
		return err
	}
	everybody, err := s.Electorate(ctx)
	if err != nil {
		return err
	}
	b := approval.Ballot{Rules: rules, Requester: everybody[0]}
	able := b.Able(everybody)
	if wants := b.Possible(able); len(able) == 0 || len(everybody) < electors || len(wants) > 0 {
		return fmt.Errorf("%d of %d can, %d wanting: nothing was measured", len(able), len(everybody), len(wants))
	}
	return nil
}
