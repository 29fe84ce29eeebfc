package catalog_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keyholder/internal/catalog"
)

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAPeakIsOnByTheRetailersClock(t *testing.T) {
	london := catalog.Settings{TimeZone: "Europe/London"}.Zone()
	c := catalog.Capability{RevenuePerHour: 100, Peaks: []catalog.Peak{
		{Name: "Evening", From: "18:00", Until: "22:00", Times: 2},
		{Name: "Weekend", Days: []catalog.Weekday{"sat", "sun"}, Times: 3},
		{Name: "Black Friday", First: "2026-11-27", Last: "2026-11-27", Until: "24:00", Times: 10},
		{Name: "Lull", From: "02:00", Until: "05:00", Times: 0.1},
	}}
	for _, at := range []struct {
		when, peak string
		earns      float64
	}{
		{"2026-11-23T12:00:00Z", "", 100},              // a Monday at noon
		{"2026-11-23T18:00:00Z", "Evening", 200},       // begins
		{"2026-11-23T21:59:59Z", "Evening", 200},       //
		{"2026-11-23T22:00:00Z", "", 100},              // has ended
		{"2026-07-06T17:00:00Z", "Evening", 200},       // 18:00 in summer time
		{"2026-07-06T21:00:00Z", "", 100},              // 22:00 in summer time
		{"2026-11-28T19:00:00Z", "Weekend", 300},       // the highest counts
		{"2026-11-26T23:59:59Z", "", 100},              // the day before
		{"2026-11-27T00:00:00Z", "Black Friday", 1000}, //
		{"2026-11-27T23:59:59Z", "Black Friday", 1000}, // to its end
		{"2026-11-23T03:00:00Z", "", 100},              // nothing earns less than usual
		{"2026-07-04T23:30:00+00:00", "Weekend", 300},  // Sunday already in London
		{"2026-10-25T00:30:00+00:00", "Weekend", 300},  // the night the clocks change
	} {
		if earns, peak := c.PerHour(moment(t, at.when), london); earns != at.earns || peak != at.peak {
			t.Errorf("%s: %g by %q, want %g by %q", at.when, earns, peak, at.earns, at.peak)
		}
	}
}

func TestAPeakThatCannotBeIsRefused(t *testing.T) {
	for want, p := range map[string]catalog.Peak{
		"is not a day":         {Name: "P", Times: 2, Days: []catalog.Weekday{"someday"}},
		"is not an hour":       {Name: "P", Times: 2, From: "25:00"},
		"\"9:00\" is not":      {Name: "P", Times: 2, From: "9:00"}, // would come after 10:00
		"is not a date":        {Name: "P", Times: 2, First: "27.11.2026"},
		"needs a name":         {Times: 2},
		"must be a multiple":   {Name: "P", Times: 0},
		"over midnight is two": {Name: "P", Times: 2, From: "22:00", Until: "02:00"},
		"end after it begins":  {Name: "P", Times: 2, First: "2026-12-01", Last: "2026-11-01"},
	} {
		c := catalog.New(catalog.Catalog{Capabilities: []catalog.Capability{{Slug: "c", Name: "C", Peaks: []catalog.Peak{p}}}})
		problems := slices.Collect(c.Problems())
		if !slices.ContainsFunc(problems, func(p catalog.Problem) bool { return strings.Contains(p.String(), want) }) {
			t.Errorf("%+v: %v, want it to say %q", p, problems, want)
		}
	}
}

func TestDurationsAreWrittenAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15m": 15 * time.Minute, "1h 30m": 90 * time.Minute, "2d": 48 * time.Hour, "1.5d": 36 * time.Hour, "1d 2h": 26 * time.Hour,
		"90s": 90 * time.Second, "250ms": 250 * time.Millisecond, "": 0, "0s": 0,
	} {
		var d catalog.Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.D() != want {
			t.Errorf("%q is %s, want %s: %v", text, d.D(), want, err)
		}
		written, err := d.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var again catalog.Duration
		if err := again.UnmarshalText(written); err != nil || again != d {
			t.Errorf("%q is written as %s, which is read as %s: %v", text, written, again, err)
		}
	}
	for text, want := range map[time.Duration]string{15 * time.Minute: "15m", 2 * time.Hour: "2h", 90 * time.Second: "1m30s", 48 * time.Hour: "48h"} {
		if got := catalog.Duration(text).String(); got != want {
			t.Errorf("%s is written %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{"an hour", "5", "5x", "-2d", "d", "99999d", "1h1d1d"} {
		var d catalog.Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %s", text, d)
		}
	}
}
