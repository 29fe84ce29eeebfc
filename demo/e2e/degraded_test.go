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
	w.until(code+" is "+string(want), 30*time.Second, func() bool {
		var err error
		if m, err = w.store.Mode(w.t.Context(), code); err != nil {
			w.t.Fatal(err)
		}
		return m.Phase == want
	})
	return m
}

// ruleOfTwo has a rule changed and approved by two business owners, so that it counts as approved in advance.
func (w *world) ruleOfTwo(slug, field, value string) {
	w.t.Helper()
	hugo := w.signIn("hugo")
	page := hugo.get("/catalog/degraded-mode-rule/" + slug + "/edit")
	after := hugo.submit(page, "Save", map[string]string{field: value, "why": "We agreed on it"})
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
}
