package failover

import (
	"fmt"
	"time"
)

// CeilingKind says in what a loss ceiling is counted.
type CeilingKind string

// The kinds of ceiling.
const (
	CeilingOrders  CeilingKind = "orders"
	CeilingSeconds CeilingKind = "seconds"
	CeilingUnknown CeilingKind = "unknown" // any loss is accepted, and said to be
)

// Ceiling is the most data that the approver accepts to lose.
type Ceiling struct {
	Kind  CeilingKind `json:"kind"`
	Value int64       `json:"value"` // orders or seconds
}

// MaxCeiling bounds what can be stated, in orders or seconds.
const MaxCeiling = 1_000_000

func (c Ceiling) String() string {
	switch {
	case c.Kind == CeilingUnknown:
		return "unknown loss accepted"
	case c.Value == 0:
		return "no loss accepted"
	case c.Value == 1:
		return fmt.Sprintf("up to 1 %s", string(c.Kind[:len(c.Kind)-1]))
	}
	return fmt.Sprintf("up to %d %s", c.Value, c.Kind)
}

// Loss is what would be, or was, left behind at the old site.
type Loss struct {
	Known    bool          `json:"known"`
	Records  int64         `json:"records"`
	Span     time.Duration `json:"span"`     // from the newest record recovered to the last one acknowledged
	Estimate bool          `json:"estimate"` // until the old side has been read
	Basis    string        `json:"basis"`    // how the number was come by, for people
	At       time.Time     `json:"at"`       // when the older of the two positions was read
}

func (l Loss) String() string {
	switch {
	case !l.Known:
		return "not known"
	case l.Records == 0 && !l.Estimate:
		return "none"
	}
	text := fmt.Sprintf("%d orders, %.1f s", l.Records, l.Span.Seconds())
	if l.Estimate {
		text += " (estimate)"
	}
	return text
}

// Within says whether the loss keeps to the ceiling. A loss that is not known keeps only to an unknown ceiling.
func (c Ceiling) Within(l Loss) bool {
	switch {
	case c.Kind == CeilingUnknown:
		return true
	case !l.Known:
		return false
	case c.Kind == CeilingOrders:
		return l.Records <= c.Value
	case c.Kind == CeilingSeconds:
		return l.Span <= time.Duration(c.Value)*time.Second
	}
	return false
}

// LossBetween compares where the two copies of a data set stand. The old side may be a reading from before it went
// away: then the loss is an estimate, for it may have accepted more since.
func LossBetween(old, target Reading) Loss {
	if old.Position == nil || target.Position == nil {
		return Loss{Basis: "one of the two copies has never been read"}
	}
	acknowledged := old.Position.Newest
	if old.Stale() { // the target may have heard of newer records than were seen at the old side
		acknowledged = max(acknowledged, target.Position.Newest+target.Position.LagRecords)
	}
	loss := Loss{
		Known: true, Records: max(0, acknowledged-target.Position.Newest), At: old.At,
		Estimate: old.Stale() || target.Stale(), Basis: "both copies were read",
	}
	if loss.Records > 0 {
		loss.Span = max(0, old.Position.NewestAt.Sub(target.Position.NewestAt))
	}
	if target.At.Before(old.At) {
		loss.At = target.At
	}
	if loss.Estimate {
		loss.Basis = "the old copy does not answer; it was last read at " + old.At.UTC().Format("15:04:05") + " UTC"
	}
	return loss
}
