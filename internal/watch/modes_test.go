package watch

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/store"
)

// system is what a degraded mode is switched on, as the watch sees it.
type system struct {
	mu       sync.Mutex
	exposure degrade.Exposure
	stands   bool
}

func (s *system) ReadExposure(context.Context, degrade.Mode) *degrade.Exposure {
	s.mu.Lock()
	defer s.mu.Unlock()
	read := s.exposure
	return &read
}

func (s *system) Stands(context.Context, degrade.Mode) (*bool, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &s.stands, "it is off"
}

// running is a night in which a mode of one hour lasts.
func running(t *testing.T) (*night, *system, degrade.Mode) {
	t.Helper()
	return runningBy(t, func(*catalog.DegradedModeRule) {})
}

// runningBy is such a night by a rule that differs in something.
func runningBy(t *testing.T, change func(*catalog.DegradedModeRule), others ...catalog.Entry) (*night, *system, degrade.Mode) {
	t.Helper()
	n, seen := newNight(t), &system{stands: true}
	n.Modes = seen
	rule := catalog.DegradedModeRule{
		Slug: "points-later", Name: "Sell without points", Trigger: []string{"checkout"}, Instead: "Credit them later.", Message: "Your points come later.",
		LimitTime: catalog.Duration(time.Hour), AtLimit: catalog.GoOnAndPage, Switch: catalog.Act{Connector: "http", Params: []byte(`{}`)},
	}
	change(&rule)
	b := store.Bundle{Records: append(others, catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindRule, Slug: rule.Slug}, Record: rule})}
	for _, p := range catalog.ShippedPolicies() {
		if p.Action == catalog.ActDegrade {
			b.Records = append(b.Records, catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindPolicy, Slug: p.Slug}, Record: p})
		}
	}
	if _, err := n.Store.Apply(t.Context(), access.Person{ID: "cli", Name: "catalog apply"}, b, store.Manner{}); err != nil {
		t.Fatal(err)
	}
	m, err := n.Store.FileMode(t.Context(), n.ines, store.ModeFile{ID: store.NewID(), Rule: rule.Slug, Reason: "it is down"})
	if err != nil {
		t.Fatal(err)
	}
	return n, seen, m
}

