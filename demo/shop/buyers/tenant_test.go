package buyers

import (
	"testing"
	"time"
)

func TestEveryOtherRoundIsOfMembersAndSomeOfEachAreTests(t *testing.T) {
	s := open(t)
	s.begin()()
	count := map[bool]map[string]int{true: {}, false: {}}
	var revenue int64
	for number := range 400 {
		p := s.buyers.wish(number)
		count[p.Member][p.Tenant]++
		if p.Member {
			revenue += p.AmountMinor
		} else {
			revenue -= p.AmountMinor
		}
	}
	if count[true]["shop"] != 180 || count[false]["shop"] != 180 || count[true]["test"] != 20 || count[false]["test"] != 20 {
		t.Errorf("%v", count)
	}
	if revenue != 0 {
		t.Errorf("members buy for %d more than others", revenue)
	}
}

func TestSalesAreToldByTenant(t *testing.T) {
	s := open(t)
	s.begin()
	eventually(t, "both tenants buy", func() bool {
		by := s.sales(time.Minute).ByTenant
		return by["shop"].Succeeded > 20 && by["test"].Succeeded > 2
	})
	s.sites["leeds"].set(true)
	eventually(t, "both tenants fail", func() bool {
		by := s.sales(time.Minute).ByTenant
		return by["shop"].Failed > 5 && by["test"].Failed > 0
	})
	now := s.sales(time.Minute)
	shop, test := *now.ByTenant["shop"], *now.ByTenant["test"]
	if shop.Attempts+test.Attempts != now.Attempts || shop.Succeeded+test.Succeeded != now.Succeeded || shop.AmountMinor <= test.AmountMinor {
		t.Errorf("shop %+v, test %+v of %+v", shop, test, now)
	}
}
