package catalog

import (
	"slices"
	"time"
)

// window is some hours of some days of the week, within some dates; by the retailer's clocks.
type window struct {
	days                     []Weekday
	from, until, first, last string
}

// applies says whether a local time lies within it.
func (w window) applies(local time.Time) bool {
	date, clock := local.Format(time.DateOnly), local.Format("15:04")
	return (len(w.days) == 0 || slices.Contains(w.days, weekdays()[local.Weekday()])) &&
		(w.first == "" || date >= w.first) && (w.last == "" || date <= w.last) &&
		(w.from == "" || clock >= w.from) && (w.until == "" || clock < w.until)
}

// wrong says what cannot be about it.
func (w window) wrong() string {
	for _, day := range w.days {
		if !slices.Contains(weekdays(), day) {
			return "\"" + string(day) + "\" is not a day: mon, tue, wed, thu, fri, sat or sun"
		}
	}
	for _, hour := range []string{w.from, w.until} {
		// Hours are compared as texts, so 9:00 must be written 09:00.
		if at, err := time.Parse("15:04", hour); hour != "" && hour != "24:00" && (err != nil || at.Format("15:04") != hour) {
			return "\"" + hour + "\" is not an hour such as 09:00"
		}
	}
	for _, date := range []string{w.first, w.last} {
		if _, err := time.Parse(time.DateOnly, date); date != "" && err != nil {
			return "\"" + date + "\" is not a date such as 2026-11-27"
		}
	}
	switch {
	case w.from != "" && w.until != "" && w.from >= w.until:
		return "must end after it begins; a time over midnight is two"
	case w.first != "" && w.last != "" && w.first > w.last:
		return "must end after it begins"
	}
	return ""
}

// Weekday is a day of the week by its first three letters.
type Weekday string

// weekdays are in the order of package time.
func weekdays() []Weekday { return []Weekday{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }
