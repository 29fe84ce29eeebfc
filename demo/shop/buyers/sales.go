package buyers

import (
	"net/http"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/recent"
)

// bought is the end of a purchase; attempt is one try of one that came to a site, or may have: only a refused connection
// proves that it did not.
type bought struct {
	ok, duplicate bool
	tenant        string
	amount        int64
}

type attempt struct {
	site string
	ok   bool
}

// Sales is what the buyers met in a window of time. A purchase counts when it ends: acknowledged, or failed at its
// deadline. By site every single attempt counts that came to it.
type Sales struct {
	WindowSeconds     float64                 `json:"window_seconds"`
	Attempts          int                     `json:"attempts"` // purchases that ended
	Succeeded         int                     `json:"succeeded"`
	Failed            int                     `json:"failed"`
	SuccessRatio      *float64                `json:"success_ratio"` // null if none ended: then nothing is known
	PerSecond         *float64                `json:"per_second"`    // succeeded; null in the first second
	AttemptsPerSecond *float64                `json:"attempts_per_second"`
	Duplicates        int                     `json:"duplicates"`
	BySite            map[string]*SiteSales   `json:"by_site"`
	ByTenant          map[string]*TenantSales `json:"by_tenant"`
	RevenueMinor      int64                   `json:"revenue_minor_per_minute"`
}

// SiteSales is what one site was asked, and how often it acknowledged.
type SiteSales struct {
	Attempts  int `json:"attempts"`
	Succeeded int `json:"succeeded"`
}

// TenantSales is what one tenant's customers met, by purchases.
type TenantSales struct {
	Attempts    int   `json:"attempts"`
	Succeeded   int   `json:"succeeded"`
	Failed      int   `json:"failed"`
	AmountMinor int64 `json:"amount_minor"` // of those that succeeded
}

func (t *TenantSales) add(each bought) {
	t.Attempts++
	if !each.ok {
		t.Failed++
		return
	}
	t.Succeeded++
	t.AmountMinor += each.amount
}

// Sales looks back from now over window.
func (b *Buyers) Sales(now time.Time, window time.Duration) Sales {
	s := Sales{
		WindowSeconds: window.Seconds(), BySite: map[string]*SiteSales{},
		ByTenant: map[string]*TenantSales{tenantShop: {}, tenantTest: {}},
	}
	for _, slug := range b.cfg.Sites {
		s.BySite[slug] = &SiteSales{}
	}
	var revenue int64
	b.purchases.Since(now.Add(-window), func(each bought) {
		s.Attempts++
		s.ByTenant[each.tenant].add(each)
		if !each.ok {
			s.Failed++
			return
		}
		s.Succeeded++
		revenue += each.amount
		if each.duplicate {
			s.Duplicates++
		}
	})
	b.attempts.Since(now.Add(-window), func(each attempt) {
		site := s.BySite[each.site]
		if site == nil {
			site = &SiteSales{}
			s.BySite[each.site] = site
		}
		site.Attempts++
		if each.ok {
			site.Succeeded++
		}
	})
	if s.Attempts > 0 {
		ratio := recent.Ratio(s.Succeeded, s.Attempts)
		s.SuccessRatio = &ratio
	}
	s.rates(min(window, now.Sub(b.began)), revenue)
	return s
}

// rates divides by the time that was observed, which is less than the window after a start.
func (s *Sales) rates(observed time.Duration, revenue int64) {
	if observed < time.Second {
		return
	}
	seconds := observed.Seconds()
	succeeded, attempts := float64(s.Succeeded)/seconds, float64(s.Attempts)/seconds
	s.PerSecond, s.AttemptsPerSecond = &succeeded, &attempts
	s.RevenueMinor = int64(float64(revenue) * 60 / seconds)
}

// sales answers GET /sales?window=5s.
func (b *Buyers) sales(w http.ResponseWriter, r *http.Request) {
	window, err := recent.Window(r.FormValue("window"))
	if err != nil {
		control.Refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, b.Sales(time.Now(), window))
}
