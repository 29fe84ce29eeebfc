package catalog

import (
	"slices"
	"strings"
	"time"
)

// StandingOrder is an approval given in advance: while signals say what it names, a plan runs by itself. Nothing runs by itself
// without one.
type StandingOrder struct {
	Slug        string   `json:"slug"`
	Name        string   `json:"name"`
	About       string   `json:"about,omitempty" form:"long" doc:"Why it is right to move without asking."`
	Plan        string   `json:"plan" doc:"Short name of the plan that it runs."`
	PlanVersion int      `json:"plan_version" doc:"The version of the plan that is approved. A newer one is approved anew."`
	Services    []string `json:"services" ref:"service" doc:"What the plan moves."`
	From        string   `json:"from" ref:"site"`
	To          string   `json:"to" ref:"site"`
	Cause       string   `json:"cause" enum:"site,network,node,unknown" doc:"What it takes to be wrong when the signals are bad: it says which policies apply."`
	Signals     []string `json:"signals" ref:"signal" doc:"What must be bad, all of them at once."`
	BadFor      Duration `json:"bad_for" doc:"For how long without a break."`
	CeilingIn   string   `json:"ceiling_in" enum:"orders,seconds" doc:"What the loss ceiling counts."`
	Ceiling     int      `json:"ceiling" doc:"The most data that may be lost. Beyond it the run stops and asks."`
	Apart       Duration `json:"apart" doc:"Hold-down: how long after another run of the same data people are asked instead."`
	Forbidden   []Window `json:"forbidden,omitempty" doc:"When people are asked instead."`
	Until       string   `json:"until" doc:"The last day, 2027-05-31. It is not in force after that."`
}

// Window is a time in which something may not be.
type Window struct {
	Name  string    `json:"name" doc:"What is then."`
	Days  []Weekday `json:"days,omitempty" enum:"mon,tue,wed,thu,fri,sat,sun" doc:"Every day, where none is named."`
	From  string    `json:"from,omitempty" doc:"The hour it begins, 09:00. Midnight, where there is none."`
	Until string    `json:"until,omitempty" doc:"The hour it ends, 21:30. The end of the day, where there is none."`
	First string    `json:"first,omitempty" doc:"The first date it applies to, 2026-11-27."`
	Last  string    `json:"last,omitempty" doc:"The last date it applies to."`
}

func (w Window) window() window { return window{w.Days, w.From, w.Until, w.First, w.Last} }

// ForbiddenBy names the time in which an order may not act, if it is such a time.
func (c Catalog) ForbiddenBy(o StandingOrder, at time.Time) (name string, forbidden bool) {
	for _, w := range o.Forbidden {
		if w.window().applies(at.In(c.Zone())) {
			return w.Name, true
		}
	}
	return "", false
}

// Lasts says whether an order is still in force at some moment, and until when it is.
func (c Catalog) Lasts(o StandingOrder, at time.Time) (until time.Time, lasts bool) {
	end, lasts := c.during("", o.Until, at)
	if end == nil { // no day that can be read
		return time.Time{}, false
	}
	return *end, lasts
}

// OrdersOn are the standing orders that may move a service.
func (c Catalog) OrdersOn(service string) []StandingOrder {
	var on []StandingOrder
	for _, o := range c.StandingOrders {
		if slices.Contains(o.Services, service) {
			on = append(on, o)
		}
	}
	return on
}

// StandingOrder finds a standing order by its slug.
func (c Catalog) StandingOrder(slug string) (StandingOrder, bool) {
	return look[StandingOrder](c, KindStandingOrder, slug)
}

func (c Catalog) checkStandingOrder(o StandingOrder, say sayer) bool {
	for _, one := range []struct {
		wrong      bool
		path, what string
	}{
		{o.PlanVersion < 1, "plan_version", "must name a version, from 1"},
		{len(o.Services) == 0, "services", "at least one is named"},
		{o.From != "" && o.From == o.To, "to", "must be another site than the one to move from"},
		{len(o.Signals) == 0, "signals", "at least one is named: nothing moves without a reason"},
		{o.BadFor <= 0, "bad_for", "must be longer than nothing"},
		{o.Apart <= 0, "apart", "must be longer than nothing, or it could move to and fro"},
		{o.Until == "", "until", "is missing: an order ends, and is thought about again"},
	} {
		if one.wrong && !say(one.path, "%s", one.what) {
			return false
		}
	}
	for i, w := range o.Forbidden {
		what := w.window().wrong()
		if strings.TrimSpace(w.Name) == "" {
			what = "needs a name"
		}
		if what != "" && !say("forbidden"+nth(i), "%s", what) {
			return false
		}
	}
	return c.checkDays("", o.Until, say)
}
