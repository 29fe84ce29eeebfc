package panel

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"keyholder/demo/shop/buyers"
	"keyholder/demo/shop/control"
)

// Breaker breaks the shop and mends it.
type Breaker interface {
	// Break returns once it is so. An order that makes no sense is control.ErrBadOrder.
	Break(ctx context.Context, what, site string, lag time.Duration) error
	// Breaks is what is broken now.
	Breaks() control.Breaks
}

// Config is what the panel needs.
type Config struct {
	Listen       string
	Sites        map[string]string // host:port by slug
	Lease        string            // host:port of the lease service
	TrafficAdmin string            // host:port of the traffic manager's admin API
	DNS          string            // host:port of the name server
	Record       string            // the SRV record of the tills
	Parts        map[string]string // host:port of control.Parts, by name; of those that there are
	Client       *http.Client      // the panel's way to the parts
	Breaker      Breaker
	Holds        *control.Holds
	Buyers       *buyers.Buyers // whose pages the panel answers
	DNSChanges   func() int     // how many updates of the zone had an effect
	Log          *slog.Logger   // may be nil
	Ready        func()         // called once the port is open; may be nil
}

// Panel is the page and its API.
type Panel struct {
	cfg  Config
	page *template.Template
}

// New reads the page's template.
func New(cfg Config) (*Panel, error) {
	if cfg.Client == nil || cfg.Breaker == nil || cfg.Holds == nil || cfg.Buyers == nil || cfg.DNSChanges == nil {
		return nil, errors.New("panel: a client, a breaker, holds, buyers and the count of DNS changes are needed")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	page, err := parsePage()
	if err != nil {
		return nil, err
	}
	return &Panel{cfg: cfg, page: page}, nil
}

// Run serves until ctx ends.
func (p *Panel) Run(ctx context.Context) error {
	return control.Serve(ctx, "the panel", p.cfg.Listen, p.routes(), p.cfg.Ready)
}

// routes refuses what another site's page sends: whoever opens it in the same browser must not break the shop.
func (p *Panel) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.show)
	mux.HandleFunc("GET /panel.css", style)
	mux.HandleFunc("GET /state", p.state)
	mux.HandleFunc("POST /break", p.breakSomething)
	mux.HandleFunc("POST /hold", p.hold)
	mux.HandleFunc("GET /hold/{id}", p.held)
	mux.HandleFunc("POST /release", p.release)
	mux.HandleFunc("GET /effects/dns", p.dnsEffects)
	mux.Handle("GET /sales", p.cfg.Buyers.Handler())
	mux.Handle("GET /acknowledged", p.cfg.Buyers.Handler())
	return http.NewCrossOriginProtection().Handler(mux)
}

func (p *Panel) dnsEffects(w http.ResponseWriter, _ *http.Request) {
	control.WriteJSON(w, http.StatusOK, map[string]int{"dns_changes": p.cfg.DNSChanges()})
}
