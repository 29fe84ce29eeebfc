package workflows

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// target is a system that access is given on, in memory; it can be down.
type target struct {
	mu   sync.Mutex
	has  map[string][]string
	down bool
	did  int
}

func (*target) Kind() string                                { return "postgres-role" }
func (*target) Check(connector.Params) error                { return nil }
func (*target) System(connector.Params) string              { return "db" }
func (*target) Account(_ string, h connector.Holder) string { return "kh_" + h.Name }
func (*target) Signs() bool                                 { return true }
func (s *target) roles(account string) (all []string) {
	s.lock(func() { all = slices.Clone(s.has[account]) })
	return
}
func (s *target) lock(do func()) { s.mu.Lock(); defer s.mu.Unlock(); do() }

func (s *target) Holdings(context.Context, connector.Params, []string) ([]connector.Holding, connector.Observation, error) {
	return nil, connector.Observation{}, errors.New("nobody asks")
}

func (s *target) Take(context.Context, string, connector.Params, string, string) (connector.Evidence, error) {
	return connector.Evidence{}, errors.New("nobody asks")
}

func (s *target) Bring(_ context.Context, _ string, _ connector.Params, w connector.Wanted) (connector.Evidence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return connector.Evidence{}, errors.New("the system does not answer")
	}
	s.did++
	s.has[w.Account] = slices.Clone(w.Roles)
	return connector.Evidence{Did: "brought it about"}, nil
}

// accessStage is access to a system on a real store, in an environment that skips time while nothing is at work.
type accessStage struct {
	*store.Store
	t   *testing.T
	env *testsuite.TestWorkflowEnvironment
	db  *target

	activities *Activities
	rosa, ann  access.Principal
	incident   string
}

func newAccessStage(t *testing.T) *accessStage {
	t.Helper()
	suite := testsuite.WorkflowTestSuite{}
	env := suite.NewTestWorkflowEnvironment()
	env.SetStartTime(time.Now())
	env.SetTestTimeout(time.Minute)
	db := &target{has: map[string][]string{}}
	s := newAccessStageOn(t, env.Now, `{"connection":"env:DB"}`, db)
	s.env, s.db = env, db
	Register(env, s.activities)
	return s
}

// newAccessStageOn is a store with one system, which a connector gives access on, and people.
func newAccessStageOn(t *testing.T, now func() time.Time, params string, by connector.Granter) *accessStage {
	t.Helper()
	ctx := t.Context()
	kept := testkit.NewStore(t, now)
	s := &accessStage{Store: kept, t: t, activities: NewActivities(kept, connector.NewSet(), connector.NewGranters(by), 4)}
	shop := quickShop(t)
	for _, record := range []any{
		catalog.System{Slug: "db", Name: "Reports", Connector: by.Kind(), Params: json.RawMessage(params), Services: []string{"checkout"}, Roles: []catalog.TargetRole{{Role: "reader", Does: "read"}, {Role: "writer", Does: "write"}}},
		catalog.Eligibility{
			Slug: "db", Name: "Reports", System: "db", Roles: []string{"reader", "writer"}, For: []access.Role{access.PlatformEngineer}, Longest: catalog.Duration(time.Hour),
			ActivateWithin: catalog.Duration(time.Hour), ReviewWithin: catalog.Duration(time.Hour), Reviewers: []access.Role{access.IncidentCommander}, Bypass: true,
		},
	} {
		e, err := catalog.EntryOf(record)
		if err != nil {
			t.Fatal(err)
		}
		shop.Records = append(shop.Records, e)
	}
	for _, p := range catalog.ShippedPolicies() {
		if p.Action == catalog.ActBreakGlass {
			shop.Records = append(shop.Records, catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindPolicy, Slug: p.Slug}, Name: p.Name, Record: p})
		}
	}
	if _, err := kept.Apply(ctx, access.Person{ID: "cli"}, shop, store.Manner{}); err != nil {
		t.Fatal(err)
	}
	stage := &stage{Store: kept, t: t}
	s.rosa, s.ann = stage.someone("rosa", "platform-engineers"), stage.someone("ann", "incident-commanders")
	in, err := kept.OpenIncident(ctx, s.ann, store.Incident{ID: store.NewID(), Title: "Reports", Cause: "unknown", Services: []string{"checkout"}, ImpactAt: kept.Now()})
	if err != nil {
		t.Fatal(err)
	}
	s.incident = in.Code
	return s
}

