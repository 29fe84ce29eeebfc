package workflows

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	rules "keyholder/internal/failover"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// shopStub answers every look with a shop that is well, and does what it is told, unless a step is to fail.
type shopStub struct {
	kind string
	mu   sync.Mutex
	fail map[string]int // how often a step still fails, by its slug
	did  []string
	lost bool // what was done does not stand any more
	body string
}

const well = `{"success_ratio":1,"per_second":10,"by_site":{"leeds":{"attempts":0},"dublin":{"attempts":9}},
 "head_seq":10,"head_at":"2026-03-01T02:11:00Z","lag_orders":0,"lag_seconds":0,"holds_lease":false,"state":"follower",
 "accepted_in_epoch":1,"backlog":0,"following":"dublin","draining":true,"set_aside_last_fork":3}`

func (s *shopStub) Kind() string                   { return s.kind }
func (s *shopStub) Check(connector.Params) error   { return nil }
func (s *shopStub) System(connector.Params) string { return "shop" }

func (s *shopStub) Observe(context.Context, connector.Params) (connector.Observation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return connector.Observation{Source: "the shop", At: time.Now(), Body: json.RawMessage(s.body)}, nil
}

func (s *shopStub) Apply(_ context.Context, key string, _ connector.Params) (connector.Evidence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slug := key[strings.LastIndex(key, "/")+1:]
	if s.fail[slug] > 0 {
		s.fail[slug]--
		return connector.Evidence{}, errors.New("the shop does not answer")
	}
	s.did = append(s.did, slug)
	return connector.Evidence{Did: "did " + slug}, nil
}

// Stands says that all stands, unless the step is to be lost.
func (s *shopStub) Stands(context.Context, connector.Params) (bool, string, connector.Observation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.lost, "somebody gave the right to write back", connector.Observation{Source: "the shop"}
}

func (s *shopStub) Undo(_ context.Context, key string, _ connector.Params) (connector.Evidence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := strings.Split(key, "/")
	s.did = append(s.did, "undo "+parts[len(parts)-2])
	return connector.Evidence{Did: "undid"}, nil
}

func (s *shopStub) acts() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.did, " ")
}

// stage is a process on a real store, in an environment that skips time while nothing is at work.
type stage struct {
	*store.Store
	t          *testing.T
	activities *Activities
	env        *testsuite.TestWorkflowEnvironment
	shop       *shopStub
	ines, bea  access.Principal
	request    rules.Request
}

func newStage(t *testing.T, mode rules.Mode, ceiling rules.Ceiling) *stage {
	t.Helper()
	ctx := t.Context()
	kept := testkit.NewStore(t, nil)
	s := &stage{Store: kept, t: t, shop: &shopStub{kind: "http", fail: map[string]int{}, body: well}}
	if _, err := kept.Apply(ctx, access.Person{ID: "cli"}, quickShop(t), store.Manner{}); err != nil {
		t.Fatal(err)
	}
	usual := rules.Reading{Key: rules.SignalKey("checkout-volume"), Value: 10, Usual: 10, At: kept.Now()}
	leeds := rules.Reading{Key: rules.PositionKey("orders", "leeds"), Position: &rules.Position{Writer: true, Newest: 9}, At: kept.Now()}
	dublin := rules.Reading{Key: rules.PositionKey("orders", "dublin"), Position: &rules.Position{Newest: 9}, At: kept.Now()}
	if err := kept.SaveReadings(ctx, []rules.Reading{usual, leeds, dublin}); err != nil {
		t.Fatal(err)
	}
	s.ines, s.bea = s.someone("Ines", "incident-commanders"), s.someone("Bea", "business-owners")
	s.file(mode, ceiling)
	suite := testsuite.WorkflowTestSuite{}
	s.env = suite.NewTestWorkflowEnvironment()
	s.env.SetTestTimeout(30 * time.Second)
	names := &shopStub{kind: "dns", fail: s.shop.fail, body: well}
	s.activities = NewActivities(kept, connector.NewSet(s.shop, names), nil, 1)
	Register(s.env, s.activities)
	return s
}

