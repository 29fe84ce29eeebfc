package panel

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"keyholder/demo/shop/buyers"
	"keyholder/demo/shop/control"
	"keyholder/demo/shop/flags"
	"keyholder/demo/shop/lease"
	"keyholder/demo/shop/shoptest"
	"keyholder/demo/shop/site"
	"keyholder/demo/shop/tax"
	"keyholder/demo/shop/traffic"
	"keyholder/demo/shop/zone"
)

// levers remembers what it was asked, and cuts sites off for real.
type levers struct {
	mu      sync.Mutex
	network *control.Network
	orders  []string
	breaks  control.Breaks
}

func (l *levers) Break(_ context.Context, what, site string, lag time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch what {
	case "partition":
		l.network.Cut(site)
		l.breaks.Sites[site] = control.SiteBreaks{Partitioned: true}
	case "lag":
		l.breaks.LagMS = lag.Milliseconds()
	case "tax-garbage":
		l.breaks.Parts = map[string]control.PartBreaks{control.PartTax: {Garbage: true}}
	case "explode":
		return fmt.Errorf("%w: it does not explode", control.ErrBadOrder)
	case "stick":
		return fmt.Errorf("the lever is stuck")
	}
	l.orders = append(l.orders, strings.TrimSpace(what+" "+site))
	return nil
}

func (l *levers) Breaks() control.Breaks {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.breaks.Clone()
}

func (l *levers) asked() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.orders, ", ")
}

// rig is a panel over a whole shop of real parts.
type rig struct {
	t       *testing.T
	address string
	levers  *levers
	holds   *control.Holds
	stopDNS func()
}

type part interface {
	Run(ctx context.Context) error
}

// run starts a part whose configuration was given ready, and stops it with the test.
func run(t *testing.T, one part, err error, ready <-chan struct{}) (stop func()) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- one.Run(ctx) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("%T did not start: %v", one, err)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%T: %v", one, err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func signal() (func(), <-chan struct{}) {
	ready := make(chan struct{})
	return sync.OnceFunc(func() { close(ready) }), ready
}

func newRig(t *testing.T) *rig {
	t.Helper()
	dir, network := t.TempDir(), control.NewNetwork()
	r := &rig{t: t, address: shoptest.Address(t), holds: control.NewHolds()}
	r.levers = &levers{network: network, breaks: control.Breaks{Sites: map[string]control.SiteBreaks{}, LagMS: 200}}
	sites := map[string]string{"leeds": shoptest.Address(t), "dublin": shoptest.Address(t)}
	cfg := Config{
		Listen: r.address, Sites: sites, Lease: shoptest.Address(t), TrafficAdmin: shoptest.Address(t), DNS: shoptest.Address(t), Record: zone.Record,
		Client: network.Client("panel"), Breaker: r.levers, Holds: r.holds,
	}
	r.startSites(dir, network, cfg)
	cfg.Parts = r.startParts(dir)
	front := shoptest.Address(t)
	open, ready := signal()
	manager, err := traffic.New(traffic.Config{
		Listen: front, Admin: cfg.TrafficAdmin, Dir: dir, Sites: sites, Writer: "leeds",
		Client: network.Client("traffic"), Holds: r.holds, Ready: open,
	})
	run(t, manager, err, ready)
	open, ready = signal()
	names, err := zone.New(zone.Config{
		Listen: cfg.DNS, Dir: dir, SecretFile: filepath.Join(dir, "tsig"), Sites: sites, Writer: "leeds", Ready: open,
	})
	r.stopDNS = run(t, names, err, ready)
	cfg.DNSChanges = names.Changes
	open, ready = signal()
	cfg.Buyers, err = buyers.New(buyers.Config{
		Dir: dir, Traffic: front, DNS: cfg.DNS, Record: zone.Record, Sites: []string{"leeds", "dublin"},
		Client: network.Client("buyers"), Ready: open,
	})
	if err == nil {
		t.Cleanup(func() {
			if err := cfg.Buyers.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	run(t, cfg.Buyers, err, ready)
	cfg.Ready, ready = signal()
	panel, err := New(cfg)
	run(t, panel, err, ready)
	return r
}

// startParts starts the flags and the tax engine. Loyalty does not answer, and there are no others.
func (r *rig) startParts(dir string) map[string]string {
	r.t.Helper()
	at := map[string]string{
		control.PartFlags: shoptest.Address(r.t), control.PartTax: shoptest.Address(r.t), control.PartLoyalty: shoptest.Address(r.t),
	}
	broken := func(part string) func() control.PartBreaks {
		return func() control.PartBreaks { return r.levers.Breaks().Parts[part] }
	}
	open, ready := signal()
	switches, err := flags.New(flags.Config{
		Dir: dir, Listen: at[control.PartFlags], Broken: broken(control.PartFlags), Holds: r.holds, Ready: open,
	})
	run(r.t, switches, err, ready)
	open, ready = signal()
	engine, err := tax.New(tax.Config{
		Dir: dir, Listen: at[control.PartTax], Broken: broken(control.PartTax), Holds: r.holds, Ready: open,
	})
	run(r.t, engine, err, ready)
	return at
}

// startSites starts the lease service and both sites.
func (r *rig) startSites(dir string, network *control.Network, cfg Config) {
	r.t.Helper()
	log := slog.New(slog.DiscardHandler)

	open, ready := signal()
	leases, err := lease.New(lease.Config{
		Dir: dir, Listen: cfg.Lease, Sites: []string{"leeds", "dublin"}, First: "leeds", Holds: r.holds, Ready: open,
	})
	run(r.t, leases, err, ready)
	for slug, other := range map[string]string{"leeds": "dublin", "dublin": "leeds"} {
		open, ready := signal()
		one, err := site.New(site.Config{
			Slug: slug, Dir: filepath.Join(dir, slug), Listen: cfg.Sites[slug], Lease: cfg.Lease, Network: network, Holds: r.holds,
			Peers: map[string]string{other: cfg.Sites[other]}, Ready: open, Log: log,
		})
		run(r.t, one, err, ready)
	}
}

// call answers with the status and the body; header is name and value.
func (r *rig) call(method, path, body string, header ...string) (*http.Response, string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.address+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response, string(text)
}

func (r *rig) want(method, path, body string, status int, answer string) {
	r.t.Helper()
	response, text := r.call(method, path, body)
	if response.StatusCode != status || !strings.Contains(text, answer) {
		r.t.Errorf("%s %s %s: %d %s, want %d %s", method, path, body, response.StatusCode, text, status, answer)
	}
}

func (r *rig) page(path string) *goquery.Document {
	r.t.Helper()
	response, text := r.call(http.MethodGet, path, "")
	if response.StatusCode != http.StatusOK {
		r.t.Fatalf("%s answered %d", path, response.StatusCode)
	}
	document, err := goquery.NewDocumentFromReader(strings.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	return document
}

func (r *rig) state() State {
	r.t.Helper()
	var s State
	_, text := r.call(http.MethodGet, "/state", "")
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		r.t.Fatalf("%s: %v", text, err)
	}
	return s
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(15 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("not within 15 s: %s", what)
		case <-tick.C:
		}
	}
}
