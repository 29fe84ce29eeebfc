package failover

import (
	"testing"
	"time"
)

func TestALossThatIsNotKnownKeepsOnlyToAnUnknownCeiling(t *testing.T) {
	at := func(n int64, stale bool) Reading {
		r := Reading{At: night, Position: &Position{Newest: n, NewestAt: night.Add(time.Duration(n) * time.Second)}}
		if stale {
			r.FailingAt = &night
		}
		return r
	}
	for name, c := range map[string]struct {
		ceiling Ceiling
		loss    Loss
		want    bool
	}{
		"unknown, none accepted":  {Ceiling{CeilingOrders, 100}, LossBetween(Reading{}, at(1, false), collapsed(0), night), false},
		"unknown, any accepted":   {Ceiling{CeilingUnknown, 0}, LossBetween(Reading{}, at(1, false), collapsed(0), night), true},
		"within orders":           {Ceiling{CeilingOrders, 5}, LossBetween(at(15, true), at(10, false), collapsed(0), night), true},
		"one order too many":      {Ceiling{CeilingOrders, 4}, LossBetween(at(15, true), at(10, false), collapsed(0), night), false},
		"within seconds":          {Ceiling{CeilingSeconds, 5}, LossBetween(at(15, true), at(10, false), collapsed(0), night), true},
		"too many seconds":        {Ceiling{CeilingSeconds, 4}, LossBetween(at(15, true), at(10, false), collapsed(0), night), false},
		"target ahead loses none": {Ceiling{CeilingOrders, 0}, LossBetween(at(10, false), at(15, false), collapsed(0), night), true},
		"nonsense accepts none":   {Ceiling{"bananas", 9}, LossBetween(at(15, true), at(10, false), collapsed(0), night), false},
	} {
		if got := c.ceiling.Within(c.loss); got != c.want {
			t.Errorf("%s: %v for %s", name, got, c.loss)
		}
	}
}

func TestTheTargetMayHaveHeardOfNewerRecordsThanWereSeenAtTheOldSide(t *testing.T) {
	old := Reading{At: night, FailingAt: &night, Position: &Position{Newest: 477, NewestAt: night}}
	target := Reading{At: night, Position: &Position{Newest: 483, NewestAt: night, LagRecords: 2}}
	if loss := LossBetween(old, target, collapsed(0), night); loss.Records != 2 || !loss.Estimate {
		t.Errorf("got %s, want an estimate of 2 orders", loss)
	}
	old.FailingAt = nil
	if loss := LossBetween(old, target, collapsed(0), night); loss.Records != 0 {
		t.Errorf("got %s from an old side that was read now", loss)
	}
}

// collapsed is how sales went: ten orders a second as usual, until they collapsed some time after the night began.
func collapsed(after time.Duration) Reading {
	since := night.Add(after)
	return Reading{At: since, Usual: 10, Bad: true, BadSince: &since}
}

func TestWhatTheUnreadableSideMayHaveSoldCountsAsLost(t *testing.T) {
	old := Reading{At: night, FailingAt: &night, Position: &Position{Newest: 1000, NewestAt: night}}
	target := Reading{At: night, Position: &Position{Newest: 1000, NewestAt: night}}
	good := Reading{At: night, Usual: 10, Value: 10}
	trickle := collapsed(2 * time.Second)
	trickle.Value = 1
	for name, c := range map[string]struct {
		sales  Reading
		want   int64
		span   time.Duration
		known  bool
		within bool // of 50 orders
	}{
		"sales collapsed at once":            {collapsed(0), 0, 0, true, true},
		"sales collapsed two seconds later":  {collapsed(2 * time.Second), 20, 2 * time.Second, true, true},
		"the old side sold on, cut off":      {good, 3000, 5 * time.Minute, true, false},
		"a few were sold after the collapse": {trickle, 318, 5 * time.Minute, true, false},
		"how sales went is not known":        {Reading{}, 0, 0, false, false},
	} {
		loss := LossBetween(old, target, c.sales, night.Add(5*time.Minute))
		if loss.AtMost != c.want || loss.Span != c.span || loss.Known != c.known || loss.Records != 0 {
			t.Errorf("%s: %s (%+v)", name, loss, loss)
		}
		if got := (Ceiling{CeilingOrders, 50}).Within(loss); got != c.within {
			t.Errorf("%s: within 50 orders: %v", name, got)
		}
	}
}

func TestMissingOrdersNeverFitIntoNoTimeAtAll(t *testing.T) {
	old := Reading{At: night, FailingAt: &night, Position: &Position{Newest: 1000, NewestAt: night.Add(-time.Minute)}}
	target := Reading{At: night, Position: &Position{Newest: 1000, NewestAt: night, LagRecords: 50}}
	if loss := LossBetween(old, target, collapsed(0), night); (Ceiling{CeilingSeconds, 0}).Within(loss) {
		t.Errorf("no loss was accepted, but %s is within it", loss)
	}
}
