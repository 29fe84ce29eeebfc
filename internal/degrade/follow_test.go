package degrade

import (
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

var (
	night  = time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)
	worker = access.Person{ID: "worker", Name: "the worker"}
)

// on is a mode that has been on since night.
func on(t *testing.T, change func(*catalog.DegradedModeRule)) Mode {
	t.Helper()
	rule := catalog.DegradedModeRule{
		Slug: "points-later", Name: "Sell without points", Signals: []string{"loyalty"}, LimitTime: catalog.Duration(time.Hour), AtLimit: catalog.BackToNormal,
		Switch: catalog.Act{Connector: "http"}, Reconcile: "Compare the points.",
	}
	change(&rule)
	m := Mode{Question: approval.Question{Code: "DG-1", State: approval.Approved}, Terms: Terms{Rule: rule}, Phase: Wished, Limits: LimitsOf(rule)}
	m, err := m.Begin()
	if err == nil {
		m, err = m.Switched(night)
	}
	if err != nil || m.Phase != On {
		t.Fatalf("%s, %v", m.Phase, err)
	}
	return m
}

func follow(t *testing.T, m Mode, after time.Duration, healthy *bool, e *Exposure) Mode {
	t.Helper()
	m, err := m.Follow(Seen{Healthy: healthy, Exposure: e, At: night.Add(after)}, worker)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func yes() *bool { v := true; return &v }
func no() *bool  { v := false; return &v }

func TestAtItsLimitAModeDoesWhatItsRuleSays(t *testing.T) {
	for name, c := range map[string]struct {
		at      catalog.AtLimit
		healthy *bool
		want    Phase
	}{
		"back to normal, healthy":        {catalog.BackToNormal, yes(), SwitchingOff},
		"back to normal, still down":     {catalog.BackToNormal, no(), On},
		"back to normal, nobody can say": {catalog.BackToNormal, nil, On},
		"stop selling":                   {catalog.StopSelling, no(), Stopping},
		"go on and page":                 {catalog.GoOnAndPage, no(), On},
	} {
		m := on(t, func(r *catalog.DegradedModeRule) { r.AtLimit, r.Stop = c.at, catalog.Act{Connector: "http"} })
		if m = follow(t, m, 59*time.Minute, c.healthy, nil); m.Phase != On || m.Reached != nil {
			t.Errorf("%s: before its limit it is %s", name, m.Phase)
		}
		m = follow(t, m, 63*time.Minute, c.healthy, nil)
		if m.Phase != c.want || m.Reached == nil || !strings.Contains(m.Reached.What, "3 min longer") {
			t.Errorf("%s: it is %s, %+v", name, m.Phase, m.Reached)
		}
	}
}

func TestAModeThatIsBeyondItsLimitEndsOnceWhatWasDownIsHealthy(t *testing.T) {
	m := follow(t, on(t, func(*catalog.DegradedModeRule) {}), 61*time.Minute, no(), nil)
	if m = follow(t, m, 62*time.Minute, yes(), nil); m.Phase != SwitchingOff || m.Ending == nil {
		t.Errorf("it is %s", m.Phase)
	}
}

func TestOrdersAndMoneyAreLimitsToo(t *testing.T) {
	for name, e := range map[string]*Exposure{"orders": {Orders: 501}, "money": {Money: 20_000}} {
		m := on(t, func(r *catalog.DegradedModeRule) { r.Orders, r.Money, r.AtLimit = 500, 20_000, catalog.GoOnAndPage })
		if m = follow(t, m, time.Minute, no(), e); m.Reached == nil {
			t.Errorf("%s: its limit is not reached", name)
		}
	}
}

// TestTheExposureSourceIsAwayAndTheTimeLimitStillHolds: what was read last stays, with its age.
func TestTheExposureSourceIsAwayAndTheTimeLimitStillHolds(t *testing.T) {
	m := follow(t, on(t, func(*catalog.DegradedModeRule) {}), time.Minute, no(), &Exposure{Orders: 40, Money: 900})
	m = follow(t, m, 2*time.Minute, no(), &Exposure{Why: "connection refused"})
	if e := m.Exposure; e.Orders != 40 || e.Failing == nil || !e.At.Equal(night.Add(time.Minute)) || e.Why == "" {
		t.Errorf("what was read last is now %+v", e)
	}
	if m = follow(t, m, time.Hour, yes(), &Exposure{Why: "connection refused"}); m.Phase != SwitchingOff {
		t.Errorf("the time limit does not hold: it is %s", m.Phase)
	}
}

func TestADependencyThatFlapsDoesNotFlapTheMode(t *testing.T) {
	m := on(t, func(r *catalog.DegradedModeRule) { r.HealthyFor = catalog.Duration(2 * time.Minute) })
	for n := range 40 { // up for a minute, down for a second
		healthy := yes()
		if n%2 == 1 {
			healthy = no()
		}
		if m = follow(t, m, time.Duration(n)*30*time.Second, healthy, nil); m.Phase != On {
			t.Fatalf("it ended after %d looks", n)
		}
	}
	m = follow(t, m, 40*30*time.Second, yes(), nil)
	if m = follow(t, m, 40*30*time.Second+2*time.Minute, yes(), nil); m.Phase != SwitchingOff {
		t.Errorf("held for its time it is %s", m.Phase)
	}
	if !Rests(m.Terms.Rule, night, night.Add(119*time.Second)) || Rests(m.Terms.Rule, night, night.Add(2*time.Minute)) {
		t.Error("it may begin again by itself at once, or never")
	}
}

func TestWhatIsSwitchedBehindOurBackIsShownAndMayBeSwitchedAgain(t *testing.T) {
	m := on(t, func(*catalog.DegradedModeRule) {})
	m, err := m.Follow(Seen{Stands: no(), Why: "/on is false", At: night.Add(time.Minute)}, worker)
	if err != nil || m.Drift == nil || m.Phase != On {
		t.Fatalf("%+v, %v", m.Drift, err)
	}
	commander := access.Principal{ID: "ines", Name: "Ines", Roles: []access.Role{access.IncidentCommander}}
	again, err := m.Again(commander, night.Add(2*time.Minute))
	if err != nil || again.Phase != SwitchingOn || again.Period != m.Period+1 {
		t.Errorf("%s, %v", again.Phase, err)
	}
	if _, err := m.Again(commander, night.Add(2*time.Hour)); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("beyond its limit it is switched on again: %v", err)
	}
	if back, err := m.Follow(Seen{Stands: yes(), At: night.Add(time.Minute)}, worker); err != nil || back.Drift != nil {
		t.Errorf("%+v, %v", back.Drift, err)
	}
}

