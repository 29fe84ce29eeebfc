package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"keyholder/demo/shop/outlets"
	"keyholder/internal/degrade"
)

// buy is one customer's purchase: what the shop answers.
func (w *world) buy(key string) (status int, said string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	body := bytes.NewReader([]byte(`{"sku": "TEA-250", "quantity": 1, "amount_minor": 900}`))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/checkout", w.ports["traffic"]), body)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// TestAtItsLimitSellingStopsWhereTheRuleSaysSo: two people have said how long tax may be taken by the table, and that nothing is sold
// after that. The portal stops selling, looks that it is stopped, and only then takes the table away. It does not begin to sell again
// before somebody says so.
func TestAtItsLimitSellingStopsWhereTheRuleSaysSo(t *testing.T) {
	w := newWorld(t)
	const limit = 30 * time.Second
	w.ruleOfTwo("tax-by-table", "limit_time", limit.String())
	ines, bea := w.signIn("ines"), w.signIn("bea")
	w.breakPart("tax-stop")
	start := w.offered(ines, "tax-by-table")
	if said := text(ines.get(start).Find("[data-field=limits]")); !strings.Contains(said, "At most 30 s. At the limit selling is stopped.") {
		t.Errorf("who switches it on is told %q", said)
	}
	code := w.askedAndApproved(ines, bea, start, "Tax by the table of standard rates", "The tax engine is down")
	path := "/degraded/" + code
	began := *w.mode(code, degrade.On).On
	w.until("checkout sells by the table", limit, func() bool { return w.selling() > 0.99 })
	if w.flag("selling-stopped") {
		t.Error("selling is stopped before the limit")
	}

	w.until("selling is stopped, and the table is taken away", limit+30*time.Second, func() bool { return w.flag("selling-stopped") && !w.flag("standard-tax") })
	stop, table := w.flagIs("selling-stopped"), w.flagIs("standard-tax")
	if after := stop.ChangedAt.Sub(began); stop.ChangedBy != code || stop.Scope != "all" || after < limit || table.ChangedAt.Before(*stop.ChangedAt) {
		t.Errorf("it began at %s; selling was stopped so: %+v, and the table taken away so: %+v", began, stop, table)
	}
	w.mode(code, degrade.Draining) // which it does not end while there is no tax engine
	page := ines.get(path)
	if said := text(page.Find("[data-field=ending]")); !strings.Contains(said, "its limit was reached: 30 s") {
		t.Errorf("its page says %q", said)
	}
	if said := text(page.Find("[data-field=alert]")); !strings.Contains(said, "Selling was stopped at") {
		t.Errorf("its page warns of %q", said)
	}
	if page.Find("button:contains('End: ')").Length() != 0 {
		t.Error("what has ended can be ended")
	}
	asks := 0
	w.until("customers are told so", 20*time.Second, func() bool {
		asks++
		status, said := w.buy(fmt.Sprint("asks-", asks))
		return status == http.StatusServiceUnavailable && strings.Contains(said, "we take no orders at the moment; please come back later")
	})
	if by := len(under(w.sold(), "standard-tax")); by < 5 {
		t.Errorf("only %d orders were taken by the table", by)
	}
	record := ines.get("/audit?object=" + code).Find("main").Text()
	for _, said := range []string{"its limit is reached: 30 s", "stop", "switch-off"} {
		if !strings.Contains(record, said) {
			t.Errorf("the record does not tell of %q", said)
		}
	}

	w.breakPart("tax-start")
	w.mode(code, degrade.Over)
	sold, since := len(w.sold()), time.Now()
	w.until("many have tried", 60*time.Second, func() bool { return w.tenantSales("shop", since.Add(-time.Second)).Failed > 30 })
	w.everyOutlet("refuses", func(o outlets.Outlet) bool { return o.Refused > 0 })
	if more := len(w.sold()) - sold; more != 0 || !w.flag("selling-stopped") {
		t.Errorf("%d orders were taken although nobody said that it is sold again", more)
	}
	ines.submit(ines.get(path), "Start selling again", nil)
	w.until("everybody buys again", 60*time.Second, func() bool { return w.selling() > 0.99 })
	if status, said := w.buy(fmt.Sprint("asks-", asks)); status != http.StatusCreated {
		t.Errorf("a customer who comes back is answered %d %s", status, said)
	}
	if times := w.switched(); times["selling-stopped"] != 2 || times["standard-tax"] != 2 {
		t.Errorf("the flags were switched %v", times)
	}
	if said := text(ines.get(path).Find("[data-field=alert]")); strings.Contains(said, "Selling was stopped") {
		t.Errorf("while everybody buys again its page warns of %q", said)
	}
	bea.submit(bea.get(path), "Sign: the books agree again", map[string]string{"note": "Every order has its tax"})
	w.mode(code, degrade.Closed)
}
