package catalog

import "encoding/json"

// Signal is a number that tells how a service is, and when it is bad.
type Signal struct {
	Slug     string          `json:"slug"`
	Name     string          `json:"name"`
	Kind     SignalKind      `json:"measures" enum:"success,volume" doc:"Success: a ratio from 0 to 1. Volume: a rate per second."`
	Service  string          `json:"service" ref:"service"`
	Unit     string          `json:"unit,omitempty"`
	Observe  json.RawMessage `json:"observe" doc:"Parameters of the http connector."`
	Pointer  string          `json:"pointer" doc:"JSON Pointer to the number in the answer."`
	BadBelow *float64        `json:"bad_below,omitempty"`
	BadAbove *float64        `json:"bad_above,omitempty"`
}

// SignalKind says what a signal measures.
type SignalKind string

// The kinds of signal.
const (
	Success SignalKind = "success" // a ratio from 0 to 1
	Volume  SignalKind = "volume"  // a rate per second
)

// Bad says whether a value is beyond the signal's limits.
func (s Signal) Bad(value float64) bool {
	return s.BadBelow != nil && value < *s.BadBelow || s.BadAbove != nil && value > *s.BadAbove
}
