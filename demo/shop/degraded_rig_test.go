package shop_test

import (
	"fmt"
	"net/http"

	"keyholder/demo/shop/erp"
	"keyholder/demo/shop/flags"
	"keyholder/demo/shop/loyalty"
	"keyholder/demo/shop/outlets"
	"keyholder/demo/shop/site"
)

func (s *street) flag(name string, on bool, scope, key string) flags.Flag {
	s.t.Helper()
	var f flags.Flag
	code := s.call(http.MethodPut, s.at.Flags, "/flags/"+name, key, map[string]any{"on": on, "scope": scope}, &f)
	if code != http.StatusOK {
		s.t.Fatalf("switching %s answered %d", name, code)
	}
	return f
}

// exposure and queue are asked for where the portal asks: at the traffic manager's admin API. They are empty when nobody
// answers.
func (s *street) exposure(flag string) site.Exposure {
	s.t.Helper()
	var e site.Exposure
	s.call(http.MethodGet, s.at.TrafficAdmin, "/exposure/"+flag, "", nil, &e)
	return e
}

func (s *street) queue(name string) site.Queue {
	s.t.Helper()
	var q site.Queue
	s.call(http.MethodGet, s.at.TrafficAdmin, "/queues/"+name, "", nil, &q)
	return q
}

func (s *street) drain(name string, rate float64, key string) {
	s.t.Helper()
	s.post(s.at.TrafficAdmin, "/admin/queues/"+name+"/drain", key, map[string]float64{"rate_per_second": rate})
}

func (s *street) drained(name string) {
	s.t.Helper()
	s.until(name+" are delivered", func() bool { q := s.queue(name); return q.Name == name && q.Queued == 0 && !q.Draining })
}

func (s *street) credits() loyalty.Status {
	s.t.Helper()
	var status loyalty.Status
	s.get(s.at.Loyalty, "/status", &status)
	return status
}

func (s *street) posted() erp.Status {
	s.t.Helper()
	var status erp.Status
	s.get(s.at.ERP, "/status", &status)
	return status
}

func (s *street) outlets() []outlets.Outlet {
	s.t.Helper()
	var list outlets.List
	s.get(s.at.Outlets, "/outlets", &list)
	return list.Outlets
}

func (s *street) effects(address string) map[string]int {
	s.t.Helper()
	var effects map[string]int
	s.get(address, "/effects", &effects)
	return effects
}

// failing tells whether some purchases fail and some do not.
func (s *street) failing() bool {
	sales := s.sales()
	return sales.Failed > 2 && *sales.SuccessRatio < 0.8
}

// quiet stops everyone who buys, so that the log stays as it is.
func (s *street) quiet() {
	s.t.Helper()
	s.breakIt("outlets-stop", "")
	s.breakIt("buyers-stop", "")
}

// credited wants every member's order of the log to have its points, and nobody else's. There may be points for purchases
// that came to nothing, when loyalty answered later than checkout waited.
func (s *street) credited(writer string) {
	s.t.Helper()
	var orders, points int64
	for _, o := range s.orders(writer, "/orders") {
		var got loyalty.Credit
		code := s.call(http.MethodGet, s.at.Loyalty, "/points?order="+o.Key, "", nil, &got)
		if !o.Member {
			if code != http.StatusNotFound {
				s.t.Errorf("order %s of no member: %d %+v", o.OrderID, code, got)
			}
			continue
		}
		orders++
		points += o.AmountMinor / 100
		if code != http.StatusOK || got.Points != o.AmountMinor/100 {
			s.t.Errorf("order %s: %d %+v", o.OrderID, code, got)
		}
	}
	if got := s.credits(); got.Credited < orders || got.Points < points || orders < 5 {
		s.t.Errorf("credited %+v, want at least %d orders and %d points", got, orders, points)
	}
}

// booked wants every order of the log posted once.
func (s *street) booked(writer string) {
	s.t.Helper()
	s.until("everything is posted", func() bool { return s.status(writer).Backlog == 0 })
	var money int64
	orders := s.orders(writer, "/orders")
	for _, o := range orders {
		money += o.AmountMinor
	}
	if got := s.posted(); got.Posted != int64(len(orders)) || got.MoneyMinor != money {
		s.t.Errorf("posted %+v, want %d orders and %d", got, len(orders), money)
	}
}

// under picks the orders of the log that ran under a flag.
func (s *street) under(writer, flag string) (picked []site.Order) {
	s.t.Helper()
	for _, o := range s.orders(writer, "/orders") {
		if o.Under[flag] != 0 {
			picked = append(picked, o)
		}
	}
	return picked
}

func sum(orders []site.Order) (money int64) {
	for _, o := range orders {
		money += o.AmountMinor
	}
	return money
}

func (s *street) journal(slug string) []outlets.Sale {
	s.t.Helper()
	var answer struct{ Sales []outlets.Sale }
	s.get(s.at.Outlets, fmt.Sprintf("/outlets/%s/sales", slug), &answer)
	return answer.Sales
}
