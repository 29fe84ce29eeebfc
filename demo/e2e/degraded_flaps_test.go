package e2e_test

import (
	"strings"
	"testing"
	"time"

	"keyholder/internal/degrade"
	"keyholder/internal/failover"
)

// flapHold is for how long loyalty must be bad before its rule is switched on by itself, and good before it is switched off.
const flapHold = 8 * time.Second

// flaps breaks and mends loyalty again and again, as fast as the portal sees it, and says when it last began to mend it.
func (w *world) flaps(lasting time.Duration) (mended time.Time) {
	w.t.Helper()
	seen := func(bad bool) func() bool {
		return func() bool {
			readings, err := w.store.Readings(w.t.Context())
			return err == nil && readings[failover.SignalKey("loyalty-health")].Bad == bad
		}
	}
	times, began := 0, time.Now()
	for ; time.Since(began) < lasting; times++ {
		w.breakPart("loyalty-stop")
		w.until("it is seen to be down", flapHold/2, seen(true))
		mended = time.Now()
		w.breakPart("loyalty-start")
		w.until("it is seen to be back", flapHold/2, seen(false))
	}
	if least := int(2 * lasting / flapHold); times < least {
		w.t.Fatalf("in %s loyalty was broken and mended %d times: that does not flap", lasting, times)
	}
	return mended
}

// TestTheDependencyFlapsNoFlappingOfTheMode: what is broken and mended faster than its rule's hold times switches nothing, neither on nor
// off, and what has just ended does not begin again by itself.
func TestTheDependencyFlapsNoFlappingOfTheMode(t *testing.T) {
	w := newWorld(t)
	w.ruleOfTwo("points-later", "go_ahead", "by-itself", "bad_for", flapHold.String(), "healthy_for", flapHold.String())
	ines := w.signIn("ines")
	w.flaps(3 * flapHold / 2)
	if times := w.switched()["loyalty-deferred"]; times != 0 {
		t.Fatalf("it was never down for %s, and switched %d times", flapHold, times)
	}

	broke := time.Now()
	w.breakPart("loyalty-stop")
	w.until("it is switched on by itself", flapHold+20*time.Second, func() bool { return w.flag("loyalty-deferred") })
	on := w.flagIs("loyalty-deferred")
	if after := on.ChangedAt.Sub(broke); after < flapHold {
		t.Errorf("it was switched on %s after loyalty broke", after)
	}
	code := on.ChangedBy
	w.mode(code, degrade.On)
	mended := w.flaps(3 * flapHold / 2)
	if m := w.mode(code, degrade.On); m.Ending != nil || w.switched()["loyalty-deferred"] != 1 {
		t.Errorf("while loyalty flapped it was switched %v: %+v", w.switched(), m)
	}

	m := w.mode(code, degrade.Over)
	off := w.flagIs("loyalty-deferred")
	if after := off.ChangedAt.Sub(mended); off.On || off.ChangedBy != code || after < flapHold {
		t.Errorf("it was switched off %s after loyalty was mended: %+v", after, off)
	}
	if said := text(ines.get("/degraded/" + code).Find("[data-field=ending]")); !strings.Contains(said, "what was unavailable has been healthy for 8 s") {
		t.Errorf("its page says %q", said)
	}

	w.flaps(flapHold)
	w.breakPart("loyalty-stop")
	down := time.Now()
	w.until("loyalty is down for longer than its rule wants", flapHold+20*time.Second, func() bool {
		readings, err := w.store.Readings(t.Context())
		r := readings[failover.SignalKey("loyalty-health")]
		return err == nil && r.Bad && r.At.Sub(down) > flapHold+3*time.Second
	})
	if time.Since(*m.Off) > degrade.RestsFor(m.Terms.Rule) {
		t.Fatal("this took so long that it may begin again")
	}
	all, err := w.store.Modes(t.Context(), "points-later", "", 10)
	if err != nil || len(all) != 1 || w.switched()["loyalty-deferred"] != 2 {
		t.Errorf("it began again by itself: %d modes, switched %v, %v", len(all), w.switched(), err)
	}
}
