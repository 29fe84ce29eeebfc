package shop_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyholder/demo/shop"
	"keyholder/demo/shop/lease"
	"keyholder/demo/shop/site"
)

func TestNewShopSellsInLeeds(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	view := s.lease()
	if view.Holder != leeds || view.Epoch != 1 || view.Promotions != 0 || view.Sites[dublin].State != lease.Fenced {
		t.Errorf("%+v", view)
	}
	s.until("dublin follows", func() bool { return s.status(dublin).State == site.Follower && s.status(dublin).HeadSeq > 5 })
	if sales := s.sales(); sales.BySite[dublin].Attempts != 0 || sales.BySite[leeds].Succeeded == 0 {
		t.Errorf("by site: %+v and %+v", sales.BySite[leeds], sales.BySite[dublin])
	}
}

// promises wants every acknowledged order at the writer or among what the other site set aside, and as it was promised.
func (s *street) promises(writer, other string) {
	s.t.Helper()
	promised := s.acknowledged() // before the logs, which grow while they are read
	kept := map[string]string{}
	for _, o := range append(s.orders(writer, "/orders"), s.orders(other, "/set-aside")...) {
		kept[o.OrderID] = o.Key
	}
	if len(promised) < 20 {
		s.t.Errorf("only %d orders were acknowledged", len(promised))
	}
	for _, one := range promised {
		if kept[one.OrderID] != one.Key {
			s.t.Errorf("order %s was acknowledged and is nowhere", one.OrderID)
		}
	}
}

type promise struct {
	Key     string `json:"key"`
	OrderID string `json:"order_id"`
}

func (s *street) acknowledged() []promise {
	s.t.Helper()
	var all []promise
	page := struct {
		Orders []promise `json:"orders"`
		Next   int64     `json:"next"`
		More   bool      `json:"more"`
	}{More: true}
	for page.More {
		page.Orders = nil
		s.get(s.at.Panel, fmt.Sprintf("/acknowledged?after=%d", page.Next), &page)
		all = append(all, page.Orders...)
	}
	return all
}

func TestCrashedSiteIsReplacedComesBackAndLeavesAgainInPeace(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	s.breakIt("freeze", dublin)
	s.until("leeds is ahead", func() bool { return s.status(dublin).LagOrders > 5 })
	s.breakIt("crash", leeds)
	s.until("nothing is sold", func() bool { r := s.sales().SuccessRatio; return r != nil && *r == 0 })
	s.failOver(leeds, dublin)
	s.breakIt("thaw", dublin)
	s.until("nothing reaches leeds", func() bool { return s.sales().BySite[leeds].Attempts == 0 })

	s.breakIt("start", leeds)
	s.until("leeds follows dublin", func() bool { return s.status(leeds).Following == dublin })
	if got := s.status(leeds); got.SetAside < 5 || got.SetAsideLastFork != got.SetAside {
		t.Errorf("%+v", got)
	}
	s.promises(dublin, leeds)

	s.post(s.at.Sites[dublin], "/admin/drain", "drain", nil)
	s.until("leeds has caught up", func() bool {
		from, to := s.status(dublin), s.status(leeds)
		return from.Draining && from.HeadSeq == to.HeadSeq
	})
	s.failOver(dublin, leeds)
	s.until("dublin follows leeds", func() bool { return s.status(dublin).Following == leeds })
	if got := s.status(dublin); got.SetAside != 0 {
		t.Errorf("the planned move lost orders: %+v", got)
	}
	s.promises(leeds, leeds)
	var effects map[string]int
	s.get(s.at.Lease, "/effects", &effects)
	if diff := cmp.Diff(map[string]int{"revocations": 2, "promotions": 2}, effects); diff != "" {
		t.Error(diff)
	}
}

func TestKilledShopGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	s.breakIt("crash", leeds)
	s.failOver(leeds, dublin)
	s.breakIt("partition", leeds)
	s.breakIt("freeze", leeds)
	s.breakIt("buyers-stop", "")
	before, history := s.breaks(), s.history()
	s.end(syscall.SIGKILL)

	s.open()
	if diff := cmp.Diff(before, s.breaks()); diff != "" {
		t.Errorf("what was broken: %s", diff)
	}
	s.until("dublin writes again", func() bool { return s.status(dublin).HoldsLease })
	if got := s.lease(); got.Allowed != dublin || got.Epoch != 2 || got.Promotions != 1 {
		t.Errorf("the lease: %+v", got)
	}
	if diff := cmp.Diff(history[0], s.history()[0]); diff != "" {
		t.Errorf("the first lease: %s", diff)
	}
	var weights struct{ Weights map[string]int }
	s.get(s.at.TrafficAdmin, "/weights", &weights)
	if diff := cmp.Diff(map[string]int{leeds: 0, dublin: 100}, weights.Weights); diff != "" {
		t.Errorf("the weights: %s", diff)
	}
	var dns map[string]int
	s.get(s.at.Panel, "/effects/dns", &dns)
	if dns["dns_changes"] != 1 {
		t.Errorf("the zone: %v", dns)
	}
	s.breakIt("heal-all", "")
	s.until("dublin sells and leeds follows", func() bool { return s.sells() && s.status(leeds).Following == dublin })
	s.promises(dublin, leeds)
}

