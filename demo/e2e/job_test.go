package e2e_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"keyholder/internal/audit"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// request files a move; approve has the other person vote for it.
func (w *world) request(ines *person, start page, typed map[string]string) string {
	w.t.Helper()
	check := ines.submit(start, "Check what this would do", typed)
	filed := ines.submit(check, "Request approval", nil)
	code := strings.TrimPrefix(filed.url.Path, "/a/")
	if !strings.HasPrefix(code, "FO-") {
		w.t.Fatalf("not filed: %s: %s", filed.url, text(filed.Find("main")))
	}
	return code
}

func (w *world) approve(bea *person, code string) {
	w.t.Helper()
	w.until("the approval of "+code, 20*time.Second, func() bool {
		voted := bea.submit(bea.get("/a/"+code), "Approve", nil)
		return voted.url.Path == "/runs/"+code // the facts may just have changed: they are shown again then
	})
}

func (w *world) waitState(code string, within time.Duration, states ...failover.State) failover.Run {
	w.t.Helper()
	var run failover.Run
	w.until(code+" is none of the wanted states", within, func() bool {
		var err error
		run, err = w.store.Run(w.t.Context(), code)
		return err == nil && slices.Contains(states, run.State)
	})
	return run
}

// emergency files and approves an emergency move away from a site that was crashed.
func (w *world) emergency(ines, bea *person, from string, typed map[string]string) string {
	w.t.Helper()
	w.breakIt("crash", from)
	return w.emergencyNow(ines, bea, typed)
}

func (w *world) emergencyNow(ines, bea *person, typed map[string]string) string {
	w.t.Helper()
	w.until("the outage is on Now", 20*time.Second, func() bool {
		return strings.Contains(text(ines.get("/").Find("main")), "It costs")
	})
	now := ines.get("/")
	incident, ok := now.Find("a[href^='/incidents/IN-']").Attr("href")
	if !ok {
		form, found := now.Find("a[href^='/incidents/new']").Attr("href")
		if !found {
			w.t.Fatalf("Now offers no incident: %s", text(now.Find("main")))
		}
		opened := ines.submit(ines.get(form), "Open the incident", map[string]string{"cause": "site"})
		incident = opened.url.Path
	}
	fill := map[string]string{"cause": "site", "reason": "It is dark", "mode": "emergency", "ceiling": "unknown"}
	for name, value := range typed {
		fill[name] = value
	}
	code := w.request(ines, ines.get(incident+"/recover"), fill)
	w.approve(bea, code)
	return code
}

// settle heals the shop, waives the books by two people, and waits until the run is closed.
func (w *world) settle(ines, bea *person, code string) failover.Run {
	w.t.Helper()
	w.breakIt("heal-all", "")
	proposed := ines.submit(ines.get("/runs/"+code), "Propose: Waive: Books", map[string]string{"note": "No reconciliation yet"})
	if proposed.status != 200 {
		w.t.Fatalf("propose: %d: %s", proposed.status, text(proposed.Find("main")))
	}
	pending := w.run(code).Exceptions
	x := pending[len(pending)-1]
	confirmed := bea.submit(bea.get("/runs/"+code), "Confirm as second person", map[string]string{"code": x.Code()})
	if confirmed.status != 200 {
		w.t.Fatalf("confirm: %d: %s", confirmed.status, text(confirmed.Find("main")))
	}
	run := w.waitState(code, 2*time.Minute, failover.Closed)
	w.until("the watch sees that both copies answer", 10*time.Second, w.bothAnswer) // before it does, no planned move is taken
	return run
}

func (w *world) bothAnswer() bool {
	readings, err := w.store.Readings(w.t.Context())
	leeds, dublin := readings[failover.PositionKey("orders", "leeds")], readings[failover.PositionKey("orders", "dublin")]
	return err == nil && leeds.Position != nil && !leeds.Stale() && dublin.Position != nil && !dublin.Stale()
}

// interval is one time in which a site had the right to write.
type interval struct {
	Site        string
	From, Until time.Time
}

// neverTwoWriters reads every lease that was ever granted.
func (w *world) neverTwoWriters() {
	w.t.Helper()
	var history struct{ Intervals []interval }
	w.shop("GET", "lease", "/history", nil, &history)
	all := history.Intervals
	if len(all) == 0 {
		w.t.Error("no lease was ever granted")
	}
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.Site != b.Site && a.From.Before(b.Until) && b.From.Before(a.Until) {
				w.t.Errorf("%s and %s could both write: %v, %v", a.Site, b.Site, a, b)
			}
		}
	}
}