// quickShop is the shop's catalogue with a verification that holds at once.
func quickShop(t *testing.T) store.Bundle {
	t.Helper()
	body, err := os.ReadFile("testdata/shop.json")
	if err != nil {
		t.Fatal(err)
	}
	var kept struct {
		Records []struct {
			Kind   catalog.Kind
			Record json.RawMessage
		}
		Plans []rules.Plan
	}
	if err := json.Unmarshal(body, &kept); err != nil {
		t.Fatal(err)
	}
	b := store.Bundle{Plans: kept.Plans}
	for _, r := range kept.Records {
		e, err := catalog.Decode(r.Kind, r.Record)
		if err != nil {
			t.Fatal(err)
		}
		b.Records = append(b.Records, e)
	}
	return b
}

func (s *stage) someone(name, group string) access.Principal {
	s.t.Helper()
	id, err := s.SignIn(s.t.Context(), store.Identity{Issuer: "i", Subject: name, Name: name, Groups: []string{group}, SignedInAt: s.Now()})
	if err != nil {
		s.t.Fatal(err)
	}
	p, _, err := s.Principal(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *stage) file(mode rules.Mode, ceiling rules.Ceiling) {
	s.t.Helper()
	ctx := s.t.Context()
	terms, err := s.TermsNow(ctx, rules.Terms{Plan: "move-checkout", From: "leeds", To: "dublin", Mode: mode, Cause: rules.CauseSite, Ceiling: ceiling}, s.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	situation, err := s.Situation(ctx, terms, s.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	s.request, err = s.FileRequest(ctx, s.ines, store.File{
		ID: store.NewID(), Terms: terms, Reason: "Leeds is dark", Impact: s.Now(), Sheet: situation.Facts(""),
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// update sends what a person does after a while and hands back the outcome.
func (s *stage) update(after time.Duration, name, id string, arg any) <-chan store.Outcome {
	out := make(chan store.Outcome, 1)
	s.env.RegisterDelayedCallback(func() {
		s.env.UpdateWorkflow(name, id, &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) { s.t.Errorf("%s was rejected: %v", name, err) },
			OnComplete: func(v any, err error) {
				if err != nil {
					s.t.Errorf("%s: %v", name, err)
				}
				o, _ := v.(store.Outcome)
				out <- o
			},
		}, arg)
	}, after)
	return out
}

func (s *stage) approve(after time.Duration) {
	s.t.Helper()
	sheet, err := s.NewestSheet(s.t.Context(), s.request.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	id := store.NewID()
	s.update(after, updateDecide, id, store.Vote{ID: id, Code: s.request.Code, By: s.bea, Verdict: approval.Approve, Digest: s.request.Digest, Sheet: sheet.Digest})
}

func (s *stage) command(after time.Duration, by access.Principal, change func(*store.Command)) {
	c := store.Command{ID: store.NewID(), Code: s.request.Code, By: by, Note: "because"}
	change(&c)
	s.update(after, updateCommand, c.ID, c)
}

// play runs the process to its end, or to the test's limit where it waits for ever.
func (s *stage) play() rules.Run {
	s.t.Helper()
	s.env.ExecuteWorkflow(failoverWorkflow, FailoverInput{Code: s.request.Code})
	if err := s.env.GetWorkflowError(); err != nil {
		s.t.Fatal(err)
	}
	run, err := s.Run(s.t.Context(), s.request.Code)
	if err != nil {
		s.t.Fatal(err)
	}
	return run
}

var anyLoss = rules.Ceiling{Kind: rules.CeilingUnknown}

func TestAnApprovedFailoverIsCarriedOutToClosed(t *testing.T) {
	s := newStage(t, rules.Emergency, anyLoss)
	s.approve(time.Second)
	go s.whenRecovered(func() { s.waiveDirectly() })
	run := s.play()
	if run.State != rules.Closed {
		t.Fatalf("%s: %s", run.State, run.Why)
	}
	if got := s.shop.acts(); got != "fence promote traffic" {
		t.Errorf("did %q", got)
	}
	if run.Loss == nil || run.Loss.Records != 3 || run.Loss.Estimate {
		t.Errorf("the loss was not made exact by what the old side set aside: %+v", run.Loss)
	}
	for i := range run.Steps {
		if run.Steps[i].State != rules.StepDone || run.Steps[i].Attempt != 1 {
			t.Errorf("%s: %s, attempt %d", run.Steps[i].Slug, run.Steps[i].State, run.Steps[i].Attempt)
		}
	}
	s.everyIntentHasOneOutcome()
}

// whenRecovered waits for the run to recover; the watching activity does not let the environment skip time.
func (s *stage) whenRecovered(then func()) {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if run, err := s.Run(context.Background(), s.request.Code); err == nil && run.State == rules.Recovered {
			then()
			return
		}
		<-time.After(20 * time.Millisecond)
	}
}

func (s *stage) waiveDirectly() {
	x := store.NewID()
	for _, c := range []store.Command{
		{ID: x, Code: s.request.Code, By: s.ines, Propose: rules.Waive, Target: string(rules.Books), Note: "no engine yet"},
		{ID: store.NewID(), Code: s.request.Code, By: s.bea, Confirm: x, Digits: rules.Exception{ID: x}.Code()},
	} {
		if out, err := s.Command(context.Background(), c); err != nil || out.Refusal != nil {
			s.t.Errorf("waive: %v, %+v", err, out.Refusal)
		}
	}
}

func (s *stage) everyIntentHasOneOutcome() {
	s.t.Helper()
	lines, err := s.Record(s.t.Context(), store.Filter{Object: s.request.Code, Action: "run.step", Limit: 500})
	if err != nil {
		s.t.Fatal(err)
	}
	seen := map[string][2]int{}
	for _, line := range lines {
		n := seen[line.Act]
		if line.Outcome == audit.Intent {
			n[0]++
		} else {
			n[1]++
		}
		seen[line.Act] = n
	}
	for act, n := range seen {
		if n != [2]int{1, 1} {
			s.t.Errorf("%s: %d intents, %d outcomes", act, n[0], n[1])
		}
	}
}

func TestSilenceIsNo(t *testing.T) {
	s := newStage(t, rules.Emergency, anyLoss)
	s.env.SetStartTime(s.request.ExpiresAt.Add(time.Hour)) // the process was away while the time ran out
	s.env.RegisterDelayedCallback(func() { s.env.CancelWorkflow() }, time.Hour)
	s.env.ExecuteWorkflow(failoverWorkflow, FailoverInput{Code: s.request.Code})
	if !s.env.IsWorkflowCompleted() || s.shop.acts() != "" {
		t.Errorf("completed %v, did %q", s.env.IsWorkflowCompleted(), s.shop.acts())
	}
}

func TestAStepIsTriedAgainAndThenAsksAPerson(t *testing.T) {
	s := newStage(t, rules.Emergency, anyLoss)
	s.shop.fail["traffic"] = 3 // the plan allows two more attempts
	s.approve(time.Second)
	s.command(time.Minute, s.ines, func(c *store.Command) { c.Steer = rules.SteerRetry })
	go s.whenRecovered(func() { s.waiveDirectly() })
	run := s.play()
	if run.State != rules.Closed || s.shop.acts() != "fence promote traffic" {
		t.Errorf("%s: %s, did %q", run.State, run.Why, s.shop.acts())
	}
	if n := run.Steps[4].Attempt; n != 4 {
		t.Errorf("%d attempts", n)
	}
	s.everyIntentHasOneOutcome()
}

func TestTheOldWriterIsNotProvedFencedSoTheRunStopsAndAsks(t *testing.T) {
	s := newStage(t, rules.Emergency, anyLoss)
	s.shop.fail["fence"] = 2
	s.approve(time.Second)
	s.command(time.Minute, s.ines, func(c *store.Command) { c.Steer = rules.SteerAbort })
	run := s.play()
	if run.State != rules.Undone || strings.Contains(s.shop.acts(), "promote") {
		t.Errorf("%s, did %q", run.State, s.shop.acts())
	}
}

func TestALossBeyondTheCeilingStopsBeforePromotion(t *testing.T) {
	s := newStage(t, rules.Emergency, rules.Ceiling{Kind: rules.CeilingOrders, Value: 0})
	old := rules.Reading{Key: rules.PositionKey("orders", "leeds"), At: s.Now(), Position: &rules.Position{Newest: 10, NewestAt: s.Now()}}
	if err := s.SaveReadings(t.Context(), []rules.Reading{old}); err != nil {
		t.Fatal(err)
	}
	if err := s.RefreshSheet(t.Context(), s.request); err != nil {
		t.Fatal(err)
	}
	s.shop.body = strings.Replace(well, `"head_at":"2026-03-01T02:11:00Z",`, "", 1) // no position can be read
	s.approve(time.Second)
	s.command(time.Minute, s.ines, func(c *store.Command) { c.Steer = rules.SteerAbort })
	run := s.play()
	if run.State != rules.Undone || s.shop.acts() != "fence undo fence" {
		t.Errorf("%s: %s, did %q", run.State, run.Why, s.shop.acts())
	}
}

func TestAbortIsRefusedWhereTheTargetHasAcceptedAWrite(t *testing.T) {
	s := newStage(t, rules.Emergency, anyLoss)
	s.shop.fail["traffic"] = 3
	s.approve(time.Second)
	c := store.Command{ID: store.NewID(), Code: s.request.Code, By: s.ines, Note: "because", Steer: rules.SteerAbort}
	out := s.update(time.Minute, updateCommand, c.ID, c)
	s.env.RegisterDelayedCallback(func() { // the worker's watch sees it while the run is paused
		if err := s.activities.SeeWrites(t.Context()); err != nil {
			t.Error(err)
		}
	}, 90*time.Second)
	s.command(2*time.Minute, s.ines, func(c *store.Command) { c.Steer = rules.SteerRetry })
	go s.whenRecovered(func() { s.waiveDirectly() })
	if run := s.play(); run.State != rules.Closed || run.Times.FirstWrite == nil {
		t.Errorf("%s, first write %v", run.State, run.Times.FirstWrite)
	}
	if got := <-out; got.Refusal == nil || got.Refusal.Rule != rules.RuleNoReturn {
		t.Errorf("got %+v", got)
	}
}

func TestAPlannedMoveDrainsAndWaitsUntilNothingCanBeLost(t *testing.T) {
	s := newStage(t, rules.Planned, rules.Ceiling{Kind: rules.CeilingOrders})
	s.approve(time.Second)
	go s.whenRecovered(func() { s.waiveDirectly() })
	if run := s.play(); run.State != rules.Closed || s.shop.acts() != "drain fence promote traffic" {
		t.Errorf("%s: %s, did %q", run.State, run.Why, s.shop.acts())
	}
}

func TestAProcessOfARequestThatDoesNotExistEnds(t *testing.T) {
	s := newStage(t, rules.Emergency, anyLoss)
	s.env.ExecuteWorkflow(failoverWorkflow, FailoverInput{Code: "FO-NONE"})
	if err := s.env.GetWorkflowError(); err != nil || !s.env.IsWorkflowCompleted() {
		t.Errorf("%v", err)
	}
}

// TestAbortAfterThePromotionLeavesWhatLeadsToATargetThatMayHaveWritten: the promotion's answer was lost, the target
// accepted an order meanwhile.
func TestAbortAfterThePromotionLeavesWhatLeadsToATargetThatMayHaveWritten(t *testing.T) {
	s := newStage(t, rules.Emergency, anyLoss)
	s.shop.fail["promote"] = 9
	s.approve(time.Second)
	c := store.Command{ID: store.NewID(), Code: s.request.Code, By: s.ines, Note: "because", Steer: rules.SteerAbort}
	out := s.update(time.Minute, updateCommand, c.ID, c)
	s.command(2*time.Minute, s.ines, func(c *store.Command) { c.Steer, c.Note = rules.SteerGiveUp, "by hand from here" })
	if run := s.play(); run.State != rules.Failed || strings.Contains(s.shop.acts(), "undo") {
		t.Errorf("%s: %s, did %q", run.State, run.Why, s.shop.acts())
	}
	if got := <-out; got.Refusal == nil || got.Refusal.Rule != rules.RuleNoReturn {
		t.Errorf("got %+v", got)
	}
}

func TestAHistoryThatIsFullIsContinuedInAnother(t *testing.T) {
	s := newStage(t, rules.Emergency, anyLoss)
	s.env.SetContinueAsNewSuggested(true)
	s.env.ExecuteWorkflow(failoverWorkflow, FailoverInput{Code: s.request.Code})
	var anew *workflow.ContinueAsNewError
	if err := s.env.GetWorkflowError(); !errors.As(err, &anew) || anew.WorkflowType.Name != failoverWorkflow {
		t.Errorf("%v", err)
	}
}

func TestAFenceThatDoesNotStandAnyMoreKeepsTheTargetFromPromotion(t *testing.T) {
	s := newStage(t, rules.Emergency, anyLoss)
	s.shop.lost = true
	s.approve(time.Second)
	s.command(time.Minute, s.ines, func(c *store.Command) { c.Steer, c.Note = rules.SteerGiveUp, "by hand from here" })
	run := s.play()
	if strings.Contains(s.shop.acts(), "promote") || !strings.Contains(run.Steps[3].Detail, "not proved fenced any more") {
		t.Errorf("%s: %s, did %q", run.State, run.Steps[3].Detail, s.shop.acts())
	}
}