func (s *street) history() []lease.Interval {
	s.t.Helper()
	var answer struct{ Intervals []lease.Interval }
	s.get(s.at.Lease, "/history", &answer)
	return answer.Intervals
}

func TestOrdersAcknowledgedBeforeAKillAreThere(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	for range 4 {
		s.open()
		start := s.status(leeds).HeadSeq
		s.until("leeds sells", func() bool { return s.status(leeds).HeadSeq > start+10 })
		s.end(syscall.SIGKILL)
	}
	s.open()
	s.promises(leeds, leeds)
}

func TestPartitionedWriterIsReplacedAndRejoins(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	s.breakIt("partition", leeds)
	if code := s.call(http.MethodGet, s.at.Sites[leeds], "/status", "", nil, nil); code != 0 {
		t.Errorf("leeds answered %d while cut off", code)
	}
	s.failOver(leeds, dublin)
	s.breakIt("heal", leeds)
	s.until("leeds follows dublin", func() bool { return s.status(leeds).State == site.Follower && s.status(leeds).Following == dublin })
	s.promises(dublin, leeds)
}

func TestNothingIsGrantedWithoutTheLeaseService(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	s.breakIt("lease-stop", "")
	if code := s.call(http.MethodPost, s.at.Lease, "/admin/revoke", "", map[string]string{"site": leeds}, nil); code != 0 {
		t.Errorf("a stopped lease service answered %d", code)
	}
	s.until("leeds stops by itself", func() bool { got := s.status(leeds); return got.State == site.Fenced })
	s.breakIt("lease-start", "")
	s.until("leeds sells again", s.sells)
}

func TestHeldGrantHasNoEffectUntilItIsReleased(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds holds the lease", func() bool { return s.lease().Holder == leeds })
	s.post(s.at.Panel, "/hold", "", map[string]string{"id": "x", "match": "POST /admin/revoke", "when": "before"})
	done := make(chan int, 1)
	go func() {
		done <- s.call(http.MethodPost, s.at.Lease, "/admin/revoke", "k", map[string]string{"site": leeds}, nil)
	}()
	s.until("the hold is reached", func() bool {
		var hold struct{ Reached bool }
		s.get(s.at.Panel, "/hold/x", &hold)
		return hold.Reached
	})
	if got := s.lease().Allowed; got != leeds {
		t.Errorf("held before its effect, the revocation left %q", got)
	}
	s.post(s.at.Panel, "/release", "", map[string]string{"id": "x"})
	if code := <-done; code != http.StatusOK || s.lease().Allowed != "" {
		t.Errorf("released, it answered %d and %q may write", code, s.lease().Allowed)
	}
}

func TestBadOrdersBreakNothing(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	before := s.breaks()
	for _, bad := range []map[string]any{
		{"what": "explode", "site": leeds}, {"what": "crash", "site": "paris"}, {"what": "crash"},
		{"what": "lag", "lag_ms": -1}, {"what": "lag", "lag_ms": 1 << 40},
	} {
		if code := s.call(http.MethodPost, s.at.Panel, "/break", "", bad, nil); code != http.StatusUnprocessableEntity {
			t.Errorf("%v answered %d", bad, code)
		}
	}
	if diff := cmp.Diff(before, s.breaks()); diff != "" {
		t.Error(diff)
	}
}

func TestAddressInUseIsNamedWithItsPart(t *testing.T) {
	t.Parallel()
	var listen net.ListenConfig
	taken, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	s := newStreet(t)
	s.at.Sites[dublin] = taken.Addr().String()
	err = shop.Run(t.Context(), s.config())
	if err == nil || !strings.Contains(err.Error(), dublin) || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("got %v", err)
	}
}

func (s *street) config() shop.Config {
	return shop.Config{
		Dir: s.dir, Addresses: s.at, TSIGSecretFile: filepath.Join(s.dir, "tsig.key"), Log: slog.New(slog.DiscardHandler),
	}
}

func TestRunEndsCleanlyWithItsContext(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	ctx, cancel := context.WithCancel(t.Context())
	for range 2 {
		cfg := s.config()
		cfg.Ready = cancel
		if err := shop.Run(ctx, cfg); err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithCancel(t.Context())
	}
	cancel()
	if info, err := os.Stat(filepath.Join(s.dir, "tsig.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v %v", info, err)
	}
}

func TestIncompleteConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	for name, spoil := range map[string]func(*shop.Config){
		"no folder":         func(c *shop.Config) { c.Dir = "" },
		"no lease":          func(c *shop.Config) { c.Addresses.Lease = "" },
		"no dublin":         func(c *shop.Config) { c.Addresses.Sites = map[string]string{leeds: "127.0.0.1:1"} },
		"one address twice": func(c *shop.Config) { c.Addresses.Panel = c.Addresses.Lease },
	} {
		cfg := s.config()
		spoil(&cfg)
		if err := shop.Run(t.Context(), cfg); err == nil {
			t.Error(fmt.Sprint(name, " was accepted"))
		}
	}
}
