package e2e_test

import (
	"testing"
	"time"

	"keyholder/internal/degrade"
)

// TestWhatIsWorkedOffWhileThePortalIsDownIsNotWaitedForForever: the shop goes on by itself with what it was told to work off, and the
// portal finds it done when it is back.
func TestWhatIsWorkedOffWhileThePortalIsDownIsNotWaitedForForever(t *testing.T) {
	w := newWorld(t)
	w.ruleOfTwo("points-later", "reconcile", "Compare the points with the orders of members.")
	ines := w.signIn("ines")
	code := w.switchOn(ines, "points-later")
	w.mode(code, degrade.On)
	w.until("points wait", 60*time.Second, func() bool { return w.queue("points").Queued > 60 })
	ines.submit(ines.get("/degraded/"+code), "End: Sell without loyalty points", nil)
	w.until("they are being worked off", 30*time.Second, func() bool { return w.queue("points").Draining })
	w.kill("portal")
	if q := w.queue("points"); !q.Draining {
		t.Fatalf("the portal was killed too late: %+v", q)
	}
	w.until("they are worked off", 60*time.Second, func() bool { q := w.queue("points"); return q.Queued == 0 && !q.Draining })
	w.start("portal")
	w.until("the portal is back", 60*time.Second, w.ready)
	found := w.until("it is found to be worked off", 60*time.Second, func() bool {
		m, err := w.store.Mode(t.Context(), code)
		return err == nil && m.Phase == degrade.Over
	})
	t.Logf("found %s after the portal was back", found)
	if delivered, owed := w.queue("points").Delivered, len(under(w.sold(), "loyalty-deferred")); delivered != int64(owed) {
		t.Errorf("%d of %d were credited", delivered, owed)
	}
	if times := w.switched()["loyalty-deferred"]; times != 2 {
		t.Errorf("it was switched %d times", times)
	}
}
