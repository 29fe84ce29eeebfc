package traffic

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"time"

	"keyholder/demo/shop/control"
)

// SiteHeader is set on every answer to a request that reached a site, or may have: only a refused connection proves
// that it did not.
const SiteHeader = "X-Shop-Site"

// patience with a site that takes a request and does not answer.
const patience = 3 * time.Second

// request is one customer request in the statistics.
type request struct {
	site      string
	succeeded bool
}

func (m *Manager) proxy() http.Handler {
	proxies := make(map[string]*httputil.ReverseProxy, len(m.cfg.Sites))
	for slug, address := range m.cfg.Sites {
		proxies[slug] = m.proxyTo(slug, address)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := m.balance.next()
		if site == "" {
			control.Refuse(w, http.StatusServiceUnavailable, "no site takes traffic")
			m.requests.Add(time.Now(), request{})
			return
		}
		seen := &observed{ResponseWriter: w}
		whole := false // stays so if the answer breaks off, for then the proxy panics
		defer func() {
			m.requests.Add(time.Now(), request{site: site, succeeded: whole && seen.status/100 == 2})
		}()
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) { w.Header().Set(SiteHeader, site) },
		})
		proxies[site].ServeHTTP(seen, r.WithContext(ctx))
		whole = true
	})
}

func (m *Manager) proxyTo(slug, address string) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: address})
			r.SetXForwarded()
		},
		Transport: m.cfg.Client.Transport,
		ErrorLog:  log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if errors.Is(err, context.DeadlineExceeded) {
				control.Refuse(w, http.StatusGatewayTimeout, slug+" did not answer")
				return
			}
			control.Refuse(w, http.StatusBadGateway, slug+" cannot be reached")
		},
	}
}

// observed remembers the status of an answer.
type observed struct {
	http.ResponseWriter
	status int
}

func (o *observed) WriteHeader(status int) {
	o.status = status
	o.ResponseWriter.WriteHeader(status)
}

// Unwrap is what http.ResponseController looks for.
func (o *observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }
