package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keyholder/demo/shop/outlets"
	"keyholder/demo/shop/site"
	"keyholder/internal/degrade"
)

// outlets are the stores as they stand.
func (w *world) outlets() []outlets.Outlet {
	w.t.Helper()
	var list outlets.List
	w.shop(http.MethodGet, "outlets", "/outlets", nil, &list)
	return list.Outlets
}

// everyOutlet waits until something is so of each of them.
func (w *world) everyOutlet(what string, is func(outlets.Outlet) bool) {
	w.t.Helper()
	w.until("every outlet "+what, 60*time.Second, func() bool {
		for _, o := range w.outlets() {
			if !is(o) {
				return false
			}
		}
		return true
	})
}

// soldOffline is what the outlets say that they sold under their flag.
func (w *world) soldOffline() (e site.Exposure) {
	w.t.Helper()
	w.shop(http.MethodGet, "traffic-admin", "/exposure/stores-offline", nil, &e)
	return e
}

// TestOutletsSellOfflineForAWhileAndForwardEverySaleOnce: without checkout they sell from their journals, on purpose and counted, and
// when it is back each of these sales becomes one order.
func TestOutletsSellOfflineForAWhileAndForwardEverySaleOnce(t *testing.T) {
	w := newWorld(t)
	w.ruleOfTwo("stores-offline", "reconcile", "Compare every store's journal with the orders.")
	ines, bea := w.signIn("ines"), w.signIn("bea")
	w.everyOutlet("sells", func(o outlets.Outlet) bool { return o.Sold > 0 && o.Queued == 0 })
	w.breakIt("crash", "leeds")
	start := w.offered(ines, "stores-offline")
	for _, told := range []string{"Customers: “The till is offline", "Outlets: “Sell from the journal", "Call centre: “Purchases in stores"} {
		if page := text(ines.get(start).Find("main")); !strings.Contains(page, told) {
			t.Errorf("who switches it on does not see what people are told, %q: %s", told, page)
		}
	}
	on := ines.submit(ines.get(start), "Switch on: Stores sell offline", nil)
	code := strings.TrimPrefix(on.url.Path, "/degraded/")
	path := "/degraded/" + code
	w.mode(code, degrade.On)
	w.everyOutlet("sells offline", func(o outlets.Outlet) bool { return o.OfflineSince != nil && o.Queued > 1 })
	w.until("what they sell is read", 60*time.Second, func() bool {
		m, err := w.store.Mode(t.Context(), code)
		return err == nil && m.Exposure != nil && m.Exposure.Orders > 5 && m.Exposure.Queued == m.Exposure.Orders && m.Exposure.Money > 0
	})
	if bars := text(ines.get(path).Find("dl.facts")); !strings.Contains(bars, "of 8 h") || !strings.Contains(bars, "of 20000") || !strings.Contains(bars, "of 120,000 GBP") {
		t.Errorf("its page shows %q", bars)
	}

	w.breakIt("start", "leeds")
	w.until("checkout sells again", 60*time.Second, func() bool { return w.selling() > 0.99 })
	more := w.soldOffline().Orders + 3
	w.until("they sell on offline, until somebody says otherwise", 60*time.Second, func() bool { return w.soldOffline().Orders >= more })
	if e := w.soldOffline(); !e.On || e.Queued != e.Orders {
		t.Errorf("some of it was forwarded before it was ended: %+v", e)
	}
	ines.submit(ines.get(path), "End: Stores sell offline", nil)
	off := *w.mode(code, degrade.Over).Off
	if e := w.soldOffline(); e.On || e.Queued != 0 || e.Orders < more {
		t.Errorf("it is said to be worked off: %+v", e)
	}
	w.everyOutlet("is online", func(o outlets.Outlet) bool { return o.OfflineSince == nil && o.Queued == 0 })
	if forwarded := w.forwardedOnce(off); forwarded < w.soldOffline().Orders {
		t.Errorf("%d sales were forwarded of %d that were made meanwhile", forwarded, w.soldOffline().Orders)
	}
	if times := w.switched()["stores-offline"]; times != 2 {
		t.Errorf("it was switched %d times", times)
	}
	bea.submit(bea.get(path), "Sign: the books agree again", map[string]string{"note": "Every journal agrees with the orders"})
	w.mode(code, degrade.Closed)
}

// forwardedOnce compares each journal with the log: every sale that was made before a moment is one order, in the order in which they
// were made. It says how many of them were made offline.
func (w *world) forwardedOnce(before time.Time) (offline int64) {
	w.t.Helper()
	journals := map[string][]outlets.Sale{}
	for _, slug := range outlets.Slugs() {
		var journal struct{ Sales []outlets.Sale }
		w.shop(http.MethodGet, "outlets", "/outlets/"+slug+"/sales", nil, &journal)
		journals[slug] = journal.Sales
	}
	orders := map[string][]site.Order{}
	for _, o := range w.sold() {
		orders[o.Key] = append(orders[o.Key], o)
	}
	for slug, sales := range journals {
		var last int64
		for _, sale := range sales {
			if sale.SoldAt.After(before) {
				break
			}
			became := orders[sale.Key]
			if len(became) != 1 || became[0].OrderID != sale.OrderID || became[0].AmountMinor != sale.AmountMinor || became[0].Seq <= last {
				w.t.Errorf("%s: %+v, after order %d, became %+v", slug, sale, last, became)
				continue
			}
			last = became[0].Seq
			if sale.Offline {
				offline++
			}
		}
	}
	return offline
}
