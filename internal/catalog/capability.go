package catalog

import (
	"strings"
	"sync"
	"time"
)

// Capability is what the business does with services, with what it earns.
type Capability struct {
	Slug           string  `json:"slug"`
	Name           string  `json:"name"`
	Owner          string  `json:"owner,omitempty" doc:"Who answers for it."`
	RevenuePerHour float64 `json:"revenue_per_hour" unit:"money" doc:"What it earns in an ordinary hour."`
	Peaks          []Peak  `json:"peaks,omitempty" doc:"When it earns a multiple. The highest that applies counts."`
}

// Peak is a time in which a capability earns a multiple: some hours of some days of the week, within some dates.
type Peak struct {
	Name  string    `json:"name"`
	Days  []Weekday `json:"days,omitempty" enum:"mon,tue,wed,thu,fri,sat,sun" doc:"Every day, where none is named."`
	From  string    `json:"from,omitempty" doc:"The hour it begins, 09:00. Midnight, where there is none."`
	Until string    `json:"until,omitempty" doc:"The hour it ends, 21:30. The end of the day, where there is none."`
	First string    `json:"first,omitempty" doc:"The first date it applies to, 2026-11-27."`
	Last  string    `json:"last,omitempty" doc:"The last date it applies to."`
	Times float64   `json:"times" doc:"How many times the ordinary revenue."`
}

func (p Peak) window() window { return window{p.Days, p.From, p.Until, p.First, p.Last} }

// PerHour is what the capability earns in an hour at a time, and the peak that makes it more, if one does.
func (x Capability) PerHour(at time.Time, zone *time.Location) (perHour float64, peak string) {
	times, name := 1.0, ""
	for _, p := range x.Peaks {
		if p.Times > times && p.window().applies(at.In(zone)) {
			times, name = p.Times, p.Name
		}
	}
	return x.RevenuePerHour * times, name
}

// Zone is where the retailer's clocks are.
func (s Settings) Zone() *time.Location {
	if zone, ok := zones.Load(s.TimeZone); ok {
		return zone.(*time.Location)
	}
	zone, err := time.LoadLocation(s.TimeZone) // "" is UTC
	if err != nil {
		return time.UTC // Validate refuses it
	}
	zones.Store(s.TimeZone, zone)
	return zone
}

// zones are those that were looked up: each time would read a file.
var zones sync.Map //nolint:gochecknoglobals // the world's, not ours

func (p Peak) wrong() string {
	switch {
	case strings.TrimSpace(p.Name) == "":
		return "needs a name"
	case p.Times <= 0 || p.Times > 1000:
		return "must be a multiple above 0, at most 1000"
	}
	return p.window().wrong()
}

// Peak is the peak of a capability that applies at some moment, if one does.
func (c Catalog) Peak(capability string, at time.Time) (name string, peak bool) {
	x, ok := c.Capability(capability)
	if !ok {
		return "", false
	}
	_, name = x.PerHour(at, c.Zone())
	return name, name != ""
}
