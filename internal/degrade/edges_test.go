package degrade

import (
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

var inCommand = access.Principal{ID: "ines", Name: "Ines", Roles: []access.Role{access.IncidentCommander}}

// trying is a mode that was tried to be switched on at night, and is not seen to be.
func trying(t *testing.T, change func(*catalog.DegradedModeRule)) Mode {
	t.Helper()
	m := on(t, change)
	m.Phase, m.On, m.Effect, m.ReadBack = SwitchingOn, nil, nil, nil
	return m.Attempts(DoSwitchOn, night)
}

func TestWhatMayHaveBeenOnIsWorkedOffAndReconciledThoughItWasNeverSeenToBe(t *testing.T) {
	m := trying(t, func(r *catalog.DegradedModeRule) { r.Drain = catalog.Draining{Connector: "http"} })
	m = m.Attempts(DoSwitchOn, night.Add(time.Minute)).Failed("the flags do not answer", night.Add(time.Minute))
	m, err := m.EndBy(inCommand, "", night.Add(10*time.Minute))
	if err == nil {
		m, err = m.Switched(night.Add(11 * time.Minute))
	}
	if err != nil || m.Phase != Draining {
		t.Fatalf("it is %s, %v", m.Phase, err)
	}
	if m, err = m.WorkedOff(night.Add(12 * time.Minute)); err != nil || m.Phase != Over {
		t.Fatalf("it is %s, %v", m.Phase, err)
	}
	if from, until, ok := m.Window(); !ok || !from.Equal(night) || !until.Equal(night.Add(12*time.Minute)) {
		t.Errorf("the window is from %s to %s", from, until)
	}
}

func TestLimitsHoldWhileItIsBeingSwitchedOn(t *testing.T) {
	m := trying(t, func(*catalog.DegradedModeRule) {})
	if m = follow(t, m, 59*time.Minute, no(), nil); m.Phase != SwitchingOn {
		t.Fatalf("it is %s", m.Phase)
	}
	if m = follow(t, m, time.Hour, no(), nil); m.Phase != SwitchingOff || m.Reached == nil {
		t.Errorf("beyond its limit it is %s", m.Phase)
	}
	m = trying(t, func(r *catalog.DegradedModeRule) { r.HealthyFor = catalog.Duration(time.Minute) })
	m = follow(t, m, time.Minute, yes(), nil)
	if m = follow(t, m, 2*time.Minute, yes(), nil); m.Phase != SwitchingOff {
		t.Errorf("what was unavailable is back, and it is %s", m.Phase)
	}
}

func TestASourceThatCountsAnewDoesNotStartALimitAnew(t *testing.T) {
	m := on(t, func(r *catalog.DegradedModeRule) { r.Orders, r.AtLimit = 100, catalog.GoOnAndPage })
	for after, read := range map[time.Duration]float64{time.Minute: 60} {
		m = follow(t, m, after, no(), &Exposure{Orders: read, Money: 10 * read})
	}
	m = follow(t, m, 2*time.Minute, no(), &Exposure{Orders: 59, Money: 590}) // one was cancelled
	if m.Exposure.Orders != 59 || m.Base != nil {
		t.Errorf("%+v", m.Exposure)
	}
	m = follow(t, m, 3*time.Minute, no(), &Exposure{Orders: 1, Money: 10})
	m = follow(t, m, 4*time.Minute, no(), &Exposure{Orders: 40, Money: 400})
	if m.Exposure.Orders != 99 || m.Exposure.Money != 990 || m.Reached != nil {
		t.Errorf("%+v, %+v", m.Exposure, m.Reached)
	}
	if m = follow(t, m, 5*time.Minute, no(), &Exposure{Orders: 41, Money: 410}); m.Reached == nil {
		t.Errorf("100 of 100 orders: %+v", m.Exposure)
	}
}

func TestEveryLimitThatIsReachedIsSaid(t *testing.T) {
	m := on(t, func(r *catalog.DegradedModeRule) { r.Orders, r.AtLimit = 100, catalog.GoOnAndPage })
	m = follow(t, m, time.Hour, no(), &Exposure{Orders: 50})
	m = follow(t, m, 2*time.Hour, no(), &Exposure{Orders: 5000})
	if got := strings.Join(m.Reached.Which, " "); got != "time orders" || !strings.Contains(m.Reached.What, "4900 more") || !m.Reached.At.Equal(night.Add(time.Hour)) {
		t.Errorf("%+v", m.Reached)
	}
	if _, what := m.Beyond(night.Add(3 * time.Hour)); !strings.HasPrefix(what, "1 h, 2 h longer") {
		t.Errorf("by how much is %q", what)
	}
}

func TestStoppingToSellHasAWayOutAndSaysOnlyWhatIsTrue(t *testing.T) {
	m := on(t, func(r *catalog.DegradedModeRule) {
		r.AtLimit, r.Stop = catalog.StopSelling, catalog.Act{Connector: "http"}
	})
	m = follow(t, m, time.Hour, no(), nil)
	if m.Phase != Stopping || m.Stopped != nil || strings.Contains(m.Ending.Why, "stopped") {
		t.Fatalf("%s: %q", m.Phase, m.Ending.Why)
	}
	if ended, err := m.EndBy(inCommand, "", night.Add(2*time.Hour)); err != nil || ended.Phase != SwitchingOff || ended.Stopped != nil {
		t.Errorf("%s, %v", ended.Phase, err)
	}
	m, err := m.StopsSelling(night.Add(61 * time.Minute))
	if err != nil || m.Stopped == nil || m.Phase != SwitchingOff {
		t.Errorf("%s, %v", m.Phase, err)
	}
	hand := on(t, func(r *catalog.DegradedModeRule) {
		r.AtLimit, r.Switch, r.Stop = catalog.StopSelling, catalog.Act{}, catalog.Act{Connector: "http"}
	})
	if hand = follow(t, hand, time.Hour, no(), nil); hand.Next() != DoStop {
		t.Errorf("switched by hand, what stops selling is not called: %s", hand.Phase)
	}
}

func TestADrillAtItsLimitStopsNothing(t *testing.T) {
	m := on(t, func(r *catalog.DegradedModeRule) {
		r.AtLimit, r.Stop = catalog.StopSelling, catalog.Act{Connector: "http"}
	})
	m.Terms.Drill = true
	if m = follow(t, m, time.Hour, no(), nil); m.Next() != DoSwitchOff {
		t.Errorf("a drill is to %s", m.Next())
	}
}

func TestAtItsLimitAFlappingDependencyIsNotHealthy(t *testing.T) {
	m := on(t, func(r *catalog.DegradedModeRule) { r.HealthyFor = catalog.Duration(2 * time.Minute) })
	for n := range 20 {
		healthy := yes()
		if n%2 == 1 {
			healthy = no()
		}
		if m = follow(t, m, time.Hour+time.Duration(n)*time.Minute, healthy, nil); m.Phase != On {
			t.Fatalf("one good look ended it")
		}
	}
}

func TestWhatIsDoneByHandIsWhatThePersonSaw(t *testing.T) {
	m := trying(t, func(r *catalog.DegradedModeRule) { r.Switch = catalog.Act{} })
	m, err := m.EndBy(inCommand, "", night.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ByHandDone(inCommand, SwitchingOn, "the pads are out", night.Add(2*time.Minute)); fault.KindOf(err) != fault.Conflict {
		t.Errorf("said to be on, it is recorded as off: %v", err)
	}
	if m, err = m.ByHandDone(inCommand, SwitchingOff, "the pads are in", night.Add(2*time.Minute)); err != nil || m.Off == nil {
		t.Errorf("%s, %v", m.Phase, err)
	}
}

func TestALimitIsWidenedNotTakenAway(t *testing.T) {
	m := on(t, func(r *catalog.DegradedModeRule) { r.Orders, r.AtLimit = 100, catalog.GoOnAndPage })
	for _, l := range []Limits{{Time: catalog.Duration(2 * time.Hour)}, {Orders: 500}} {
		if _, err := m.Extend(Extension{ID: "e", Limits: l, Reason: "more"}, inCommand, night.Add(time.Minute)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", l, err)
		}
	}
}

func TestWhetherItIsStillOnIsSaidToBeUnknownWhileNobodyCanTell(t *testing.T) {
	m := on(t, func(*catalog.DegradedModeRule) {})
	m, err := m.Follow(Seen{Why: "the flags do not answer", At: night.Add(time.Minute)}, worker)
	if err != nil || m.Unread == "" || !m.ReadBack.Equal(night) || m.Drift != nil {
		t.Errorf("%q since %s", m.Unread, m.ReadBack)
	}
	if m, err = m.Follow(Seen{Stands: yes(), At: night.Add(2 * time.Minute)}, worker); err != nil || m.Unread != "" {
		t.Errorf("%q", m.Unread)
	}
}

func TestSellingThatWasStoppedIsStartedAgainByAPersonAndReadBack(t *testing.T) {
	m := on(t, func(r *catalog.DegradedModeRule) {
		r.AtLimit, r.Stop = catalog.StopSelling, catalog.Act{Connector: "http", Params: []byte(`{"undo":{}}`)}
	})
	m = follow(t, m, time.Hour, no(), nil)
	m, err := m.StopsSelling(night.Add(61 * time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ResumeBy(inCommand, "", night.Add(61*time.Minute)); fault.KindOf(err) != fault.Conflict {
		t.Errorf("started again before it is off: %v", err)
	}
	if m, err = m.Switched(night.Add(62 * time.Minute)); err != nil || m.Next() != DoNothing {
		t.Fatalf("%s, %v", m.Next(), err)
	}
	auditor := access.Principal{ID: "ada", Name: "Ada", Roles: []access.Role{access.Auditor}}
	if _, err := m.ResumeBy(auditor, "", night.Add(63*time.Minute)); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an auditor starts it again: %v", err)
	}
	if m, err = m.ResumeBy(inCommand, "", night.Add(63*time.Minute)); err != nil || m.Next() != DoResume {
		t.Fatalf("%s, %v", m.Next(), err)
	}
	if _, err := m.ResumeBy(inCommand, "", night.Add(64*time.Minute)); fault.KindOf(err) != fault.Conflict {
		t.Errorf("started again twice: %v", err)
	}
	if m = m.ResumesSelling(night.Add(65 * time.Minute)); m.Next() != DoNothing || m.MayResume() {
		t.Errorf("it is still to %s", m.Next())
	}
}
