package e2e_test

import (
	"strings"
	"testing"
	"time"

	"keyholder/demo/shop/loyalty"
	"keyholder/demo/shop/tax"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
)

const (
	killRounds = 4
	killLimit  = 6 * time.Second
)

// killMoment is how long after something a round kills the portal.
func killMoment(round int) time.Duration { return time.Duration(round) * 60 * time.Millisecond }

// again kills the portal and starts it after a while.
func (w *world) again(down time.Duration) {
	w.t.Helper()
	w.kill("portal")
	time.Sleep(down)
	w.start("portal")
	w.until("the portal is back", 20*time.Second, w.ready)
}

// TestKilledAtTwentyMomentsAModeEndsAsItsRuleSays: while it is switched on, extended, at its limit, switched off and drained. Each switch
// is made once, and each queued item delivered once.
func TestKilledAtTwentyMomentsAModeEndsAsItsRuleSays(t *testing.T) {
	if testing.Short() {
		t.Skip("it kills the portal twenty times")
	}
	w := newWorld(t)
	w.ruleOfTwo("points-later", "reconcile", "Compare the points with the orders of members.")
	ines, bea := w.signIn("ines"), w.signIn("bea")
	for n := range killRounds {
		w.killedUntilItIsEnded(ines, bea, n)
	}
	w.ruleOfTwo("points-later", "limit_time", killLimit.String())
	w.ruleOfTwo("tax-by-table", "limit_time", killLimit.String())
	for n := range killRounds {
		w.killedAtItsLimit(ines, bea, n)
	}

	times := w.switched()
	for flag, want := range map[string]int{"loyalty-deferred": 4 * killRounds, "standard-tax": 2 * killRounds, "selling-stopped": 2 * killRounds} {
		if times[flag] != want || w.flag(flag) {
			t.Errorf("%s was switched %d times, want %d, and is on: %t", flag, times[flag], want, w.flag(flag))
		}
	}
	w.quiet()
	var points loyalty.Status
	w.shop("GET", "loyalty", "/status", nil, &points)
	var recalculated tax.Status
	w.shop("GET", "tax", "/status", nil, &recalculated)
	if points.Repeats != 0 || recalculated.Repeats != 0 {
		t.Errorf("points came twice %d times, and taxes %d times", points.Repeats, recalculated.Repeats)
	}
	for queue, flag := range map[string]string{"points": "loyalty-deferred", "tax-recalculations": "standard-tax"} {
		if q, owed := w.queue(queue), len(under(w.sold(), flag)); q.Queued != 0 || q.Delivered != int64(owed) || owed == 0 {
			t.Errorf("%d orders ran under %s, and of %s %+v", owed, flag, queue, q)
		}
	}
}

// killedUntilItIsEnded is a mode that people end, killed at a moment of switching on, extending, switching off and draining.
func (w *world) killedUntilItIsEnded(ines, bea *person, n int) {
	w.t.Helper()
	again := func() {
		time.Sleep(killMoment(n))
		w.again(0)
	}
	code := w.switchOn(ines, "points-later")
	again() // while it is switched on
	w.mode(code, degrade.On)
	ines.submit(ines.get("/degraded/"+code), "Ask for wider limits", map[string]string{"limit_time": "6h", "reason": "Not back soon"})
	again() // while wider limits wait
	bea.submit(bea.get("/degraded/"+code), "Widen the limits", nil)
	w.until("something is queued", 20*time.Second, func() bool {
		m, err := w.store.Mode(w.t.Context(), code)
		return err == nil && m.Exposure != nil && m.Exposure.Queued > 3
	})
	ines.submit(ines.get("/degraded/"+code), "End: Sell without loyalty points", nil)
	again() // while it is switched off
	again() // while it is drained
	m := w.mode(code, degrade.Over)
	if w.flag("loyalty-deferred") || m.Limits.Time.D() != 6*time.Hour || m.Ending == nil {
		w.t.Errorf("round %d: %+v", n, m)
	}
}

// killedAtItsLimit has two modes reach one limit: one whose rule leads back to normal, for what it does without is healthy, and one whose
// rule stops selling. The portal is killed before the limit, so that it passes meanwhile, or right after it was seen to be reached.
func (w *world) killedAtItsLimit(ines, bea *person, n int) {
	w.t.Helper()
	by := w.askedAndApproved(ines, bea, "/degraded/new?rule=tax-by-table", "Tax by the table of standard rates", "To see its limit")
	points := w.switchOn(ines, "points-later")
	codes, late := []string{points, by}, time.Duration(0)
	begun := *w.mode(by, degrade.On).Effect
	if n == 0 {
		late = 2 * time.Second
		ends := w.mode(points, degrade.On).Effect.Add(killLimit)
		time.Sleep(time.Until(begun.Add(killLimit - 300*time.Millisecond)))
		w.again(time.Until(ends.Add(late)))
	} else {
		w.until("a limit is reached", killLimit+20*time.Second, func() bool {
			m, err := w.store.Mode(w.t.Context(), by)
			return err == nil && m.Reached != nil
		})
		time.Sleep(killMoment(n - 1))
		w.again(0)
	}
	for _, code := range codes {
		w.endedByItsLimit(ines, w.mode(code, degrade.Over), late)
	}
	stop, table := w.flagIs("selling-stopped"), w.flagIs("standard-tax")
	if !stop.On || stop.ChangedBy != by || table.ChangedAt.Before(*stop.ChangedAt) || w.flag("loyalty-deferred") {
		w.t.Errorf("round %d: selling was stopped so: %+v, and the table taken away so: %+v", n, stop, table)
	}
	if m := w.mode(points, degrade.Over); m.Stopped != nil {
		w.t.Errorf("round %d: selling was stopped for what leads back to normal: %+v", n, m)
	}
	if said := text(ines.get("/degraded/" + by).Find("[data-field=alert]")); !strings.Contains(said, "Selling was stopped at") {
		w.t.Errorf("round %d: its page warns of %q", n, said)
	}
	ines.submit(ines.get("/degraded/"+by), "Start selling again", nil)
	w.until("it is sold again", 20*time.Second, func() bool { return !w.flag("selling-stopped") })
}

// endedByItsLimit looks whether its page and the record say that its limit ended it, and by how much that was exceeded, which is by
// something at least.
func (w *world) endedByItsLimit(p *person, m degrade.Mode, late time.Duration) {
	w.t.Helper()
	if m.Reached == nil {
		w.t.Fatalf("%s ended so: %+v", m.Code, m.Ending)
	}
	over := m.Reached.At.Sub(m.Effect.Add(killLimit))
	want := "its limit was reached: 6 s, " + catalog.Lasting(over) + " longer than that"
	if said := text(p.get("/degraded/" + m.Code).Find("[data-field=ending]")); over < late || !strings.Contains(said, want) {
		w.t.Errorf("%s passed its limit by %s, at least by %s, and its page says %q", m.Code, over, late, said)
	}
	record := p.get("/audit?object=" + m.Code).Find("main").Text()
	if times := strings.Count(record, "its limit is reached: "); times != 1 {
		w.t.Errorf("%s reached its limit %d times by the record", m.Code, times)
	}
}
