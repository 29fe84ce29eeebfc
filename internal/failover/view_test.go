package failover_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
)

func at(seconds int) time.Time {
	return time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

func pointer(t time.Time) *time.Time { return &t }

// begun is a run whose impact began at second 0, that was filed at 60 and approved at 90, and is in its second step.
func begun() failover.Run {
	return failover.Run{
		State: failover.Running,
		Times: failover.Times{Impact: at(0), Filed: at(60), Approved: at(90), Started: at(91)},
		Steps: []failover.RunStep{
			{Slug: "gates", State: failover.StepDone, Expected: catalog.Duration(time.Second), StartedAt: pointer(at(91)), EndedAt: pointer(at(92))},
			{Slug: "fence", State: failover.StepRunning, Expected: catalog.Duration(10 * time.Second), StartedAt: pointer(at(92))},
			{Slug: "promote", State: failover.StepPending, Expected: catalog.Duration(5 * time.Second)},
		},
	}
}

func TestProjectedFinishIsElapsedPlusWhatIsLeft(t *testing.T) {
	r := begun()
	if got, ok := r.Projected(at(96)); !ok || got != 96*time.Second+6*time.Second+5*time.Second {
		t.Errorf("4 s into a step of 10 s: projected %v, %v; want 1m47s", got, ok)
	}
	if got, _ := r.Projected(at(122)); got != 122*time.Second+5*time.Second {
		t.Errorf("a step that is late has nothing left: projected %v, want 2m7s", got)
	}
	r.State = failover.Paused
	if got, ok := r.Projected(at(96)); ok {
		t.Errorf("a run that waits for a person projects %v; want no saying", got)
	}
}

func TestSplitAddsUpToTheTimeSinceImpact(t *testing.T) {
	r := begun()
	r.Times.Executed, r.Times.Recovered = pointer(at(120)), pointer(at(150))
	want := []failover.Phase{
		{Name: "Notice", Took: 60 * time.Second, Begun: true, Over: true},
		{Name: "Decide", Took: 30 * time.Second, Begun: true, Over: true},
		{Name: "Execute", Took: 30 * time.Second, Begun: true, Over: true},
		{Name: "Verify", Took: 30 * time.Second, Begun: true, Over: true},
	}
	got := r.Split(at(999))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var sum time.Duration
	for _, p := range got {
		sum += p.Took
	}
	if rta, ok := r.RTA(); !ok || rta != sum || r.Elapsed(at(999)) != rta {
		t.Errorf("RTA %v, elapsed %v, sum of the phases %v", rta, r.Elapsed(at(999)), sum)
	}
}

func TestSplitSaysWhatIsNotOver(t *testing.T) {
	phases := begun().Split(at(100))
	if p := phases[2]; p.Over || p.Took != 10*time.Second {
		t.Errorf("execute, so far: %+v", p)
	}
	if p := phases[3]; p.Begun || p.Took != 0 {
		t.Errorf("verify has not begun: %+v", p)
	}
}

func TestAWaiverDoesNotRestoreProtection(t *testing.T) {
	r := failover.Run{Obligations: []failover.Obligation{{Kind: failover.Protection, State: failover.Waived, Since: at(5)}}}
	if since, ok := r.Unprotected(); !ok || !since.Equal(at(5)) {
		t.Errorf("waived: unprotected since %v, %v", since, ok)
	}
	r.Obligations[0].State = failover.Met
	if _, ok := r.Unprotected(); ok {
		t.Error("met: still called unprotected")
	}
}

func TestAnOldSignInIsTheOnlyThingLeftAside(t *testing.T) {
	ballot := approval.Ballot{
		Rules: approval.Rules{{Policy: catalog.Policy{
			Needs: []catalog.Need{{Role: access.BusinessOwner, Persons: 1}}, RecentSignIn: catalog.Duration(time.Minute),
		}}},
		Requester: access.Principal{ID: "a"},
	}
	r := failover.Request{Question: approval.Question{State: approval.Requested, Open: true, ExpiresAt: at(600), Requester: access.Person{ID: "a"}}}
	owner := access.Principal{ID: "b", SignedInAt: at(-9999)}.With([]access.Grant{{Role: access.BusinessOwner}})
	if !r.MayDecideAfterSignIn(owner, ballot, at(0)) {
		t.Error("an old sign-in hides the vote from those who may cast it")
	}
	owner.ID = "a"
	if r.MayDecideAfterSignIn(owner, ballot, at(0)) {
		t.Error("the requester is asked for a vote")
	}
}

func twoServices() catalog.Catalog {
	low := 0.9
	return catalog.Catalog{
		Services: []catalog.Service{
			{Slug: "shop", Dependencies: []catalog.Dependency{{On: "checkout", Coupling: catalog.Synchronous}}}, {Slug: "checkout"}, {Slug: "reports"},
		},
		Signals: []catalog.Signal{
			{Slug: "shop-success", Service: "shop", Kind: catalog.Success, BadBelow: &low},
			{Slug: "reports-success", Service: "reports", Kind: catalog.Success, BadBelow: &low},
			{Slug: "checkout-success", Service: "checkout", Kind: catalog.Success, BadBelow: &low},
		},
	}
}

func TestSignalsThatShareACauseMakeOneProposal(t *testing.T) {
	readings := failover.Readings{
		failover.SignalKey("shop-success"):     {Bad: true, At: at(30), BadSince: pointer(at(20))},
		failover.SignalKey("checkout-success"): {Bad: true, At: at(30), BadSince: pointer(at(10))},
		failover.SignalKey("reports-success"):  {Bad: true, At: at(30), BadSince: pointer(at(15))},
	}
	var got [][]string
	for _, p := range readings.Proposals(twoServices()) {
		var slugs []string
		for _, s := range p.Signals {
			slugs = append(slugs, s.Signal.Slug)
		}
		got = append(got, slugs)
	}
	want := [][]string{{"checkout-success", "shop-success"}, {"reports-success"}} // the one that has been bad for longest first
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAFurtherSignalPutsNothingBeforeWhatWasThere: neither a cause before another, nor a rule.
func TestAFurtherSignalPutsNothingBeforeWhatWasThere(t *testing.T) {
	c := twoServices()
	c.Rules = []catalog.DegradedModeRule{
		{Slug: "by-shop", Trigger: []string{"shop"}}, {Slug: "both", Services: []string{"checkout"}, Signals: []string{"shop-success", "checkout-success"}},
		{Slug: "by-checkout", Trigger: []string{"checkout"}}, {Slug: "other-cause", Services: []string{"checkout"}, Signals: []string{"reports-success", "checkout-success"}},
	}
	readings := failover.Readings{}
	var causes, rules []string
	for _, next := range []struct {
		signal string
		at     int
		cause  []string
		called []string // of the cause that came first
	}{
		{"checkout-success", 10, []string{"checkout-success"}, []string{"by-checkout"}},
		{"reports-success", 20, []string{"checkout-success", "reports-success"}, []string{"by-checkout", "other-cause"}},
		{"shop-success", 30, []string{"checkout-success", "reports-success"}, []string{"by-checkout", "other-cause", "by-shop", "both"}},
	} {
		readings[failover.SignalKey(next.signal)] = failover.Reading{Bad: true, At: at(next.at), BadSince: pointer(at(next.at))}
		causes, rules = nil, nil
		proposals := readings.Proposals(c)
		for _, p := range proposals {
			causes = append(causes, p.Signals[0].Signal.Slug)
		}
		for _, one := range proposals[0].CalledRules(c, readings) {
			rules = append(rules, one.Rule.Slug)
		}
		if diff := cmp.Diff(next.cause, causes); diff != "" {
			t.Errorf("causes after %s: %s", next.signal, diff)
		}
		if diff := cmp.Diff(next.called, rules); diff != "" {
			t.Errorf("rules after %s: %s", next.signal, diff)
		}
	}
}

func TestGoodSignalsMakeNoProposal(t *testing.T) {
	readings := failover.Readings{failover.SignalKey("shop-success"): {At: at(30)}}
	if got := readings.Proposals(twoServices()); len(got) != 0 {
		t.Errorf("got %d proposals", len(got))
	}
}

func TestTheDifferenceOfPlansIsReadable(t *testing.T) {
	old := failover.Plan{
		Name: "Move", Gates: []failover.Check{{Slug: "g", Name: "Target healthy"}},
		Steps: []failover.Step{
			{Slug: "fence", Name: "Fence", Expected: catalog.Duration(4 * time.Second)},
			{Slug: "dns", Name: "Move DNS", Params: []byte(`{"ttl":2}`)},
			{Slug: "drain", Name: "Drain", Only: []failover.Mode{failover.Planned}},
		},
	}
	now := old
	now.Steps = slices.Clone(old.Steps)
	now.Steps[0].Expected = catalog.Duration(9 * time.Second)
	now.Steps[1].Params = []byte(`{"ttl":60}`)
	now.Steps = now.Steps[:2] // the drain of planned moves is gone
	now.Gates = nil
	lines := failover.DiffPlans(old, now, failover.Emergency)
	want := []string{
		`The gate "Target healthy" is gone.`,
		`The step "Fence" is expected to take 9 s instead of 4 s.`,
		`The step "Move DNS" does something else on the real system.`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if planned := failover.DiffPlans(old, now, failover.Planned); !strings.Contains(strings.Join(planned, " "), `"Drain" is gone`) {
		t.Errorf("planned: %q", planned)
	}
	if same := failover.DiffPlans(old, old, failover.Planned); len(same) != 0 {
		t.Errorf("nothing changed, yet: %q", same)
	}
}

func TestTheWriterIsTheNewestSightOfOne(t *testing.T) {
	readings := failover.Readings{
		failover.PositionKey("orders", "leeds"):  {At: at(10), Position: &failover.Position{Writer: true}},
		failover.PositionKey("orders", "dublin"): {At: at(60), Position: &failover.Position{Writer: true}},
	}
	if site, ok := readings.Writer("orders", []string{"leeds", "dublin"}); !ok || site != "dublin" {
		t.Errorf("got %q, %v; want the one that was seen last", site, ok)
	}
	if site, ok := readings.Writer("orders", []string{"york"}); ok {
		t.Errorf("nothing is known of york, yet %q writes", site)
	}
}
