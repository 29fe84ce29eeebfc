package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"keyholder/internal/degrade"
)

// breakPart breaks or mends what checkout leans on.
func (w *world) breakPart(what string) {
	w.t.Helper()
	w.shop(http.MethodPost, "panel", "/break", map[string]string{"what": what}, nil)
}

// selling says how purchases go: the share that succeeded lately.
func (w *world) selling() float64 {
	var sales struct {
		Success *float64 `json:"success_ratio"`
	}
	if err := w.tryShop(http.MethodGet, "panel", "/sales?window=2s", nil, &sales); err != nil || sales.Success == nil {
		return -1
	}
	return *sales.Success
}

func (w *world) flag(name string) (on bool) {
	w.t.Helper()
	var flag struct {
		On bool `json:"on"`
	}
	w.shop(http.MethodGet, "flags", "/flags/"+name, nil, &flag)
	return flag.On
}

// mode waits until a degraded mode is in some phase.
func (w *world) mode(code string, want degrade.Phase) degrade.Mode {
	w.t.Helper()
	var m degrade.Mode
	w.until(code+" is "+string(want), 60*time.Second, func() bool {
		var err error
		if m, err = w.store.Mode(w.t.Context(), code); err != nil {
			w.t.Fatal(err)
		}
		return m.Phase == want
	})
	return m
}

// ruleOfTwo has a rule changed, each field to the value after it, and approved by two business owners, so that it counts as approved in
// advance.
func (w *world) ruleOfTwo(slug string, fields ...string) {
	w.t.Helper()
	typed := map[string]string{"why": "We agreed on it"}
	for i := 0; i < len(fields); i += 2 {
		typed[fields[i]] = fields[i+1]
	}
	hugo := w.signIn("hugo")
	page := hugo.get("/catalog/degraded-mode-rule/" + slug + "/edit")
	after := hugo.submit(page, "Save", typed)
	proposed := hugo.submit(after, "Propose it", map[string]string{"why": "We agreed on it"})
	w.approveChange(codeIn(w.t, proposed.url.Path), w.signIn("bea"))
}

// TestLoyaltyBreaksAndCheckoutGoesOnWithoutIt is the whole story: a rule approved by two, loyalty down, switched on from Now, checkout
// well again, limits widened, loyalty back, every point credited once, the books signed.
func TestLoyaltyBreaksAndCheckoutGoesOnWithoutIt(t *testing.T) {
	w := newWorld(t)
	w.ruleOfTwo("points-later", "reconcile", "Compare the points that were credited with the orders of members, one by one.")
	ines, bea := w.signIn("ines"), w.signIn("bea")
	w.breakPart("loyalty-stop")
	w.until("members cannot buy", 20*time.Second, func() bool { s := w.selling(); return s >= 0 && s < 0.8 })
	var start string
	w.until("Now offers to go on without points", 20*time.Second, func() bool {
		link := ines.get("/").Find("a[href^='/degraded/new?rule=points-later']")
		start, _ = link.Attr("href")
		return start != ""
	})
	on := ines.submit(ines.get(start), "Switch on: Sell without loyalty points", nil)
	code := strings.TrimPrefix(on.url.Path, "/degraded/")
	w.mode(code, degrade.On)
	if !w.flag("loyalty-deferred") {
		t.Error("it is said to be on, and is not")
	}
	w.until("checkout sells again", 20*time.Second, func() bool { return w.selling() > 0.99 })
	w.until("what runs on it is seen", 20*time.Second, func() bool {
		m, err := w.store.Mode(t.Context(), code)
		return err == nil && m.Exposure != nil && m.Exposure.Orders > 5 && m.Exposure.Money > 0
	})
	if said := ines.get("/").Find("[data-field=degraded]").Text(); !strings.Contains(said, "Sell without loyalty points") {
		t.Errorf("Now does not say what runs degraded: %s", said)
	}

	ines.submit(ines.get("/degraded/"+code), "Ask for wider limits", map[string]string{"limit_time": "6h", "reason": "Loyalty is not back soon"})
	page := bea.get("/degraded/" + code)
	bea.submit(page, "Widen the limits: At most 6 h, 100000 orders, 2,000,000 GBP", nil)
	if m := w.mode(code, degrade.On); m.Limits.Time.D() != 6*time.Hour {
		t.Errorf("its limits are %+v", m.Limits)
	}

	w.breakPart("loyalty-start")
	time.Sleep(time.Second)
	ines.submit(ines.get("/degraded/"+code), "End: Sell without loyalty points", nil)
	m := w.mode(code, degrade.Over)
	if w.flag("loyalty-deferred") {
		t.Error("it is said to be off, and is not")
	}
	var queue struct {
		Queued    int `json:"queued"`
		Delivered int `json:"delivered"`
	}
	w.shop(http.MethodGet, "traffic-admin", "/queues/points", nil, &queue)
	var loyalty struct {
		Credited, Repeats int
	}
	w.shop(http.MethodGet, "loyalty", "/status", nil, &loyalty)
	if queue.Queued != 0 || queue.Delivered == 0 || loyalty.Repeats != 0 {
		t.Errorf("%d wait, %d were credited late, %d twice", queue.Queued, queue.Delivered, loyalty.Repeats)
	}
	var effects map[string]any
	w.shop(http.MethodGet, "flags", "/effects", nil, &effects)
	if said := fmt.Sprint(effects); !strings.Contains(said, "loyalty-deferred:2") {
		t.Errorf("it was not switched once on and once off: %s", said)
	}
	bea.submit(bea.get("/degraded/"+code), "Sign: the books agree again", map[string]string{"note": "Every member has their points"})
	if w.mode(code, degrade.Closed).Signed == nil || m.Off == nil {
		t.Error("it is closed without a signature")
	}
	record := w.signIn("ada").get("/audit?object=" + code).Find("main").Text()
	for _, said := range []string{"approved in advance", "switch-on", "extend", "widen", "end on", "switch-off", "drain", "sign"} {
		if !strings.Contains(record, said) {
			t.Errorf("the record does not tell of %q", said)
		}
	}
	w.keepHistory("degraded", code)
}

