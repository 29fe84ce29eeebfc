package connector

import (
	"context"
	"time"
)

// ActivityLog reads what a real system wrote down of what an account did on it. It is safe for concurrent use and changes nothing.
type ActivityLog interface {
	Kind() string

	// Check validates params strictly (unknown fields are errors) and touches nothing. Its errors are fault.Invalid and name the field.
	Check(p Params) error

	// Activity reads what was written down of a use, the oldest first. That nothing was is no error.
	Activity(ctx context.Context, p Params, u Use) (Activity, error)
}

// Use is an account's, from one moment to another.
type Use struct {
	Account     string
	From, Until time.Time
}

// The bounds of what is kept of one use. What is beyond them is counted.
const (
	MaxEntries  = 5000
	MaxEntry    = 4 << 10   // bytes of one
	MaxActivity = 512 << 10 // bytes of all
)

// Activity is what a system wrote down of a use.
type Activity struct {
	Source  string          `json:"source"` // where it was read
	Entries []ActivityEntry `json:"entries"`
	LeftOut int             `json:"left_out,omitempty"` // entries beyond the bounds
	Partial string          `json:"partial,omitempty"`  // why not everything could be read, in words

	size int
}

// ActivityEntry is one thing that was done.
type ActivityEntry struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Add takes one more entry, as far as the bounds allow.
func (a *Activity) Add(e ActivityEntry) {
	e.Text = Tidy(e.Text, MaxEntry)
	if len(a.Entries) >= MaxEntries || a.size+len(e.Text) > MaxActivity {
		a.LeftOut++
		return
	}
	a.size += len(e.Text)
	a.Entries = append(a.Entries, e)
}
