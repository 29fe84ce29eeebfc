package e2e_test

import (
	"slices"
	"testing"
	"time"

	"keyholder/demo/shop/site"
	"keyholder/internal/degrade"
)

// showsOn wants Now to show just these, and the page of the service to show just these as on: it shows what is owed too.
func (w *world) showsOn(p *person, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	for where, which := range map[string]string{"/": "[data-mode]", "/catalog/service/checkout": "[data-mode]:has([data-phase=on])"} {
		var got []string
		for _, mode := range p.get(where).Find("[data-field=degraded] " + which).EachIter() {
			got = append(got, mode.AttrOr("data-mode", ""))
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			w.t.Errorf("%s shows %v as on, want %v", where, got, want)
		}
	}
}

// soldSo waits until a member's order after a moment ran under both flags, or under the second alone.
func (w *world) soldSo(after time.Time, what string, both bool) {
	w.t.Helper()
	w.until(what, 30*time.Second, func() bool {
		return slices.ContainsFunc(w.sold(), func(o site.Order) bool {
			return o.AcceptedAt.After(after) && o.Member && (o.Under["loyalty-deferred"] != 0) == both && o.Under["standard-tax"] != 0
		})
	})
}

// TestTwoRulesForOneServiceAtOnceOneEndingBeforeTheOther: checkout does without loyalty and without the tax engine. The end of one leaves
// the other as it is, at the shop and on every page.
func TestTwoRulesForOneServiceAtOnceOneEndingBeforeTheOther(t *testing.T) {
	w := newWorld(t)
	w.ruleOfTwo("points-later", "reconcile", "Compare the points with the orders of members.")
	w.ruleOfTwo("tax-by-table", "services", "checkout")
	ines, bea := w.signIn("ines"), w.signIn("bea")
	w.breakPart("loyalty-stop")
	w.breakPart("tax-stop")
	points := w.switchOn(ines, "points-later")
	tax := w.askedAndApproved(ines, bea, "/degraded/new?rule=tax-by-table", "Tax by the table of standard rates", "Both are down")
	w.mode(points, degrade.On)
	w.showsOn(ines, points, tax)
	w.until("checkout sells without either", 20*time.Second, func() bool { return w.selling() > 0.99 })
	w.soldSo(time.Time{}, "orders run under both", true)

	w.breakPart("loyalty-start")
	ines.submit(ines.get("/degraded/"+points), "End: Sell without loyalty points", nil)
	ended := *w.mode(points, degrade.Over).Off
	w.showsOn(ines, tax)
	if now := w.flagIs("loyalty-deferred"); now.On || now.ChangedBy != points {
		t.Errorf("what has ended is %+v", now)
	}
	if other := w.flagIs("standard-tax"); !other.On || other.ChangedBy != tax || other.Scope != "all" {
		t.Errorf("what has not is %+v", other)
	}
	w.soldSo(ended.Add(time.Second), "orders run under the other alone", false)
	if m := w.mode(tax, degrade.On); m.Ending != nil || m.Drift != nil || w.selling() < 0.99 {
		t.Errorf("the end of one touched the other: %+v; of all who buy %g can", m, w.selling())
	}
	bea.submit(bea.get("/degraded/"+points), "Sign: the books agree again", map[string]string{"note": "Every member has their points"})
	w.mode(points, degrade.Closed)
	if page := ines.get("/catalog/service/checkout"); page.Find("[data-mode]").Length() != 1 || page.Find("[data-mode='"+tax+"']").Length() != 1 {
		t.Errorf("once one is signed, the page of the service says %s", text(page.Find("[data-field=degraded]")))
	}

	w.breakPart("tax-start")
	ines.submit(ines.get("/degraded/"+tax), "End: Tax by the table of standard rates", nil)
	w.mode(tax, degrade.Over)
	w.showsOn(ines)
	for _, flag := range []string{"loyalty-deferred", "standard-tax"} {
		if times := w.switched()[flag]; times != 2 || w.flag(flag) {
			t.Errorf("%s was switched %d times, and is on: %t", flag, times, w.flag(flag))
		}
	}
	for _, queue := range []string{"points", "tax-recalculations"} {
		if q := w.queue(queue); q.Queued != 0 || q.Delivered == 0 {
			t.Errorf("of %s %+v", queue, q)
		}
	}
}
