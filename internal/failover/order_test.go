package failover

import (
	"testing"
	"time"

	"keyholder/internal/catalog"
)

// TestAnOrderAsksOnceASignalThatCallsItIsReadOtherwise, also one of a service that it does not move.
func TestAnOrderAsksOnceASignalThatCallsItIsReadOtherwise(t *testing.T) {
	with := func(unit string) catalog.Catalog {
		return catalog.New(catalog.Catalog{Signals: []catalog.Signal{{Slug: "gateway", Service: "gateway", Unit: unit}, {Slug: "other", Service: "other", Unit: unit}}})
	}
	o := catalog.StandingOrder{Slug: "o", Services: []string{"checkout"}, Signals: []string{"gateway"}}
	terms := Terms{Services: o.Services}
	if why, err := OrderShift(o, terms, with("a"), with("b")); err != nil || why == "" {
		t.Errorf("%q, %v", why, err)
	}
	if why, err := OrderShift(catalog.StandingOrder{Slug: "o", Signals: []string{"none"}}, terms, with("a"), with("b")); err != nil || why != "" {
		t.Errorf("a signal that does not call it: %q, %v", why, err)
	}
}

func TestAReadingOlderThanAFewReadsCallsNothing(t *testing.T) {
	now := time.Date(2026, 3, 1, 2, 11, 0, 0, time.UTC)
	since := now.Add(-time.Hour)
	o := catalog.StandingOrder{Signals: []string{"success", "volume"}}
	for age, want := range map[time.Duration]bool{time.Second: true, calledWithin: true, calledWithin + 1: false, 4 * time.Hour: false} {
		readings := Readings{
			SignalKey("success"): {Bad: true, BadSince: &since, At: now},
			SignalKey("volume"):  {Bad: true, BadSince: &since, At: now.Add(-age)},
		}
		if _, called := Called(o, readings, now); called != want {
			t.Errorf("%s old: called is %t", age, called)
		}
	}
}