// begun is access that was asked for, approved and begun.
func (s *accessStage) begun(role string, length time.Duration) string {
	s.t.Helper()
	ctx := s.t.Context()
	r, err := s.FileAccess(ctx, s.rosa, store.AccessFile{ID: store.NewID(), Eligibility: "db", Role: role, Length: catalog.Duration(length), Incident: s.incident, Reason: "The reports lie"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.ann.SignedInAt = s.Now()
	out, err := s.DecideAccess(ctx, store.AccessVote{Vote: store.Vote{ID: store.NewID(), Code: r.Code, By: s.ann, Verdict: approval.Approve, Digest: r.Digest}})
	if err = errors.Join(err, out.Err()); err != nil {
		s.t.Fatal(err)
	}
	s.command(r.Code, s.rosa, store.BeginAccess, "")
	return r.Code
}

func (s *accessStage) command(code string, by access.Principal, verb store.AccessVerb, note string) {
	s.t.Helper()
	by.SignedInAt = s.Now()
	c := store.AccessCommand{ID: store.NewID(), Code: code, By: by, Verb: verb, Note: note}
	if verb == store.ReviewAccess {
		seen, err := s.grant(code).Seen()
		if err != nil {
			s.t.Fatal(err)
		}
		c.Seen = seen
	}
	out, err := s.CommandAccess(s.t.Context(), c)
	if err = errors.Join(err, out.Err()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *accessStage) grant(code string) breakglass.Grant {
	s.t.Helper()
	r, err := s.Access(s.t.Context(), code)
	if err != nil || r.Grant == nil {
		s.t.Fatal(r, err)
	}
	return *r.Grant
}

func (s *accessStage) after(d time.Duration, do func()) { s.env.RegisterDelayedCallback(do, d) }

func (s *accessStage) run() {
	s.t.Helper()
	s.env.ExecuteWorkflow(accessWorkflow, AccessInput{System: "db", Person: s.rosa.ID})
	if err := s.env.GetWorkflowError(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *accessStage) look() { s.env.SignalWorkflow(signalLook, nil) }

func TestAccessIsGivenAndGoneAtItsEnd(t *testing.T) {
	s := newAccessStage(t)
	code := s.begun("reader", 15*time.Minute)
	s.after(14*time.Minute, func() {
		if got := s.db.roles("kh_rosa"); !slices.Equal(got, []string{"reader"}) {
			t.Errorf("a minute before its end there is %v", got)
		}
	})
	s.run()
	g := s.grant(code)
	if got := s.db.roles("kh_rosa"); len(got) > 0 || g.Given == nil || g.Confirmed == nil || g.Open() {
		t.Fatalf("there is %v after its end: %+v", got, g)
	}
	if late := g.Confirmed.Sub(g.Until); late < 0 || late > 5*time.Second {
		t.Errorf("it was gone %s after its end", late)
	}
	if lasted := g.Until.Sub(*g.Given); lasted > 15*time.Minute || lasted < 15*time.Minute-time.Second {
		t.Errorf("it lasted %s", lasted)
	}
}

func TestTheEndOfOneGrantRemovesOnlyWhatNoOtherCovers(t *testing.T) {
	s := newAccessStage(t)
	short, long, other := s.begun("reader", 10*time.Minute), s.begun("reader", 30*time.Minute), s.begun("writer", 20*time.Minute)
	s.after(15*time.Minute, func() {
		if got := s.db.roles("kh_rosa"); !slices.Equal(got, []string{"reader", "writer"}) {
			t.Errorf("one of two grants has ended, and there is %v", got)
		}
	})
	s.after(25*time.Minute, func() {
		if got := s.db.roles("kh_rosa"); !slices.Equal(got, []string{"reader"}) {
			t.Errorf("two of three grants have ended, and there is %v", got)
		}
	})
	s.run()
	if g := s.grant(short); g.Covered == "" {
		t.Errorf("what still covered it is not on it: %+v", g)
	}
	if got := s.db.roles("kh_rosa"); len(got) > 0 || s.grant(long).Open() || s.grant(other).Open() {
		t.Errorf("all have ended, and there is %v", got)
	}
}

func TestARevocationWhoseTargetIsDownIsRetriedForHoursAndDoneWhenTheTargetIsBack(t *testing.T) {
	s := newAccessStage(t)
	code := s.begun("reader", 15*time.Minute)
	s.after(5*time.Minute, func() {
		s.db.lock(func() { s.db.down = true })
		s.command(code, s.ann, store.RevokeAccess, "Strange queries")
		s.look()
	})
	s.after(2*time.Hour, func() {
		account, err := s.AccountOf(t.Context(), "db", s.rosa.ID)
		if err != nil || account.Trouble == nil || account.Trouble.Attempts < 100 || s.grant(code).Confirmed != nil {
			t.Errorf("after two hours: %+v %v", account.Trouble, err)
		}
		if held, err := s.Holds(t.Context(), s.rosa.ID, "db"); err != nil || len(held) > 0 {
			t.Errorf("by the record they still have %v: %v", held, err)
		}
		s.db.lock(func() { s.db.down = false })
	})
	s.run()
	g := s.grant(code)
	if got := s.db.roles("kh_rosa"); len(got) > 0 || g.Confirmed == nil {
		t.Fatalf("the target is back, and there is %v", got)
	}
	if late := g.Confirmed.Sub(g.End()); late < time.Hour || late > 2*time.Hour {
		t.Errorf("it was confirmed %s after its end", late)
	}
}

func TestALockWinsOverEveryGrantAndWhatIsLeftHoldsAgain(t *testing.T) {
	s := newAccessStage(t)
	s.begun("reader", 30*time.Minute)
	var lock breakglass.Lock
	s.after(5*time.Minute, func() {
		var err error
		if lock, err = s.Freeze(t.Context(), s.ann, store.LockFile{ID: store.NewID(), Kind: breakglass.LockPerson, Subject: s.rosa.ID, Why: "Is it they?"}); err != nil {
			t.Fatal(err)
		}
		s.look()
	})
	s.after(6*time.Minute, func() {
		if got := s.db.roles("kh_rosa"); len(got) > 0 {
			t.Errorf("frozen, and there is %v", got)
		}
		if err := s.Release(t.Context(), s.ann, lock.ID, "It was they"); err != nil {
			t.Fatal(err)
		}
		s.look()
	})
	s.after(7*time.Minute, func() {
		if got := s.db.roles("kh_rosa"); !slices.Equal(got, []string{"reader"}) {
			t.Errorf("released, and there is %v", got)
		}
	})
	s.run()
	if got := s.db.roles("kh_rosa"); len(got) > 0 {
		t.Errorf("it has ended, and there is %v", got)
	}
}
