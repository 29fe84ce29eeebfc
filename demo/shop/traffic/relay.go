package traffic

import (
	"context"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/flags"
)

// lookPatience is how long the sites may take to say which of them writes.
const lookPatience = 2 * time.Second

// relay passes questions about queues and exposure, and the order to drain, to the site that writes: who asks need not
// know which one that is. The outlets answer for what they sell offline. None of it counts as a customer's request.
func (a *admin) relay() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := a.manager.writer(r.Context())
		if r.PathValue("flag") == flags.StoresOffline && a.manager.cfg.Outlets != "" {
			to = a.manager.cfg.Outlets
		}
		if to == "" {
			control.Refuse(w, http.StatusServiceUnavailable, "no site answers")
			return
		}
		proxy := &httputil.ReverseProxy{
			Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(&url.URL{Scheme: "http", Host: to}) },
			Transport: a.manager.cfg.Client.Transport,
			ErrorLog:  log.New(io.Discard, "", 0),
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
				control.Refuse(w, http.StatusBadGateway, to+" cannot be reached")
			},
		}
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		proxy.ServeHTTP(w, r.WithContext(ctx))
	})
}

// writer is the address of the site that holds the lease, or else of one that answers.
func (m *Manager) writer(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	answers := ""
	for _, slug := range slices.Sorted(maps.Keys(m.cfg.Sites)) {
		var status struct {
			HoldsLease bool `json:"holds_lease"`
		}
		err := control.Call(ctx, m.cfg.Client, http.MethodGet, "http://"+m.cfg.Sites[slug]+"/status", nil, &status)
		switch {
		case err != nil:
		case status.HoldsLease:
			return m.cfg.Sites[slug]
		default:
			answers = m.cfg.Sites[slug]
		}
	}
	return answers
}
