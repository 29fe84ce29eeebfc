package site

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"keyholder/demo/shop/control"
)

type metrics struct {
	registry                      *prometheus.Registry
	accepted, refused, duplicates prometheus.Counter
	lag, writer                   prometheus.Gauge
	page                          http.Handler
}

func newMetrics() *metrics {
	m := &metrics{
		registry:   prometheus.NewRegistry(),
		accepted:   counter("shop_checkout_accepted_total", "Orders accepted since the site started."),
		refused:    counter("shop_checkout_refused_total", "Purchases refused since the site started."),
		duplicates: counter("shop_checkout_duplicates_total", "Purchases answered from memory since the site started."),
		lag:        gauge("shop_replication_lag_seconds", "How far the site is behind the writer."),
		writer:     gauge("shop_writer", "1 while the site holds a live lease."),
	}
	m.registry.MustRegister(m.accepted, m.refused, m.duplicates, m.lag, m.writer)
	m.page = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return m
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func (s *Site) serveMetrics(w http.ResponseWriter, r *http.Request) {
	status, err := s.Status(r.Context())
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	s.metrics.lag.Set(status.LagSeconds)
	s.metrics.writer.Set(0)
	if status.HoldsLease {
		s.metrics.writer.Set(1)
	}
	s.metrics.page.ServeHTTP(w, r)
}
