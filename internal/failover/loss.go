package failover

import (
	"fmt"
	"math"
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
	AtMost   int64         `json:"at_most"`  // records, of an estimate: with what may have been accepted unseen
	Span     time.Duration `json:"span"`     // from the newest record recovered to the last one that may have been acknowledged
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
	switch {
	case !l.Estimate:
		return fmt.Sprintf("%s, %.1f s", orders(l.Records), l.Span.Seconds())
	case l.AtMost > l.Records:
		return fmt.Sprintf("%d to %d orders, up to %.1f s (estimate)", l.Records, l.AtMost, l.Span.Seconds())
	}
	return fmt.Sprintf("%s, %.1f s (estimate)", orders(l.Records), l.Span.Seconds())
}

func orders(n int64) string {
	if n == 1 {
		return "1 order"
	}
	return fmt.Sprintf("%d orders", n)
}

// Within says whether the loss keeps to the ceiling. A loss that is not known keeps only to an unknown ceiling.
func (c Ceiling) Within(l Loss) bool {
	switch {
	case c.Kind == CeilingUnknown:
		return true
	case !l.Known:
		return false
	case c.Kind == CeilingOrders:
		return max(l.Records, l.AtMost) <= c.Value
	case c.Kind == CeilingSeconds:
		return l.Span <= time.Duration(c.Value)*time.Second
	}
	return false
}

// LossBetween compares where the two copies of a data set stand. The old side may be a reading from before it went
// away. Then the loss is an estimate, which counts what customers may have been sold since by the side that nobody could
// read: as much as usual until sales collapsed, and what was still sold from then until the fence.
func LossBetween(old, target, sales Reading, until time.Time) Loss {
	if old.Position == nil || target.Position == nil {
		return Loss{Basis: "one of the two copies has never been read"}
	}
	loss := Loss{Known: true, At: old.At, Estimate: old.Stale() || target.Stale(), Basis: "both copies were read"}
	acknowledged, last := old.Position.Newest, old.Position.NewestAt
	if old.Stale() { // the target may have heard of newer records than were seen at the old side
		acknowledged = max(acknowledged, target.Position.Newest+target.Position.LagRecords)
	}
	loss.Records = max(0, acknowledged-target.Position.Newest)
	loss.AtMost = loss.Records
	if target.At.Before(old.At) {
		loss.At = target.At
	}
	if loss.Estimate {
		loss.Basis = "the old copy does not answer; it was last read at " + old.At.UTC().Format("15:04:05") + " UTC"
	}
	if old.Stale() {
		more, newest, known := soldSince(old.At, until, sales)
		if !known {
			return Loss{Basis: loss.Basis + ", and what was sold since is not known"}
		}
		if loss.AtMost += more; more > 0 {
			last = later(last, newest)
		}
	}
	if loss.AtMost > 0 {
		loss.Span = max(last.Sub(target.Position.NewestAt), time.Millisecond)
	}
	return loss
}

// soldSince bounds how many orders customers got between two moments, and when the last of them, by the volume of sales.
func soldSince(since, until time.Time, sales Reading) (orders int64, last time.Time, known bool) {
	if !until.After(since) {
		return 0, since, true
	}
	if !sales.Seen() || sales.Usual == 0 {
		return 0, since, false
	}
	end := until
	if sales.Bad && sales.BadSince != nil && sales.BadSince.Before(until) {
		end = later(since, *sales.BadSince)
	}
	sold := sales.Usual * end.Sub(since).Seconds()
	last = end
	if sales.Bad && sales.Value > 0 && until.After(end) {
		sold += sales.Value * until.Sub(end).Seconds()
		last = until
	}
	return int64(math.Ceil(sold)), last, true
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
