package store_test

import (
	"slices"
	"testing"
	"time"

	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
)

// woken says whether the process of somebody is to be started or woken, and does so.
func (w guarded) woken(t *testing.T) bool {
	t.Helper()
	starts, err := w.Starts(w.ctx)
	w.must(t, err)
	for _, one := range starts {
		w.must(t, w.Started(w.ctx, one.ID))
	}
	return slices.ContainsFunc(starts, func(one store.Start) bool { return one.Code == store.HolderCode("db", w.rosa.ID) })
}

func (w guarded) overdue(t *testing.T) bool {
	t.Helper()
	w.must(t, w.Overdue(w.ctx))
	return w.woken(t)
}

func TestAProcessThatTemporalLostIsWokenWhateverItWasToDo(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		code := w.given(t)
		w.woken(t)
		w.clock.add(time.Minute)
		if w.overdue(t) {
			t.Error("woken, though all is as it should be")
		}
		_, err := w.Freeze(w.ctx, w.sven, store.LockFile{ID: store.NewID(), Kind: breakglass.LockPerson, Subject: w.rosa.ID, Why: "Is it she?"})
		w.must(t, err)
		w.woken(t)
		if w.overdue(t) {
			t.Error("woken before it could have been taken")
		}
		w.clock.add(10 * time.Second)
		if !w.overdue(t) {
			t.Error("it is frozen and not taken, and nobody wakes the process")
		}
		w.settles(t, w.rosa)
		w.clock.add(10 * time.Second)
		if w.overdue(t) {
			t.Error("woken, though it is frozen and taken")
		}
		w.clock.add(time.Hour)
		if !w.overdue(t) {
			t.Error("it is over and not seen to be gone, and nobody wakes the process")
		}
		if w.settles(t, w.rosa); w.overdue(t) || w.access(t, code).Grant.Confirmed == nil {
			t.Error("it is gone, and the process is woken")
		}
	})
}

func TestWhatIsFrozenAndStillThereIsKnownToBe(t *testing.T) {
	eachGuarded(t, func(t *testing.T, w guarded) {
		code := w.given(t)
		gone := func() time.Time {
			t.Helper()
			g := *w.access(t, code).Grant
			account, err := w.AccountOf(w.ctx, "db", w.rosa.ID)
			w.must(t, err)
			locks, err := w.Locks(w.ctx)
			w.must(t, err)
			now, err := w.AccessNow(w.ctx)
			w.must(t, err)
			return g.GoneSince([]breakglass.Grant{g}, locks, account, now)
		}
		if at := gone(); !at.IsZero() {
			t.Errorf("it lasts, and should have been gone since %s", at)
		}
		w.clock.add(time.Minute)
		lock, err := w.Freeze(w.ctx, w.sven, store.LockFile{ID: store.NewID(), Kind: breakglass.LockRole, Subject: "db/reader", Why: "What is it?"})
		w.must(t, err)
		w.clock.add(time.Minute)
		if at := gone(); !at.Equal(lock.At) {
			t.Errorf("frozen at %s, it should have been gone since %s", lock.At, at)
		}
		a, err := w.BeginSettle(w.ctx, "db", w.rosa.ID, func(catalog.System, breakglass.Holder) (string, error) { return "kh_rosa", nil })
		w.must(t, err)
		w.must(t, w.SettleFailed(w.ctx, a, breakglass.Failure{Why: "It is down.", Clean: true}, nil))
		if at := gone(); !at.Equal(lock.At) {
			t.Errorf("after an attempt that failed, it should have been gone since %s", at)
		}
		w.settles(t, w.rosa)
		if at := gone(); !at.IsZero() {
			t.Errorf("it is taken, and should have been gone since %s", at)
		}
		w.must(t, w.Release(w.ctx, w.sven, lock.ID, "Nothing"))
		w.settles(t, w.rosa)
		w.clock.add(time.Hour)
		if g := w.access(t, code).Grant; !gone().Equal(g.Until) {
			t.Errorf("it ended at %s, and should have been gone since %s", g.Until, gone())
		}
	})
}
