package panel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"keyholder/demo/shop/buyers"
	"keyholder/demo/shop/control"
	"keyholder/demo/shop/lease"
	"keyholder/demo/shop/site"
)

const (
	lookPatience = 700 * time.Millisecond
	salesWindow  = 5 * time.Second
)

// State is everything the panel knows, each part as it answers now. A part that does not answer has an Error.
type State struct {
	At      time.Time            `json:"at"`
	Sites   map[string]SiteState `json:"sites"`
	Lease   LeaseState           `json:"lease"`
	Traffic TrafficState         `json:"traffic"`
	DNS     DNSState             `json:"dns"`
	Needs   Needs                `json:"needs"`
	Sales   buyers.Sales         `json:"sales"`
	Breaks  control.Breaks       `json:"breaks"`
}

// SiteState is one site; Status is null if it does not answer.
type SiteState struct {
	Address string       `json:"address"`
	Status  *site.Status `json:"status"`
	Error   string       `json:"error,omitempty"`
}

// LeaseState is the lease service; Now is null if it does not answer.
type LeaseState struct {
	Now     *lease.Overview `json:"now"`
	Effects map[string]int  `json:"effects"`
	Error   string          `json:"error,omitempty"`
}

// TrafficState is the traffic manager; Weights is null if it does not answer.
type TrafficState struct {
	Weights map[string]int `json:"weights"`
	Version int            `json:"version"`
	Effects map[string]int `json:"effects"`
	Error   string         `json:"error,omitempty"`
}

// DNSState is the tills' record as the name server has it.
type DNSState struct {
	Records []string       `json:"records"`
	Site    string         `json:"site"` // the slug it leads to, if it is one record
	Effects map[string]int `json:"effects"`
	Error   string         `json:"error,omitempty"`
}

// look asks all parts at the same time.
func (p *Panel) look(ctx context.Context) State {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	now := time.Now()
	s := State{
		At: now.UTC(), Sites: map[string]SiteState{}, Sales: p.cfg.Buyers.Sales(now, salesWindow), Breaks: p.cfg.Breaker.Breaks(),
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	for slug, address := range p.cfg.Sites {
		all.Go(func() {
			seen := p.lookAtSite(ctx, address)
			mu.Lock()
			defer mu.Unlock()
			s.Sites[slug] = seen
		})
	}
	all.Go(func() { s.Lease = p.lookAtLease(ctx) })
	all.Go(func() { s.Traffic = p.lookAtTraffic(ctx) })
	all.Go(func() { s.DNS = p.lookAtDNS(ctx) })
	all.Go(func() { s.Needs = p.lookAtNeeds(ctx) })
	all.Wait()
	return s
}

func (p *Panel) lookAtSite(ctx context.Context, address string) SiteState {
	seen := SiteState{Address: address}
	var status site.Status
	if err := p.get(ctx, address, "/status", &status); err != nil {
		seen.Error = err.Error()
		return seen
	}
	seen.Status = &status
	return seen
}

func (p *Panel) lookAtLease(ctx context.Context) LeaseState {
	var seen LeaseState
	var now lease.Overview
	if err := errors.Join(p.get(ctx, p.cfg.Lease, "/lease", &now), p.get(ctx, p.cfg.Lease, "/effects", &seen.Effects)); err != nil {
		seen.Error = err.Error()
		return seen
	}
	seen.Now = &now
	return seen
}

func (p *Panel) lookAtTraffic(ctx context.Context) TrafficState {
	var seen TrafficState
	err := errors.Join(p.get(ctx, p.cfg.TrafficAdmin, "/weights", &seen), p.get(ctx, p.cfg.TrafficAdmin, "/effects", &seen.Effects))
	if err != nil {
		seen.Error = err.Error()
	}
	return seen
}

func (p *Panel) lookAtDNS(ctx context.Context) DNSState {
	seen := DNSState{Records: []string{}, Effects: map[string]int{"dns_changes": p.cfg.DNSChanges()}}
	client := &dns.Client{Timeout: lookPatience}
	answer, _, err := client.ExchangeContext(ctx, new(dns.Msg).SetQuestion(p.cfg.Record, dns.TypeSRV), p.cfg.DNS)
	if err != nil {
		seen.Error = err.Error()
		return seen
	}
	for _, rr := range answer.Answer {
		if srv, ok := rr.(*dns.SRV); ok {
			seen.Records = append(seen.Records, fmt.Sprintf("%d %d %d %s", srv.Priority, srv.Weight, srv.Port, srv.Target))
			seen.Site, _, _ = strings.Cut(srv.Target, ".")
		}
	}
	if len(seen.Records) != 1 {
		seen.Site = ""
	}
	return seen
}

func (p *Panel) get(ctx context.Context, address, path string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	response, err := p.cfg.Client.Do(r)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", path, response.StatusCode)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// state answers GET /state.
func (p *Panel) state(w http.ResponseWriter, r *http.Request) {
	control.WriteJSON(w, http.StatusOK, p.look(r.Context()))
}