type effects struct {
	Promotions    int `json:"promotions"`
	WeightChanges int `json:"weight_changes"`
	DNSChanges    int `json:"dns_changes"`
}

func (w *world) effects() (e effects) {
	w.t.Helper()
	w.shop("GET", "lease", "/effects", nil, &e)
	w.shop("GET", "traffic-admin", "/effects", nil, &e)
	w.shop("GET", "panel", "/effects/dns", nil, &e)
	return e
}

// order is one purchase as a site keeps it.
type order struct {
	ID string `json:"order_id"`
}

func (w *world) orders(site, path string) map[string]bool {
	w.t.Helper()
	var list struct{ Orders []order }
	w.shop("GET", site, path, nil, &list)
	all := map[string]bool{}
	for _, o := range list.Orders {
		all[o.ID] = true
	}
	return all
}

// everyOrderIsKept compares what was promised to customers with what is kept, order by order: each is in the log of the
// site that writes now, or was set aside, on its disk, by the site that accepted it and lost the right to write.
func (w *world) everyOrderIsKept(writer string) {
	w.t.Helper()
	promised := w.promised() // first, so that what is sold meanwhile is not missed
	kept := w.orders(writer, "/orders")
	aside := map[string]bool{}
	for _, site := range []string{"leeds", "dublin"} {
		here := w.orders(site, "/set-aside")
		w.t.Logf("%d set aside at %s", len(here), site)
		maps.Copy(aside, here)
	}
	for _, id := range promised {
		if !kept[id] && !aside[id] {
			w.t.Errorf("order %s was promised to a customer and is nowhere", id)
		}
	}
	if len(promised) < 20 {
		w.t.Errorf("only %d orders were promised: the test does not test it", len(promised))
	}
	w.t.Logf("%d orders promised, %d kept at %s, %d set aside", len(promised), len(kept), writer, len(aside))
}

// promised lists every order that a site acknowledged to a customer.
func (w *world) promised() []string {
	w.t.Helper()
	var all []string
	next := int64(0)
	for more := true; more; {
		var answer struct {
			Orders []order
			Next   int64
			More   bool
		}
		w.shop("GET", "panel", fmt.Sprintf("/acknowledged?after=%d", next), nil, &answer)
		for _, o := range answer.Orders {
			all = append(all, o.ID)
		}
		next, more = answer.Next, answer.More
	}
	return all
}

// timelineHasNoHoles: every intent of a step has exactly one outcome.
func (w *world) timelineHasNoHoles(code string) {
	w.t.Helper()
	lines, err := w.store.Record(w.t.Context(), store.Filter{Object: code, Action: "run.step", Limit: 2000})
	if err != nil {
		w.t.Fatal(err)
	}
	intents, outcomes := map[string]int{}, map[string]int{}
	for _, l := range lines {
		if l.Outcome == audit.Intent {
			intents[l.Act]++
		} else {
			outcomes[l.Act]++
		}
	}
	for act, n := range intents {
		if n != 1 || outcomes[act] != 1 {
			w.t.Errorf("%s: %d intents, %d outcomes", act, n, outcomes[act])
		}
	}
}