// switchOn asks for a mode of a rule that two people approved beforehand, and returns its code.
func (w *world) switchOn(by *person, rule string) string {
	w.t.Helper()
	on := by.submit(by.get("/degraded/new?rule="+rule), "Switch on", nil)
	return strings.TrimPrefix(on.url.Path, "/degraded/")
}

// TestWhatTheConnectorSaysIsReadBack: a flag service that says done and does nothing is shown, retried and never believed; what is
// switched off behind our back is found; two modes at once end one before the other; and nonsense from the tax engine is not health.
func TestWhatTheConnectorSaysIsReadBack(t *testing.T) {
	w := newWorld(t)
	w.ruleOfTwo("points-later", "reconcile", "Compare the points with the orders of members.")
	ines, bea := w.signIn("ines"), w.signIn("bea")
	w.breakPart("flags-lie")
	code := w.switchOn(ines, "points-later")
	w.until("it is shown that it does not take", 30*time.Second, func() bool {
		return strings.Contains(text(ines.get("/degraded/"+code).Find("[data-field=alert]")), "It is not on yet, after 2 attempts")
	})
	if m := w.mode(code, degrade.SwitchingOn); m.On != nil {
		t.Error("it is reported as on")
	}
	w.breakPart("flags-honest")
	w.mode(code, degrade.On)

	w.shop(http.MethodPut, "flags", "/flags/loyalty-deferred", map[string]any{"on": false, "scope": "all", "by": "somebody"}, nil)
	found := w.until("it is seen that somebody switched it off", 60*time.Second, func() bool {
		return strings.Contains(text(ines.get("/").Find("[data-field=degraded]")), "behind our back")
	})
	t.Logf("found after %s", found)
	ines.submit(ines.get("/degraded/"+code), "Switch on again", nil)
	w.until("it is on again", 20*time.Second, func() bool { return w.flag("loyalty-deferred") })
	w.mode(code, degrade.On)

	w.breakPart("tax-garbage")
	w.until("nonsense is not taken for health", 20*time.Second, func() bool {
		return strings.Contains(text(ines.get("/").Find("[data-field=Signals]")), "Tax calculation not answering as it should")
	})
	asked := ines.submit(ines.get("/degraded/new?rule=tax-by-table"), "Ask for approval", map[string]string{"reason": "It answers nonsense"})
	tax := strings.TrimPrefix(asked.url.Path, "/degraded/")
	bea.submit(bea.get("/degraded/"+tax), "Approve: Tax by the table of standard rates", nil)
	w.mode(tax, degrade.On)
	w.until("checkout sells by the table", 20*time.Second, func() bool { return w.selling() > 0.99 })
	ines.submit(ines.get("/degraded/"+code), "End: Sell without loyalty points", nil)
	w.mode(code, degrade.Over)
	if m := w.mode(tax, degrade.On); m.Ending != nil || !w.flag("standard-tax") || w.flag("loyalty-deferred") {
		t.Error("the end of one ended the other")
	}
}

// TestALimitIsReachedWhileThePortalIsDown: it is acted on within two seconds of the worker's return, and said by how much it was
// exceeded.
func TestALimitIsReachedWhileThePortalIsDown(t *testing.T) {
	w := newWorld(t)
	w.ruleOfTwo("points-later", "reconcile", "Compare the points with the orders of members.")
	ines, bea := w.signIn("ines"), w.signIn("bea")
	code := w.switchOn(ines, "points-later")
	began := *w.mode(code, degrade.On).On
	const limit = 20 * time.Second
	ines.submit(ines.get("/degraded/"+code), "Ask for wider limits", map[string]string{"limit_time": limit.String(), "reason": "Shorter, in fact"})
	bea.submit(bea.get("/degraded/"+code), "Widen the limits: At most 20 s", nil)
	w.kill("portal")
	time.Sleep(time.Until(began.Add(limit + 3*time.Second)))
	w.start("portal")
	w.until("the portal is back", 20*time.Second, w.ready)
	acted := w.until("the limit is acted on", 2*time.Second, func() bool {
		m, err := w.store.Mode(t.Context(), code)
		return err == nil && m.Reached != nil && m.Phase != degrade.On
	})
	t.Logf("acted on %s after the portal answered", acted)
	w.mode(code, degrade.Over)
	if said := text(ines.get("/degraded/" + code).Find("[data-field=ending]")); !strings.Contains(said, "longer than that") {
		t.Errorf("the page says %q", said)
	}
}
