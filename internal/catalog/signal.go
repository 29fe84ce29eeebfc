package catalog

import "encoding/json"

// Signal is a number that tells how a service is, and when it is bad.
type Signal struct {
	Slug     string          `json:"slug"`
	Name     string          `json:"name"`
	Kind     SignalKind      `json:"measures" enum:"success,volume,health" doc:"Success: a ratio from 0 to 1. Volume: a rate per second. Health: 1 while what is asked answers as it should, 0 while it does not."`
	Service  string          `json:"service" ref:"service"`
	Unit     string          `json:"unit,omitempty"`
	Observe  json.RawMessage `json:"observe" doc:"Parameters of the http connector."`
	Pointer  string          `json:"pointer,omitempty" doc:"JSON Pointer to the number in the answer; of health, to what must be there."`
	BadBelow *float64        `json:"bad_below,omitempty"`
	BadAbove *float64        `json:"bad_above,omitempty"`
}

// SignalKind says what a signal measures.
type SignalKind string

// The kinds of signal.
const (
	Success SignalKind = "success" // a ratio from 0 to 1
	Volume  SignalKind = "volume"  // a rate per second
	Health  SignalKind = "health"  // 1 while it answers as it should, 0 while it does not
)

// Bad says whether a value is beyond the signal's limits.
func (s Signal) Bad(value float64) bool {
	if s.Kind == Health {
		return value < 1
	}
	return s.BadBelow != nil && value < *s.BadBelow || s.BadAbove != nil && value > *s.BadAbove
}