func TestAnApprovedFailoverThereAndBack(t *testing.T) {
	w := newWorld(t)
	ines, bea := w.signIn("ines"), w.signIn("bea")
	before := w.effects()
	code := w.emergency(ines, bea, "leeds", nil)
	run := w.waitState(code, 60*time.Second, failover.Recovered)
	if run.Times.FirstWrite == nil {
		t.Error("the point of no return was not seen")
	}
	if own := ines.get("/a/" + code); own.Find("button[value=approve]").Length() != 0 {
		t.Error("the requester is offered a vote")
	}
	run = w.settle(ines, bea, code)
	if run.Loss == nil || run.Loss.Estimate {
		t.Errorf("the loss is still an estimate: %+v", run.Loss)
	}
	var state struct {
		Sites map[string]struct {
			Status struct {
				SetAside int64 `json:"set_aside"`
			}
		}
	}
	w.shop("GET", "panel", "/state", nil, &state)
	if run.Loss != nil && run.Loss.Records != state.Sites["leeds"].Status.SetAside {
		t.Errorf("the run says that %d orders were lost, Leeds set %d aside", run.Loss.Records, state.Sites["leeds"].Status.SetAside)
	}

	back := w.request(ines, ines.get("/plans/move-checkout/move"), map[string]string{"cause": "unknown", "reason": "Back to Leeds"})
	w.approve(bea, back)
	run = w.waitState(back, 60*time.Second, failover.Recovered)
	if run.Loss == nil || run.Loss.Records != 0 || run.Terms.From != "dublin" {
		t.Errorf("the planned move from %s lost %+v", run.Terms.From, run.Loss)
	}
	w.settle(ines, bea, back)
	after := w.effects()
	if want := (effects{before.Promotions + 2, before.WeightChanges + 2, before.DNSChanges + 2}); after != want {
		t.Errorf("effects %+v, want %+v", after, want)
	}
	w.neverTwoWriters()
	w.everyOrderIsKept("leeds")
	w.timelineHasNoHoles(code)
	w.timelineHasNoHoles(back)
	w.keepHistory("emergency", code)
	w.keepHistory("planned", back)
}

func TestTheLeaseServiceIsAwaySoNothingIsPromoted(t *testing.T) {
	w := newWorld(t)
	ines, bea := w.signIn("ines"), w.signIn("bea")
	before := w.effects()
	w.breakIt("crash", "leeds")
	w.breakIt("lease-stop", "")
	code := w.emergencyNow(ines, bea, nil)
	run := w.waitState(code, 60*time.Second, failover.Paused)
	if run.Wait != failover.WaitFence || run.Times.Promoted != nil {
		t.Errorf("it waits for %q, promoted %v", run.Wait, run.Times.Promoted)
	}
	w.breakIt("lease-start", "")
	if after := w.effects(); after.Promotions != before.Promotions {
		t.Errorf("%d promotions", after.Promotions-before.Promotions)
	}
	ines.submit(ines.get("/runs/"+code), "Retry", nil)
	w.waitState(code, 60*time.Second, failover.Recovered)
	w.neverTwoWriters()
}

func TestALossBeyondTheCeilingAsksAgain(t *testing.T) {
	w := newWorld(t)
	ines, bea := w.signIn("ines"), w.signIn("bea")
	w.breakIt("freeze", "dublin")
	w.until("Dublin is behind", 20*time.Second, func() bool {
		readings, err := w.store.Readings(t.Context())
		p := readings[failover.PositionKey("orders", "dublin")].Position
		return err == nil && p != nil && p.LagRecords > 20
	})
	code := w.emergency(ines, bea, "leeds", map[string]string{"ceiling": "orders", "most": "1"})
	run := w.waitState(code, 60*time.Second, failover.Paused)
	if run.Wait != failover.WaitLoss || run.Times.Promoted != nil {
		t.Fatalf("it waits for %q: %s", run.Wait, run.Why)
	}
	ines.submit(ines.get("/runs/"+code), "Propose:", map[string]string{"note": "Every minute costs more"})
	x := w.run(code).Exceptions[0]
	confirmed := bea.submit(bea.get("/runs/"+code), "Confirm as second person", map[string]string{"code": x.Code()})
	if confirmed.status != 200 {
		w.t.Fatalf("confirm: %d: %s", confirmed.status, text(confirmed.Find("main")))
	}
	w.waitState(code, 60*time.Second, failover.Recovered)
	w.neverTwoWriters()
}

func TestTheTargetDiesDuringTheRun(t *testing.T) {
	w := newWorld(t)
	ines, bea := w.signIn("ines"), w.signIn("bea")
	w.hold("traffic", "PUT /weights", "before")
	code := w.emergency(ines, bea, "leeds", nil)
	w.until("the traffic step is held", 30*time.Second, func() bool { return w.reached("traffic") })
	w.breakIt("crash", "dublin")
	w.release("traffic")
	run := w.waitState(code, 150*time.Second, failover.Paused)
	if run.Why == "" || len(run.Steerable()) == 0 {
		t.Errorf("paused because %q, with the choices %v", run.Why, run.Steerable())
	}
	if seen := text(ines.get("/runs/" + code).Find("main")); !strings.Contains(seen, "Verify again") {
		t.Errorf("the page offers no choice: %s", seen)
	}
}
