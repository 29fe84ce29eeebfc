package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"keyholder/demo/shop/erp"
	"keyholder/internal/degrade"
)

// posted is what the ERP has booked.
func (w *world) posted() (s erp.Status) {
	w.t.Helper()
	w.shop(http.MethodGet, "erp", "/status", nil, &s)
	return s
}

// askedAndApproved asks for a mode that people decide on each time, and has another say yes.
func (w *world) askedAndApproved(asks, approves *person, start, name, reason string) (code string) {
	w.t.Helper()
	asked := asks.submit(asks.get(start), "Ask for approval: "+name, map[string]string{"reason": reason})
	code = strings.TrimPrefix(asked.url.Path, "/degraded/")
	approves.submit(approves.get("/degraded/"+code), "Approve: "+name, nil)
	w.mode(code, degrade.On)
	return code
}

// offered waits until Now offers to run degraded by a rule, and says where.
func (w *world) offered(to *person, rule string) (start string) {
	w.t.Helper()
	w.until("Now offers "+rule, 60*time.Second, func() (ok bool) {
		start, ok = to.get("/").Find("a[href^='/degraded/new?rule=" + rule + "']").Attr("href")
		return ok
	})
	return start
}

// pace is how much had been done when somebody looked.
type pace struct {
	asked, answered time.Time
	done            int64
}

// TestBreakingERPQueuesPostingsThatDrainAtTheirRateOnceEach: selling goes on while nothing is posted, and what waited reaches the ledger
// no faster than the rule says, once.
func TestBreakingERPQueuesPostingsThatDrainAtTheirRateOnceEach(t *testing.T) {
	w := newWorld(t)
	ines, bea := w.signIn("ines"), w.signIn("bea")
	w.breakPart("erp-stop")
	code := w.askedAndApproved(ines, bea, w.offered(ines, "postings-queued"), "Queue the invoices", "Finance is down")
	path := "/degraded/" + code
	var seen []float64
	const enough = 100
	w.until("a backlog grows", 120*time.Second, func() bool {
		m, err := w.store.Mode(t.Context(), code)
		if err != nil || m.Exposure == nil {
			return false
		}
		if n := m.Exposure.Queued; len(seen) == 0 || n != seen[len(seen)-1] {
			seen = append(seen, n)
		}
		return len(seen) > 2 && m.Exposure.Orders >= enough && m.Exposure.Queued >= enough && m.Exposure.Money > 0
	})
	if !slices.IsSorted(seen) {
		t.Errorf("nothing is posted, and what waits was %v", seen)
	}
	if bars := text(ines.get(path).Find("dl.facts")); !strings.Contains(bars, "Orders") || !strings.Contains(bars, "GBP") {
		t.Errorf("its page does not show what runs on it: %q", bars)
	}
	w.until("checkout sells", 20*time.Second, func() bool { return w.selling() > 0.99 })

	w.breakPart("erp-start")
	w.until("what was sold before is posted, and the rest kept back", 60*time.Second, func() bool {
		for _, o := range w.sold() {
			if o.Posted == (o.Under["erp-queued"] != 0) {
				return false
			}
		}
		return true
	})
	before := w.posted()
	looks := w.drained(ines, bea, code)
	if done := looks[len(looks)-1].done - before.Posted; done < enough {
		t.Errorf("it is said to be worked off, and only %d were posted", done)
	}
	const rate, turn = 50, 10 // a second, and posted at once at most
	for i, from := range looks {
		for _, to := range looks[i+1:] {
			if most := rate*to.answered.Sub(from.asked).Seconds() + turn; float64(to.done-from.done) > most {
				t.Fatalf("%d were posted within %s", to.done-from.done, to.answered.Sub(from.asked))
			}
		}
	}

	w.quiet()
	w.until("everything is posted", 60*time.Second, func() bool { return w.queue("postings").Queued == 0 })
	w.bookedOnce(before.Repeats)
	if times := w.switched()["erp-queued"]; times != 2 || w.flag("erp-queued") {
		t.Errorf("it was switched %d times", times)
	}
	bea.submit(bea.get(path), "Sign: the books agree again", map[string]string{"note": "The ledger has every order of that time"})
	w.mode(code, degrade.Closed)
}

// drained ends the mode and looks at the ERP until everything that waited is worked off, which the pages say.
func (w *world) drained(ines, bea *person, code string) (looks []pace) {
	w.t.Helper()
	path, said, rate := "/degraded/"+code, "", 0.0
	ines.submit(ines.get(path), "End: Queue the invoices", nil)
	w.until("everything is worked off", 120*time.Second, func() bool {
		asked := time.Now()
		done := w.posted().Posted
		looks = append(looks, pace{asked, time.Now(), done})
		if q := w.queue("postings"); q.Draining {
			rate = q.RatePerSecond
		}
		if queue := text(ines.get(path).Find("[data-field=queue]")); queue != "" {
			said = queue
		}
		m, err := w.store.Mode(w.t.Context(), code)
		return err == nil && m.Phase == degrade.Over
	})
	if !strings.Contains(said, "wait to be worked off, about") || rate != 50 {
		w.t.Errorf("while it was worked off, at %g a second, its page said %q", rate, said)
	}
	over := bea.get(path)
	if over.Find("[data-phase=over]").Length() == 0 || over.Find("[data-field=queue]").Length() != 0 ||
		!strings.Contains(text(over.Find("[data-field=reconcile]")), "Compare the ledger with the orders of that time.") {
		w.t.Errorf("after it its page says %s", text(over.Find("main")))
	}
	if waits := text(bea.get("/").Find("[data-field=needs-you]")); !strings.Contains(waits, "Sign: Queue the invoices is reconciled") {
		w.t.Errorf("who signs is told %q", waits)
	}
	return looks
}

// bookedOnce compares the ledger with the log, each order that was kept back by itself. None came a second time since it was counted.
func (w *world) bookedOnce(repeats int64) {
	w.t.Helper()
	all := w.sold()
	var money int64
	for _, o := range all {
		money += o.AmountMinor
	}
	if got := w.posted(); got.Posted != int64(len(all)) || got.MoneyMinor != money || got.Repeats != repeats {
		w.t.Errorf("booked %+v of %d orders of %d; %d had come twice before", got, len(all), money, repeats)
	}
	for _, o := range under(all, "erp-queued") {
		var got erp.Posting
		if err := w.tryShop(http.MethodGet, "erp", "/postings?order="+o.Key, nil, &got); err != nil || got != (erp.Posting{Order: o.Key, AmountMinor: o.AmountMinor}) {
			w.t.Errorf("order %s is booked as %+v, %v", o.OrderID, got, err)
		}
	}
}
