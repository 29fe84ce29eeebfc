package connector

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// ActivityLog reads what a real system wrote down of what an account did on it. It is safe for concurrent use and changes nothing.
type ActivityLog interface {
	Kind() string

	// Check validates params strictly (unknown fields are errors) and touches nothing. Its errors are fault.Invalid and name the field.
	Check(p Params) error

	// Settles is how long after a use all of it is written down, and may be read.
	Settles(p Params) time.Duration

	// Activity reads what was written down of a use, the oldest first. That nothing was is no error.
	Activity(ctx context.Context, p Params, u Use) (Activity, error)
}

// Use is an account's, from one moment to another.
type Use struct {
	Account     string
	From, Until time.Time
}

// ClockSlack is how far a system's clock may differ from ours.
const ClockSlack = 2 * time.Second

// Covers says whether something was done in the use, by whichever of two clocks.
func (u Use) Covers(at time.Time) bool {
	return !at.Before(u.From.Add(-ClockSlack)) && !at.After(u.Until.Add(ClockSlack))
}

// The bounds of what is kept of one use. Of what is beyond them the beginning and the end are kept, and the rest is counted: nobody hides
// an act by much ado before or after it.
const (
	MaxEntries  = 10_000
	MaxEntry    = 16 << 10 // bytes of one
	MaxActivity = 2 << 20  // bytes of all
)

// Activity is what a system wrote down of a use.
type Activity struct {
	Source  string          `json:"source"` // where it was read
	Entries []ActivityEntry `json:"entries"`
	LeftOut int             `json:"left_out,omitempty"` // entries in the middle, beyond the bounds
	Partial string          `json:"partial,omitempty"`  // what else may be missing, in sentences

	cut, size, tailSize int
	tail                []ActivityEntry // the last, once the first half of the room is taken
}

// ActivityEntry is one thing that was done.
type ActivityEntry struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Add takes one more entry, as far as the bounds allow. Close is called after the last.
func (a *Activity) Add(e ActivityEntry) {
	if e.Text = Tidy(e.Text, MaxDocument); len(e.Text) > MaxEntry {
		a.cut++
		half := MaxEntry / 2
		e.Text = strings.ToValidUTF8(e.Text[:half], "") + "\n… left out …\n" + strings.ToValidUTF8(e.Text[len(e.Text)-half:], "")
	}
	if len(a.tail) == 0 && len(a.Entries) < MaxEntries/2 && a.size+len(e.Text) <= MaxActivity/2 {
		a.size += len(e.Text)
		a.Entries = append(a.Entries, e)
		return
	}
	a.tail = append(a.tail, e)
	for a.tailSize += len(e.Text); len(a.tail) > MaxEntries/2 || a.tailSize > MaxActivity/2; a.LeftOut++ {
		a.tailSize -= len(a.tail[0].Text)
		a.tail = a.tail[1:]
	}
}

// Close puts the last entries behind the first.
func (a *Activity) Close() {
	a.Entries, a.tail = append(a.Entries, a.tail...), nil
	if a.cut > 0 {
		a.Lacks("Of %d entries the middle is left out: each is longer than %d KiB.", a.cut, MaxEntry>>10)
	}
}

// Lacks notes what may be missing.
func (a *Activity) Lacks(format string, args ...any) {
	a.Partial = strings.TrimSpace(a.Partial + " " + fmt.Sprintf(format, args...))
}
