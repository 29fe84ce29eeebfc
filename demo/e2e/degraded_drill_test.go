package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keyholder/demo/shop/loyalty"
	"keyholder/internal/degrade"
)

// TestADrillIsOnForTheTestTenantOnlyAndNobodyElseNotices: real customers get their points at once all the while, the tests run
// degraded, and after it nothing is left but the record.
func TestADrillIsOnForTheTestTenantOnlyAndNobodyElseNotices(t *testing.T) {
	w := newWorld(t)
	w.ruleOfTwo("points-later", "reconcile", "Compare the points with the orders of members.")
	ines, bea := w.signIn("ines"), w.signIn("bea")
	on := ines.submit(ines.get("/degraded/new?rule=points-later"), "Switch on: Sell without loyalty points", map[string]string{"drill": "yes"})
	code := strings.TrimPrefix(on.url.Path, "/degraded/")
	began := *w.mode(code, degrade.On).On
	if f := w.flagIs("loyalty-deferred"); !f.On || f.Scope != "test" || f.ChangedBy != code {
		t.Errorf("the flag is %+v", f)
	}
	if badge := text(ines.get("/").Find("[data-mode='" + code + "'] .badge")); !strings.Contains(badge, "drill") {
		t.Errorf("Now does not say that it is a drill: %q", badge)
	}
	credited := func() int64 {
		var status loyalty.Status
		w.shop(http.MethodGet, "loyalty", "/status", nil, &status)
		return status.Credited
	}
	before := credited()
	w.until("tests run degraded, and others get their points", 60*time.Second, func() bool {
		m, err := w.store.Mode(t.Context(), code)
		return err == nil && m.Exposure != nil && m.Exposure.Orders > 2 && m.Exposure.Queued > 2 && credited() > before+10
	})
	if shop := w.tenantSales("shop", began); shop.Failed != 0 || shop.Succeeded < 10 {
		t.Errorf("customers noticed: %+v", shop)
	}
	if test := w.tenantSales("test", began); test.Failed != 0 || test.Succeeded < 3 {
		t.Errorf("the tests fared so: %+v", test)
	}

	ines.submit(ines.get("/degraded/"+code), "End: Sell without loyalty points", nil)
	w.mode(code, degrade.Closed)
	last := under(w.sold(), "loyalty-deferred")
	w.until("tests get their points at once again", 60*time.Second, func() bool {
		all := w.sold()
		for _, o := range all[len(all)-20:] {
			if o.Member && o.Tenant == "test" && o.Seq > last[len(last)-1].Seq && len(o.Under) == 0 {
				return true
			}
		}
		return false
	})
	w.quiet()
	all := w.sold()
	degraded := under(all, "loyalty-deferred")
	for _, o := range degraded {
		if o.Tenant != "test" || !o.Member {
			t.Errorf("%s of %s ran under the flag", o.OrderID, o.Tenant)
		}
	}
	if q := w.queue("points"); q.Queued != 0 || q.Delivered != int64(len(degraded)) || len(degraded) < 3 {
		t.Errorf("%d orders ran degraded, and the queue is %+v", len(degraded), q)
	}
	if members := w.pointsOfAll(all); members < 50 {
		t.Errorf("only %d members bought", members)
	}
	for flag, times := range w.switched() {
		if want := map[string]int{"loyalty-deferred": 2}[flag]; times != want || w.flag(flag) {
			t.Errorf("%s was switched %d times, want %d, and is on: %t", flag, times, want, w.flag(flag))
		}
	}
	ended := bea.get("/degraded/" + code)
	if ended.Find("[data-field=reconcile], button:contains('Sign: ')").Length() != 0 || !strings.Contains(text(ended.Find(".badge")), "drill") {
		t.Errorf("a drill is to be signed: %s", text(ended.Find("main")))
	}
}
