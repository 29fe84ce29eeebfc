package breakglass

import (
	"slices"
	"time"

	"keyholder/internal/canonical"
)

// Account is what one person has on one system, as it was last read back.
type Account struct {
	System   string     `json:"system"`
	Holder   Holder     `json:"holder"`
	Name     string     `json:"name"`            // as the system calls them
	Wants    []Has      `json:"wants,omitempty"` // that was last tried
	Has      []Has      `json:"has,omitempty"`
	InForce  string     `json:"in_force,omitempty"` // names the password that is in force there; never is it
	At       time.Time  `json:"at,omitzero"`        // read back
	Nth      int        `json:"nth"`                // how often something was to be changed: each change is made once
	Tried    time.Time  `json:"tried,omitzero"`     // when something was last begun to be changed
	Clean    bool       `json:"clean,omitempty"`    // the last attempt failed, and certainly changed nothing
	Anew     bool       `json:"anew,omitempty"`     // the last attempt was answered and had no effect: the next is another change
	Trouble  *Trouble   `json:"trouble,omitempty"`
	ShownAt  *time.Time `json:"shown_at,omitempty"` // when its holder was last shown a password
	Verifier string     `json:"-"`                  // of the password that is to be in force
	Version  int        `json:"-"`                  // of the record, for guarded updates
}

// Trouble is what does not go as it should, since when.
type Trouble struct {
	Why      string    `json:"why"`
	Since    time.Time `json:"since"`
	At       time.Time `json:"at,omitzero"` // of the last attempt
	Attempts int       `json:"attempts"`
}

// again is the trouble after one more attempt that failed.
func (t *Trouble) again(why string, now time.Time) *Trouble {
	next := Trouble{Since: now}
	if t != nil {
		next = *t
	}
	next.Why, next.At = why, now
	next.Attempts++
	return &next
}

// Rests says that what did not go was tried a moment ago: the wait doubles up to a minute.
func (t *Trouble) Rests(now time.Time) bool {
	return t != nil && now.Sub(t.At) < min(time.Second<<min(t.Attempts, 6), time.Minute)
}

// Wanted names the password that is to be in force.
func (a Account) Wanted() string {
	if a.Verifier == "" {
		return ""
	}
	return canonical.DigestBytes("keyholder/verifier/1", []byte(a.Verifier))
}

// Is says whether the system was last seen to be as it is to be.
func (a Account) Is(has []Has) bool {
	return !a.At.IsZero() && a.Trouble == nil && sameHas(has, a.Has) && (len(has) == 0 || a.InForce == a.Wanted())
}

// overdueAfter is how long an account may be otherwise than it should before its process is woken.
const overdueAfter = 5 * time.Second

// Overdue says that an account should be otherwise since a while, or that what is over is not seen to be, and that nothing is being done.
// The grants are its holder's on its system.
func (a Account) Overdue(grants []Grant, locks []Lock, now time.Time) bool {
	if now.Sub(a.Tried) < overdueAfter || now.Sub(Changed(grants, locks, now)) < overdueAfter {
		return false
	}
	over := slices.ContainsFunc(grants, func(g Grant) bool { return g.Open() && (g.Ends(now) || g.Given == nil && g.Ended == nil) })
	return over || !a.Is(Effective(grants, locks, now))
}

// Tries notes what is about to be brought about. The same that is tried again is the same change.
func (a Account) Tries(has []Has, now time.Time) Account {
	if a.Nth == 0 || a.Anew || !sameHas(has, a.Wants) || a.Is(a.Wants) || a.Trouble == nil && a.InForce != a.Wanted() {
		a.Nth++
	}
	a.Wants, a.Tried, a.Clean, a.Anew = has, now, false, false
	return a
}

func sameHas(a, b []Has) bool {
	return slices.EqualFunc(a, b, func(x, y Has) bool { return x.Role == y.Role && x.Until.Equal(y.Until) })
}

// Settled notes what was read back, with the password whose verifier that is.
func (a Account) Settled(has []Has, verifier string, now time.Time) Account {
	a.Has, a.InForce, a.At, a.Trouble = has, Account{Verifier: verifier}.Wanted(), now, nil
	return a
}

// Failure is why an attempt did not succeed.
type Failure struct {
	Why   string
	Clean bool // it certainly changed nothing
	Anew  bool // it was answered, and had no effect
}

// Failed notes that an attempt to change it did not succeed.
func (a Account) Failed(f Failure, now time.Time) Account {
	a.Clean, a.Anew, a.Trouble = f.Clean, f.Anew, a.Trouble.again(f.Why, now)
	return a
}

// Forgotten is an account of which nobody knows what the system has: it is brought about anew.
func (a Account) Forgotten() Account {
	a.At, a.Wants = time.Time{}, nil
	return a
}