func TestNothingIsOnOrOffBeforeItWasReadBack(t *testing.T) {
	m := on(t, func(*catalog.DegradedModeRule) {})
	m.Phase, m.On, m.Effect = SwitchingOn, nil, nil
	m = m.Failed("the call was answered, but the flag is off", night).Failed("still", night.Add(time.Minute))
	if m.Phase != SwitchingOn || m.On != nil || m.Trouble.Attempts != 2 || !m.Trouble.Since.Equal(night) || m.Next() != DoSwitchOn {
		t.Errorf("%s, %+v", m.Phase, m.Trouble)
	}
	m, err := m.End("it does not take", worker, night)
	if err != nil || m.Next() != DoSwitchOff {
		t.Fatalf("%s, %v", m.Phase, err)
	}
	if m, err = m.Switched(night); err != nil || m.Phase != Dropped {
		t.Errorf("never on, it is %s, %v", m.Phase, err)
	}
}

func TestEveryPhaseLeadsOnlyWhereTheTableSays(t *testing.T) {
	all := []Phase{Wished, SwitchingOn, On, Stopping, SwitchingOff, Draining, Over, Closed, Dropped}
	for _, from := range all {
		if from.Words() == "" {
			t.Errorf("%q has no words", from)
		}
		for _, to := range all {
			m, err := Mode{Phase: from}.to(to)
			allowed := false
			for _, next := range transitions[from] {
				allowed = allowed || next == to
			}
			if (err == nil) != allowed || err == nil && m.Phase != to {
				t.Errorf("%s to %s: %v", from, to, err)
			}
		}
	}
}

func TestAnExtensionIsWantedByOneAndGivenByAnother(t *testing.T) {
	m := on(t, func(*catalog.DegradedModeRule) {})
	ines := access.Principal{ID: "ines", Name: "Ines", Mail: "i@x", Roles: []access.Role{access.IncidentCommander}, SignedInAt: night}
	grant := access.Grant{Role: access.BusinessOwner}
	bea := access.Principal{ID: "bea", Name: "Bea", Mail: "b@x", SignedInAt: night}.With([]access.Grant{grant})
	policy := catalog.Policy{Slug: "p", Name: "P", Needs: []catalog.Need{{Role: access.BusinessOwner, Persons: 1}}, RecentSignIn: catalog.Duration(time.Hour)}
	ballot := approval.Ballot{Rules: approval.Rules{{Policy: policy, Objects: []access.Object{{}}}}, Requester: ines}
	wish := Extension{ID: "e", Limits: Limits{Time: catalog.Duration(3 * time.Hour)}, Reason: "not back soon", Until: night.Add(time.Hour)}
	if _, err := m.Extend(Extension{ID: "e", Limits: m.Limits, Reason: "x", Until: night.Add(time.Hour)}, ines, night); fault.KindOf(err) != fault.Invalid {
		t.Errorf("limits that are as they were: %v", err)
	}
	m, err := m.Extend(wish, ines, night.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Answer("e", true, "", ines, ballot, night.Add(2*time.Minute)); fault.As(err) == nil || fault.As(err).Rule != approval.RuleTwoPeople {
		t.Errorf("who wants it gives it: %v", err)
	}
	if _, err := m.Answer("e", true, "", bea, ballot, night.Add(2*time.Hour)); fault.KindOf(err) != fault.Conflict {
		t.Errorf("given when it had lapsed: %v", err)
	}
	kept, err := m.Answer("e", false, "sell nothing more", bea, ballot, night.Add(2*time.Minute))
	if err != nil || kept.Limits != m.Limits {
		t.Errorf("%+v, %v", kept.Limits, err)
	}
	wide, err := m.Answer("e", true, "", bea, ballot, night.Add(2*time.Minute))
	if err != nil || wide.Limits.Time.D() != 3*time.Hour {
		t.Errorf("%+v, %v", wide.Limits, err)
	}
	if wide = follow(t, wide, 2*time.Hour, no(), nil); wide.Reached != nil {
		t.Errorf("within its wider limits: %+v", wide.Reached)
	}
}

func TestProjectionIsTheSoonestLimit(t *testing.T) {
	m := on(t, func(r *catalog.DegradedModeRule) { r.Orders = 1000 })
	if at, which := m.Projection(night); which != "time" || !at.Equal(night.Add(time.Hour)) {
		t.Errorf("%s at %s", which, at)
	}
	m = follow(t, m, 10*time.Minute, no(), &Exposure{Orders: 500})
	if at, which := m.Projection(night.Add(10 * time.Minute)); which != "orders" || !at.Equal(night.Add(20*time.Minute)) {
		t.Errorf("%s at %s", which, at)
	}
	if m.Nears(night.Add(10*time.Minute)) || !m.Nears(night.Add(19*time.Minute)) {
		t.Error("people are told of it too soon, or not at all")
	}
}
