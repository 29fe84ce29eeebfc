package buyers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/shoptest"
	"keyholder/demo/shop/traffic"
	"keyholder/demo/shop/zone"
)

// till and traffic manager are the real ones; a site is the little of one that a buyer sees.
type site struct {
	mu      sync.Mutex
	refuses bool
	orders  map[string]string // order id by key
	server  *httptest.Server
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	var wish struct {
		SKU         string
		Quantity    int
		AmountMinor int `json:"amount_minor"`
	}
	if err := json.NewDecoder(r.Body).Decode(&wish); err != nil || wish.SKU == "" || wish.Quantity < 1 || wish.AmountMinor < 1 {
		control.Refuse(w, http.StatusBadRequest, "no purchase")
		return
	}
	if s.refuses {
		control.Refuse(w, http.StatusServiceUnavailable, "no lease")
		return
	}
	id, duplicate := s.orders[key]
	status := http.StatusOK
	if !duplicate {
		id, status = fmt.Sprintf("order-%d", len(s.orders)+1), http.StatusCreated
		s.orders[key] = id
	}
	control.WriteJSON(w, status, map[string]any{"order_id": id, "epoch": 1, "seq": len(s.orders), "duplicate": duplicate})
}

func (s *site) set(refuses bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses = refuses
}

func (s *site) holds(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.orders[key]
}

type shop struct {
	t            *testing.T
	dir          string
	network      *control.Network
	sites        map[string]*site
	dns, secret  string
	front, admin string
	buyers       *Buyers
}

// run starts a part and stops it with the test.
func run(t *testing.T, ready <-chan struct{}, part func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- part(ctx) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("a part did not start: %v", err)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// open starts two sites, the traffic manager and the name server; everything leads to Leeds.
func open(t *testing.T) *shop {
	t.Helper()
	s := &shop{
		t: t, dir: t.TempDir(), network: control.NewNetwork(), sites: map[string]*site{},
		dns: shoptest.Address(t), front: shoptest.Address(t), admin: shoptest.Address(t),
	}
	s.secret = filepath.Join(s.dir, "tsig")
	addresses := map[string]string{}
	for _, slug := range []string{"leeds", "dublin"} {
		one := &site{orders: map[string]string{}}
		one.server = httptest.NewServer(s.network.Guard(slug, one))
		t.Cleanup(one.server.Close)
		s.sites[slug], addresses[slug] = one, strings.TrimPrefix(one.server.URL, "http://")
	}
	ready := make(chan struct{})
	names, err := zone.New(zone.Config{
		Listen: s.dns, Dir: s.dir, SecretFile: s.secret, Sites: addresses, Writer: "leeds", Ready: func() { close(ready) },
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, ready, names.Run)
	open := make(chan struct{})
	manager, err := traffic.New(traffic.Config{
		Listen: s.front, Admin: s.admin, Dir: s.dir, Sites: addresses, Writer: "leeds",
		Client: s.network.Client("traffic"), Ready: func() { close(open) },
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, open, manager.Run)
	return s
}

// quick is a shop's rush hour.
func quick() Pace {
	return Pace{
		Every: 10 * time.Millisecond, Deadline: 300 * time.Millisecond, Attempt: 100 * time.Millisecond, Retry: 20 * time.Millisecond,
	}
}

func (s *shop) begin() (stop func()) {
	s.t.Helper()
	return s.beginAt(quick())
}

func (s *shop) beginAt(pace Pace) (stop func()) {
	s.t.Helper()
	ready := make(chan struct{}, 1)
	buyers, err := New(Config{
		Dir: s.dir, Traffic: s.front, DNS: s.dns, Record: zone.Record, Sites: []string{"leeds", "dublin"},
		Client: s.network.Client("buyers"), Pace: pace, Ready: func() { ready <- struct{}{} },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := buyers.Close(); err != nil {
			s.t.Errorf("Close: %v", err)
		}
	})
	s.buyers = buyers
	return run(s.t, ready, buyers.Run)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(15 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("not within 15 s: %s", what)
		case <-tick.C:
		}
	}
}

func (s *shop) sales(window time.Duration) Sales { return s.buyers.Sales(time.Now(), window) }

// leadTo moves traffic and the tills' record.
func (s *shop) leadTo(slug string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPut, "http://"+s.admin+"/weights", strings.NewReader(`{"only":"`+slug+`"}`))
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("weights: %d, %v", response.StatusCode, err)
	}
	s.pointTillsTo(slug)
}

func (s *shop) pointTillsTo(slug string) {
	s.t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.sites[slug].server.URL, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	record, err := dns.NewRR(fmt.Sprintf("%s 2 IN SRV 0 100 %s %s.%s", zone.Record, port, slug, zone.Origin))
	if err != nil {
		s.t.Fatal(err)
	}
	key, err := os.ReadFile(s.secret)
	if err != nil {
		s.t.Fatal(err)
	}
	m := new(dns.Msg).SetUpdate(zone.Origin)
	m.RemoveRRset([]dns.RR{record})
	m.Insert([]dns.RR{record})
	m.SetTsig(zone.KeyName, dns.HmacSHA256, 300, time.Now().Unix())
	client := &dns.Client{Net: "tcp", TsigSecret: map[string]string{zone.KeyName: strings.TrimSpace(string(key))}}
	answer, _, err := client.ExchangeContext(s.t.Context(), m, s.dns)
	if err != nil || answer.Rcode != dns.RcodeSuccess {
		s.t.Fatalf("move the record: %v, %v", answer, err)
	}
}

// get asks the buyers' own pages.
func (s *shop) get(path string, v any) int {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.buyers.Handler().ServeHTTP(w, httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, path, nil))
	body, err := io.ReadAll(w.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if v != nil {
		if err := json.Unmarshal(body, v); err != nil {
			s.t.Fatalf("%s: %v", body, err)
		}
	}
	return w.Code
}
