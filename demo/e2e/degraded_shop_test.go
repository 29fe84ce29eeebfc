package e2e_test

import (
	"net/http"
	"time"

	"keyholder/demo/shop/flags"
	"keyholder/demo/shop/loyalty"
	"keyholder/demo/shop/site"
)

// sold is the log of the site that writes at first.
func (w *world) sold() []site.Order {
	w.t.Helper()
	var log struct{ Orders []site.Order }
	w.shop(http.MethodGet, "leeds", "/orders", nil, &log)
	return log.Orders
}

// under picks the orders that ran under a flag.
func under(orders []site.Order, flag string) (picked []site.Order) {
	for _, o := range orders {
		if o.Under[flag] != 0 {
			picked = append(picked, o)
		}
	}
	return picked
}

// switched is how often each flag was really switched.
func (w *world) switched() (times map[string]int) {
	w.t.Helper()
	w.shop(http.MethodGet, "flags", "/effects", nil, &times)
	return times
}

// flagIs is a flag with whom it is for, and since when.
func (w *world) flagIs(name string) (f flags.Flag) {
	w.t.Helper()
	w.shop(http.MethodGet, "flags", "/flags/"+name, nil, &f)
	return f
}

// queue is one of the shop's queues.
func (w *world) queue(name string) (q site.Queue) {
	w.t.Helper()
	w.shop(http.MethodGet, "traffic-admin", "/queues/"+name, nil, &q)
	return q
}

// quiet stops everybody who buys, so that the books can be compared.
func (w *world) quiet() {
	w.t.Helper()
	w.breakPart("buyers-stop")
	w.breakPart("outlets-stop")
}

// pointsOfAll wants the points of every member's order, and says how many members bought.
func (w *world) pointsOfAll(orders []site.Order) (members int) {
	w.t.Helper()
	for _, o := range orders {
		if !o.Member {
			continue
		}
		members++
		var got loyalty.Credit
		if err := w.tryShop(http.MethodGet, "loyalty", "/points?order="+o.Key, nil, &got); err != nil || got.Points != o.AmountMinor/100 {
			w.t.Errorf("order %s of %s: %+v, %v", o.OrderID, o.Tenant, got, err)
		}
	}
	return members
}

// tenantSales is how one tenant's customers fared since a moment, a minute ago at most.
func (w *world) tenantSales(tenant string, since time.Time) (fared struct{ Succeeded, Failed int }) {
	w.t.Helper()
	var sales struct {
		ByTenant map[string]struct{ Succeeded, Failed int } `json:"by_tenant"`
	}
	window := min(time.Minute, time.Since(since)).Truncate(time.Millisecond)
	w.shop(http.MethodGet, "panel", "/sales?window="+window.String(), nil, &sales)
	return sales.ByTenant[tenant]
}
