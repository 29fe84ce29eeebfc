package outlets

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/flags"
	"keyholder/demo/shop/shoptest"
	"keyholder/demo/shop/zone"
)

// street is three real outlets, a real name server and real flags; the site is the little of one that a till sees.
type street struct {
	t       *testing.T
	network *control.Network
	outlets *Outlets
	flags   string

	mu     sync.Mutex
	orders []string // keys, as they came
	tests  map[string]bool
}

func (s *street) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var wish struct{ Tenant string }
	if err := json.NewDecoder(r.Body).Decode(&wish); err != nil {
		control.Refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	key := r.Header.Get("Idempotency-Key")
	s.orders = append(s.orders, key)
	s.tests[key] = wish.Tenant == flags.Test
	control.WriteJSON(w, http.StatusCreated, map[string]string{"order_id": "order-" + key})
}

func unbroken() control.PartBreaks { return control.PartBreaks{} }

func open(t *testing.T, offline time.Duration) *street {
	t.Helper()
	s := &street{t: t, network: control.NewNetwork(), flags: shoptest.Address(t), tests: map[string]bool{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	dir, names, log := t.TempDir(), shoptest.Address(t), slog.New(slog.DiscardHandler)
	site := map[string]string{"leeds": strings.TrimPrefix(server.URL, "http://")}
	s.run(func(ready func()) (part, error) {
		return zone.New(zone.Config{Listen: names, Dir: dir, SecretFile: filepath.Join(dir, "tsig"), Sites: site, Writer: "leeds", Ready: ready})
	})
	s.run(func(ready func()) (part, error) {
		return flags.New(flags.Config{Dir: dir, Listen: s.flags, Broken: unbroken, Holds: control.NewHolds(), Ready: ready})
	})
	s.run(func(ready func()) (_ part, err error) {
		s.outlets, err = New(Config{
			Dir: dir, Listen: shoptest.Address(t), DNS: names, Record: zone.Record, Flags: s.flags,
			Client: s.network.Client(control.PartOutlets), Broken: unbroken, Holds: control.NewHolds(), Log: log, Ready: ready,
			Pace: Pace{
				Every: 60 * time.Millisecond, Forward: time.Millisecond, Retry: 20 * time.Millisecond, Attempt: 5 * time.Second, Offline: offline,
			},
		})
		return s.outlets, err
	})
	return s
}

type part interface {
	Run(ctx context.Context) error
}

func (s *street) run(begin func(ready func()) (part, error)) {
	s.t.Helper()
	ready := make(chan struct{})
	one, err := begin(func() { close(ready) })
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- one.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("%T: %v", one, err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		s.t.Fatalf("%T did not start: %v", one, err)
	}
}

func (s *street) leeds() Outlet {
	s.t.Helper()
	o, err := s.outlets.outlet(s.t.Context(), "leeds-store")
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

func (s *street) until(what string, is func(Outlet) bool) {
	s.t.Helper()
	shoptest.Until(s.t, what, func() bool { return is(s.leeds()) }, func() string {
		return fmt.Sprintf("%+v, flag %+v", s.leeds(), s.outlets.flags.Get(flags.StoresOffline))
	})
}

func (s *street) switchTo(on bool, scope string) {
	s.t.Helper()
	var told flags.Flag
	err := control.Call(s.t.Context(), http.DefaultClient, http.MethodPut, "http://"+s.flags+"/flags/"+flags.StoresOffline,
		map[string]any{"on": on, "scope": scope}, &told)
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *street) came() (orders, tests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.orders {
		if s.tests[key] {
			tests++
		}
	}
	return len(s.orders), tests
}

func TestOutletClosesWhenItHasBeenOfflineForTooLong(t *testing.T) {
	t.Parallel()
	s := open(t, 300*time.Millisecond)
	s.until("it sells", func(o Outlet) bool { return o.Sold > 2 && o.OfflineSince == nil })
	s.network.Cut(control.PartOutlets)
	s.until("it refuses", func(o Outlet) bool { return o.Refused > 2 })
	before := s.leeds()
	if before.Queued < 2 || before.OfflineSince == nil || before.MoneyMinor == 0 {
		t.Errorf("%+v", before)
	}
	s.network.Heal(control.PartOutlets)
	s.until("it sells again", func(o Outlet) bool {
		return o.OfflineSince == nil && o.Sold > before.Sold && o.Forwarded >= before.Queued
	})
}

func TestFlagForTestsKeepsBackTestsOnly(t *testing.T) {
	t.Parallel()
	s := open(t, time.Hour)
	s.until("it sells", func(o Outlet) bool { return o.Sold > 2 })
	s.switchTo(true, flags.Test)
	s.until("tests are kept back", func(o Outlet) bool { return o.Queued > 1 })
	orders, tests := s.came()
	s.until("all others go on", func(o Outlet) bool { now, _ := s.came(); return o.Queued > 1 && now > orders+20 })
	if _, now := s.came(); now != tests {
		t.Errorf("%d tests came through", now-tests)
	}
	if o := s.leeds(); o.OfflineSince != nil {
		t.Errorf("the outlet is offline for a test: %+v", o)
	}
	s.switchTo(false, flags.All)
	s.until("nothing waits", func(o Outlet) bool { return o.Queued == 0 && o.Forwarded > 1 })
}
