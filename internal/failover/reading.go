package failover

import "time"

// Reading is the last that was seen of a signal or of a copy of a data set. A source that does not answer leaves its
// last value with its time.
type Reading struct {
	Key       string     `json:"key"`
	Source    string     `json:"source"` // where it was read
	Value     float64    `json:"value"`
	Position  *Position  `json:"position,omitempty"`
	At        time.Time  `json:"at"`                   // when the value was seen; zero: never
	Bad       bool       `json:"bad"`                  // beyond the signal's limits
	BadSince  *time.Time `json:"bad_since,omitempty"`  // since when without a break
	Usual     float64    `json:"usual"`                // what the value was while it was good
	Error     string     `json:"error,omitempty"`      // why the source does not answer now
	FailingAt *time.Time `json:"failing_at,omitempty"` // since when it does not
}

// Position is where one site's copy of a data set stands.
type Position struct {
	Newest     int64     `json:"newest"`
	NewestAt   time.Time `json:"newest_at"`
	LagRecords int64     `json:"lag_records"`
	LagSeconds float64   `json:"lag_seconds"`
	Writer     bool      `json:"writer"`
}

// Stale says that the source does not answer now.
func (r Reading) Stale() bool { return r.FailingAt != nil }

// Seen says that there ever was a value.
func (r Reading) Seen() bool { return !r.At.IsZero() }

// Readings are all readings by key.
type Readings map[string]Reading

// Bad says whether a signal is bad, as far as anybody can tell.
func (rs Readings) Bad(signal string) bool {
	r, ok := rs[SignalKey(signal)]
	return ok && r.Bad && !r.Stale()
}

// SignalKey is the key of a signal's reading.
func SignalKey(slug string) string { return "signal/" + slug }

// PositionKey is the key of the reading of a data set's copy at a site.
func PositionKey(dataSet, site string) string { return "position/" + dataSet + "@" + site }

// usualWeight makes the usual value follow over about a minute of readings a second apart.
const usualWeight = 1.0 / 60

// Follow makes the next reading of a signal from the one before and a new value. The usual value is learned only while
// calm is true, so that an outage does not become usual.
func (r Reading) Follow(value float64, bad, calm bool, source string, now time.Time) Reading {
	next := Reading{Key: r.Key, Source: source, Value: value, At: now, Bad: bad, Usual: r.Usual}
	switch {
	case bad && r.Bad && r.BadSince != nil:
		next.BadSince = r.BadSince
	case bad:
		next.BadSince = &now
	}
	switch {
	case calm && r.Usual == 0:
		next.Usual = value
	case calm:
		next.Usual += (value - r.Usual) * usualWeight
	}
	return next
}

// Silence makes the next reading from a source that did not answer: the value stays, with its time.
func (r Reading) Silence(why, source string, now time.Time) Reading {
	next := r
	next.Error, next.Source = why, source
	if next.FailingAt == nil {
		next.FailingAt = &now
	}
	return next
}
