package site_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyholder/demo/shop/control"
)

// shiftClock makes the order look as if it had been accepted by a clock that was wrong by d.
func (r *rig) shiftClock(slug, key string, d time.Duration) {
	r.t.Helper()
	db, err := control.OpenFile(r.t.Context(), filepath.Join(r.dir, slug+".db"), "")
	if err != nil {
		r.t.Fatal(err)
	}
	err = control.InTx(r.t.Context(), db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(r.t.Context(), `UPDATE orders SET accepted_ns = accepted_ns + ? WHERE key = ?`, d.Nanoseconds(), key)
		return err
	})
	if err != nil {
		r.t.Error(err)
	}
	if err := db.Close(); err != nil {
		r.t.Error(err)
	}
}

func TestClockSetBackLeavesNoHoleInTheCopy(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.frozen[dublin].Store(true)
	r.mustBuy(leeds, keys("k", 4)...)
	r.shiftClock(leeds, "k-1", time.Hour)
	r.shiftClock(leeds, "k-3", -time.Hour)
	r.lag.Store(int64(700 * time.Millisecond))
	r.frozen[dublin].Store(false)
	r.until("dublin has all four", func() bool { return r.status(dublin).HeadSeq == 4 })
	if diff := cmp.Diff(keys("k", 4), orderKeys(r.orders(dublin, "/orders"))); diff != "" {
		t.Error(diff)
	}
}

func TestFrozenReplicationTakesNothingWhateverTheClockSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.frozen[dublin].Store(true)
	r.until("dublin is frozen", func() bool { return r.status(dublin).ReplicationFrozen })
	r.mustBuy(leeds, keys("k", 2)...)
	r.shiftClock(leeds, "k-1", time.Hour)
	r.until("dublin hears of both", func() bool { return r.status(dublin).LagOrders == 2 })
	if got := r.orders(dublin, "/orders"); len(got) != 0 {
		t.Errorf("dublin took %d orders", len(got))
	}
}
