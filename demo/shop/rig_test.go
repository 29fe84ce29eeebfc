package shop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"keyholder/demo/shop"
	"keyholder/demo/shop/buyers"
	"keyholder/demo/shop/control"
	"keyholder/demo/shop/lease"
	"keyholder/demo/shop/shoptest"
	"keyholder/demo/shop/site"
)

const (
	leeds  = "leeds"
	dublin = "dublin"
)

// With -as-shop the test binary is the shop itself, so that a test can kill it.
var asShop = flag.String("as-shop", "", "run the shop whose configuration this file holds, and nothing else")

func TestMain(m *testing.M) {
	flag.Parse()
	if *asShop == "" {
		os.Exit(m.Run())
	}
	if err := runAsShop(*asShop); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runAsShop(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	cfg := shop.Config{Dir: filepath.Dir(file), TSIGSecretFile: filepath.Join(filepath.Dir(file), "tsig.key")}
	if err := json.Unmarshal(raw, &cfg.Addresses); err != nil {
		return err
	}
	cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg.Ready = func() { fmt.Println("ready") }
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return shop.Run(ctx, cfg)
}

// street is a shop in a process of its own.
type street struct {
	t       *testing.T
	dir     string
	at      shop.Addresses
	process *exec.Cmd
}

func newStreet(t *testing.T) *street {
	t.Helper()
	free := shoptest.Addresses(t, 12)
	s := &street{t: t, dir: t.TempDir(), at: shop.Addresses{
		Panel: free[0], Lease: free[1], Traffic: free[2], TrafficAdmin: free[3], DNS: free[4],
		Sites: map[string]string{leeds: free[5], dublin: free[6]},
		Flags: free[7], Loyalty: free[8], Tax: free[9], ERP: free[10], Outlets: free[11],
	}}
	raw, err := json.Marshal(s.at)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "addresses.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.process != nil {
			s.end(os.Interrupt)
		}
	})
	return s
}

// open starts the shop and returns once it says that it is ready.
func (s *street) open() *street {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	s.process = exec.CommandContext(context.Background(), self, "-as-shop", filepath.Join(s.dir, "addresses.json"))
	s.process.Stderr = s.t.Output()
	out, err := s.process.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	word := make([]byte, len("ready\n"))
	if _, err := io.ReadFull(out, word); err != nil {
		s.t.Fatalf("the shop did not become ready: %v", err)
	}
	return s
}

func (s *street) end(signal os.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Error(err)
	}
	if err := s.process.Wait(); err != nil && signal != syscall.SIGKILL {
		s.t.Errorf("the shop ended with %v", err)
	}
	s.process = nil
}

func (s *street) call(method, address, path, key string, body, answer any) int {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+address+path, bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return 0
	}
	if answer != nil && response.StatusCode < 300 {
		if err := json.Unmarshal(got, answer); err != nil {
			s.t.Fatalf("%s %s answered %q: %v", method, path, got, err)
		}
	}
	return response.StatusCode
}

func (s *street) get(address, path string, answer any) {
	s.t.Helper()
	if code := s.call(http.MethodGet, address, path, "", nil, answer); code != http.StatusOK {
		s.t.Fatalf("GET %s%s answered %d", address, path, code)
	}
}

func (s *street) post(address, path, key string, body any) {
	s.t.Helper()
	if code := s.call(http.MethodPost, address, path, key, body, nil); code < 200 || code > 299 {
		s.t.Fatalf("POST %s%s answered %d", address, path, code)
	}
}

func (s *street) breakIt(what, site string) {
	s.t.Helper()
	s.post(s.at.Panel, "/break", "", map[string]any{"what": what, "site": site})
}

func (s *street) until(what string, done func() bool) {
	s.t.Helper()
	shoptest.Until(s.t, what, done, func() string {
		var state any
		s.call(http.MethodGet, s.at.Panel, "/state", "", nil, &state)
		return fmt.Sprint(state)
	})
}

func (s *street) status(slug string) site.Status {
	s.t.Helper()
	var status site.Status
	s.call(http.MethodGet, s.at.Sites[slug], "/status", "", nil, &status)
	return status
}

func (s *street) sales() buyers.Sales {
	s.t.Helper()
	var sales buyers.Sales
	s.get(s.at.Panel, "/sales?window=2s", &sales)
	return sales
}

func (s *street) sells() bool {
	sales := s.sales()
	return sales.PerSecond != nil && *sales.PerSecond > 5 && *sales.SuccessRatio > 0.99
}

func (s *street) lease() lease.Overview {
	s.t.Helper()
	var view lease.Overview
	s.get(s.at.Lease, "/lease", &view)
	return view
}

func (s *street) orders(slug, path string) []site.Order {
	s.t.Helper()
	var answer struct{ Orders []site.Order }
	s.get(s.at.Sites[slug], path, &answer)
	return answer.Orders
}

// pointTillsTo moves the record as the portal does: signed, and only if it is what was seen.
func (s *street) pointTillsTo(from, to string) {
	s.t.Helper()
	secret, err := os.ReadFile(filepath.Join(s.dir, "tsig.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	update := new(dns.Msg).SetUpdate("shop.demo.")
	update.Used([]dns.RR{s.record(from)})
	update.RemoveRRset([]dns.RR{s.record(from)})
	update.Insert([]dns.RR{s.record(to)})
	update.SetTsig("keyholder.", dns.HmacSHA256, 300, time.Now().Unix())
	client := &dns.Client{TsigSecret: map[string]string{"keyholder.": strings.TrimSpace(string(secret))}}
	reply, _, err := client.ExchangeContext(s.t.Context(), update, s.at.DNS)
	if err != nil || reply.Rcode != dns.RcodeSuccess {
		s.t.Fatalf("the update: %v %v", reply, err)
	}
}

func (s *street) record(slug string) dns.RR {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.at.Sites[slug])
	if err != nil {
		s.t.Fatal(err)
	}
	rr, err := dns.NewRR(fmt.Sprintf("checkout.shop.demo. 2 IN SRV 0 100 %s %s.shop.demo.", port, slug))
	if err != nil {
		s.t.Fatal(err)
	}
	return rr
}

// failOver does what a run of the portal does.
func (s *street) failOver(from, to string) {
	s.t.Helper()
	key := fmt.Sprintf("%s-%d-", to, s.lease().Epoch)
	s.post(s.at.Lease, "/admin/revoke", key+"fence", map[string]string{"site": from})
	s.until(from+" is fenced", func() bool { return s.lease().Sites[from].State == lease.Fenced })
	s.post(s.at.Lease, "/admin/grant", key+"promote", map[string]string{"site": to})
	s.until(to+" holds the lease", func() bool { return s.lease().Sites[to].State == lease.Holds })
	weights := map[string]map[string]int{"weights": {from: 0, to: 100}}
	if code := s.call(http.MethodPut, s.at.TrafficAdmin, "/weights", key+"traffic", weights, nil); code != http.StatusOK {
		s.t.Fatalf("moving the traffic answered %d", code)
	}
	s.pointTillsTo(from, to)
	s.until(to+" sells", s.sells)
}

func (s *street) breaks() control.Breaks {
	s.t.Helper()
	var state struct{ Breaks control.Breaks }
	s.get(s.at.Panel, "/state", &state)
	return state.Breaks
}
