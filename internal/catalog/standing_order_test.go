package catalog_test

import (
	"slices"
	"testing"
	"time"

	"keyholder/internal/catalog"
)

func TestAnOrderIsInForceUntilTheEndOfItsLastDayByTheRetailersClocks(t *testing.T) {
	c := catalog.New(catalog.Catalog{Settings: catalog.Settings{Currency: "GBP", TimeZone: "America/New_York"}})
	o := catalog.StandingOrder{Until: "2026-03-01", Forbidden: []catalog.Window{{Name: "trading", Days: []catalog.Weekday{"sun"}, From: "09:00", Until: "17:00"}}}
	newYork := c.Zone()
	for at, want := range map[time.Time]bool{
		time.Date(2026, 3, 1, 23, 59, 59, 0, newYork): true,
		time.Date(2026, 3, 2, 0, 0, 0, 0, newYork):    false,
	} {
		if _, lasts := c.Lasts(o, at); lasts != want {
			t.Errorf("at %s it is in force: %v", at, lasts)
		}
	}
	if _, lasts := c.Lasts(catalog.StandingOrder{Until: "tomorrow"}, time.Now()); lasts {
		t.Error("an end that cannot be read is no end")
	}
	for at, want := range map[time.Time]bool{
		time.Date(2026, 3, 1, 8, 59, 0, 0, newYork): false, time.Date(2026, 3, 1, 9, 0, 0, 0, newYork): true,
		time.Date(2026, 3, 1, 17, 0, 0, 0, newYork): false, time.Date(2026, 3, 2, 9, 0, 0, 0, newYork): false,
	} {
		if name, forbidden := c.ForbiddenBy(o, at); forbidden != want || forbidden && name != "trading" {
			t.Errorf("at %s it is forbidden: %v %q", at, forbidden, name)
		}
	}
}

func TestAnOrderSaysWhenOnWhatAndForHowLong(t *testing.T) {
	c := catalog.New(catalog.Catalog{Settings: catalog.Settings{Currency: "GBP"}})
	var paths []string
	e := catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindStandingOrder, Slug: "o"}, Record: catalog.StandingOrder{
		Slug: "o", Name: "O", Plan: "p", From: "a", To: "a", Cause: "site", CeilingIn: "orders", Forbidden: []catalog.Window{{From: "9:00", Name: "x"}, {}},
	}}
	for p := range c.ProblemsOf(e) {
		paths = append(paths, p.Path)
	}
	for _, want := range []string{"plan_version", "services", "to", "signals", "bad_for", "apart", "until", "forbidden[0]", "forbidden[1]"} {
		if !slices.Contains(paths, want) {
			t.Errorf("%s is not asked for: %q", want, paths)
		}
	}
}

// TestAnOrderIsRevokedByOneAndMadeByTwo: what begins nothing harms nobody.
func TestAnOrderIsRevokedByOneAndMadeByTwo(t *testing.T) {
	o := catalog.StandingOrder{Slug: "o", Ceiling: 5}
	more := o
	more.Ceiling = 6
	k := catalog.KindStandingOrder
	if !k.NeedsTwo(nil, o) || !k.NeedsTwo(o, more) || k.NeedsTwo(o, nil) {
		t.Error("a new order and a change of one take two people, its end takes one")
	}
}
