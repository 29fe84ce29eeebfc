package failover

import (
	"testing"

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