func (n *night) switchedOn(t *testing.T, m degrade.Mode) {
	t.Helper()
	out, err := n.Store.DecideMode(t.Context(), store.Vote{ID: store.NewID(), Code: m.Code, By: n.bea, Verdict: approval.Approve, Digest: m.Digest})
	if err != nil || out.Refusal != nil {
		t.Fatalf("%v, %+v", err, out.Refusal)
	}
	a, err := n.Store.BeginMode(t.Context(), m.Code, degrade.DoSwitchOn)
	if err == nil {
		_, err = n.Store.ModeDone(t.Context(), a, "it is on", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// switchedOff has somebody end a mode, and it is read back as off.
func (n *night) switchedOff(t *testing.T, m degrade.Mode) {
	t.Helper()
	if out, err := n.Store.CommandMode(t.Context(), store.ModeCommand{ID: store.NewID(), Code: m.Code, By: n.ines, Verb: store.EndMode}); err != nil || out.Refusal != nil {
		t.Fatal(err, out.Refusal)
	}
	a, err := n.Store.BeginMode(t.Context(), m.Code, degrade.DoSwitchOff)
	if err == nil {
		_, err = n.Store.ModeDone(t.Context(), a, "it is off", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// followsModes does once what the watch does of them at every moment.
func (n *night) followsModes(ctx context.Context) error {
	return errors.Join(n.endModes(ctx), n.lookAtModes(ctx))
}

// subjects are what somebody was told about a mode.
func (n *night) subjects(t *testing.T, code string, to access.Principal) map[approval.Occasion]int {
	t.Helper()
	if err := n.tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := n.Store.MessagesAbout(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	on := map[approval.Occasion]int{}
	for _, m := range all {
		if m.To.ID == to.ID {
			on[m.Occasion]++
		}
	}
	return on
}

func TestPeopleAreAskedToldOfTheOutcomeAndOfALimitThatNearsOnce(t *testing.T) {
	n, seen, m := running(t)
	if got := n.subjects(t, m.Code, n.bea); got[approval.Asked] != 1 {
		t.Errorf("who can decide was told %v", got)
	}
	n.switchedOn(t, m)
	if got := n.subjects(t, m.Code, n.ines); got[approval.Outcome] != 1 {
		t.Errorf("who asked was told %v", got)
	}
	n.clock.Add(55 * time.Minute)
	for range 3 {
		if err := n.followsModes(t.Context()); err != nil {
			t.Fatal(err)
		}
		n.subjects(t, m.Code, n.bea)
	}
	seen.stands = false
	n.clock.Add(6 * time.Minute)
	if err := n.followsModes(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := n.subjects(t, m.Code, n.bea); got[approval.Nearing] != 1 || got[approval.Limited] != 1 || got[approval.Drifted] != 1 {
		t.Errorf("they were told %v", got)
	}
}

func TestASwitchThatDoesNotTakeIsToldAfterAMinute(t *testing.T) {
	n, _, m := running(t)
	if out, err := n.Store.DecideMode(t.Context(), store.Vote{ID: store.NewID(), Code: m.Code, By: n.bea, Verdict: approval.Approve, Digest: m.Digest}); err != nil || out.Refusal != nil {
		t.Fatalf("%v, %+v", err, out.Refusal)
	}
	for range 2 {
		a, err := n.Store.BeginMode(t.Context(), m.Code, degrade.DoSwitchOn)
		if err == nil {
			_, err = n.Store.ModeFailed(t.Context(), a, "the flag is still off", nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := n.subjects(t, m.Code, n.bea); got[approval.Escalated] != 0 {
			t.Errorf("told too soon: %v", got)
		}
	}
	n.clock.Add(troubledFor)
	if got := n.subjects(t, m.Code, n.bea); got[approval.Escalated] != 1 {
		t.Errorf("nobody is told that it does not take: %v", got)
	}
}

// TestASourceThatHangsKeepsNoLimitFromHolding, and an end is told, though the mode is over by then.
func TestASourceThatHangsKeepsNoLimitFromHolding(t *testing.T) {
	n, _, m := running(t)
	n.switchedOn(t, m)
	n.subjects(t, m.Code, n.bea)
	all, err := n.Store.MessagesAbout(t.Context(), m.Code)
	if err != nil || !slices.ContainsFunc(all, func(m store.Message) bool {
		return m.Occasion == approval.Started && strings.Contains(m.Text, "Tell customers: Your points come later.")
	}) {
		t.Errorf("what is to be announced is told to nobody: %v", err)
	}
	n.Modes = hanging{}
	ctx, cancel := context.WithCancel(t.Context())
	hangs := make(chan error, 1)
	go func() { hangs <- n.lookAtModes(ctx) }()
	n.clock.Add(61 * time.Minute)
	if err := n.endModes(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m, err = n.Store.Mode(t.Context(), m.Code); err != nil || m.Reached == nil {
		t.Errorf("its limit does not hold: %v", err)
	}
	cancel()
	if err := <-hangs; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	n.switchedOff(t, m)
	if got := n.subjects(t, m.Code, n.bea); got[approval.Limited] != 1 || got[approval.Ended] != 1 || got[approval.Started] != 1 {
		t.Errorf("they were told %v", got)
	}
}

// hanging is a system that answers when it is not asked any more.
type hanging struct{}

func (hanging) ReadExposure(ctx context.Context, _ degrade.Mode) *degrade.Exposure {
	<-ctx.Done()
	return &degrade.Exposure{Why: "it hangs"}
}

func (hanging) Stands(ctx context.Context, _ degrade.Mode) (*bool, string) {
	<-ctx.Done()
	return nil, "it hangs"
}
