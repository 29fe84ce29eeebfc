package shop_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/flags"
	"keyholder/demo/shop/lease"
	"keyholder/demo/shop/outlets"
	"keyholder/demo/shop/site"
	"keyholder/demo/shop/tax"
)

func TestBrokenLoyaltyStopsMembersUntilPointsAreDeferred(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	s.breakIt("loyalty-stop", "")
	s.until("members' purchases fail", s.failing)
	s.flag(flags.LoyaltyDeferred, true, flags.All, "on")
	s.until("everyone buys again", s.sells)
	s.until("points wait", func() bool { return s.queue("points").Queued > 5 })
	s.breakIt("loyalty-start", "")
	s.flag(flags.LoyaltyDeferred, false, flags.All, "off")
	s.until("the flag is off at the site", func() bool { return !s.exposure(flags.LoyaltyDeferred).On })
	before := s.credits().Credited
	s.until("points are credited at once again", func() bool { return s.credits().Credited > before+3 && s.sells() })
	s.quiet()

	deferred := s.under(leeds, flags.LoyaltyDeferred)
	e := s.exposure(flags.LoyaltyDeferred)
	if e.On || e.Since == nil || e.Orders != int64(len(deferred)) || e.MoneyMinor != sum(deferred) || e.Queued != int64(len(deferred)) {
		t.Errorf("%+v, want %d orders", e, len(deferred))
	}
	if q := s.queue("points"); q.Draining || q.Released || q.Queued != e.Orders || q.KeptBack != q.Queued || q.OldestSeconds <= 0 || q.Delivered != 0 {
		t.Errorf("before it is drained: %+v", q)
	}
	s.drain("points", 100, "drain")
	s.drain("points", 100, "drain")
	s.drained("points")
	if q := s.queue("points"); q.Delivered != e.Orders || q.OldestSeconds != 0 || q.KeptBack != 0 || !q.Released {
		t.Errorf("drained: %+v", q)
	}
	s.credited(leeds)
	s.booked(leeds)
}

func TestSlowLoyaltyStopsMembersAndCreditsNobodyTwice(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	s.breakIt("loyalty-slow", "")
	s.until("members' purchases fail", s.failing)
	s.breakIt("loyalty-quick", "")
	s.until("everyone buys again", s.sells)
	s.quiet()
	s.credited(leeds)
}

func TestScopeOfTestDegradesNobodyElse(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	s.flag(flags.LoyaltyDeferred, true, flags.Test, "on")
	s.flag(flags.StandardTax, true, flags.Test, "tax")
	s.until("tests run degraded", func() bool {
		return s.exposure(flags.LoyaltyDeferred).Orders > 1 && s.exposure(flags.StandardTax).Orders > 2
	})
	if sales := s.sales(); sales.ByTenant["shop"].Failed != 0 || sales.ByTenant["shop"].Succeeded < 5 || sales.ByTenant["test"].Succeeded == 0 {
		t.Errorf("shop %+v, test %+v", sales.ByTenant["shop"], sales.ByTenant["test"])
	}
	s.breakIt("tax-garbage", "")
	s.until("only tests are sold", func() bool {
		now := s.sales().ByTenant
		return now["shop"].Succeeded == 0 && now["shop"].Failed > 0 && now["test"].Succeeded > 0 && now["test"].Failed == 0
	})
	for _, flag := range []string{flags.LoyaltyDeferred, flags.StandardTax} {
		for _, o := range s.under(leeds, flag) {
			if o.Tenant != flags.Test {
				t.Errorf("%s ran under %s: %+v", o.OrderID, flag, o)
			}
		}
	}
}

func TestFlagIsSwitchedOnceWhateverIsSent(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.breakIt("flags-lie", "")
	if told := s.flag(flags.ERPQueued, true, flags.All, "k"); !told.On {
		t.Errorf("a lie says %+v", told)
	}
	var f flags.Flag
	if s.get(s.at.Flags, "/flags/"+flags.ERPQueued, &f); f.On || f.ChangedAt != nil {
		t.Errorf("after a lie: %+v", f)
	}
	s.breakIt("flags-honest", "")
	for range 3 {
		if f = s.flag(flags.ERPQueued, true, flags.All, "k"); !f.On || f.Period != 1 {
			t.Errorf("%+v", f)
		}
	}
	s.flag(flags.ERPQueued, true, flags.All, "another key, nothing new")
	s.end(syscall.SIGKILL)
	s.open()
	s.flag(flags.ERPQueued, true, flags.All, "k")
	if got := s.effects(s.at.Flags)[flags.ERPQueued]; got != 1 {
		t.Errorf("switched %d times", got)
	}
	s.flag(flags.ERPQueued, true, flags.Test, "narrower")
	s.flag(flags.ERPQueued, false, flags.All, "off")
	s.flag(flags.ERPQueued, false, flags.Test, "still off")
	if got := s.effects(s.at.Flags)[flags.ERPQueued]; got != 3 {
		t.Errorf("switched %d times", got)
	}
	for body, want := range map[string]int{`{}`: 422, `{"on":true,"scope":"some"}`: 422, `{"on":true,"since":1}`: 422} {
		if code := s.call(http.MethodPut, s.at.Flags, "/flags/"+flags.ERPQueued, "", jsonText(body), nil); code != want {
			t.Errorf("%s answered %d", body, code)
		}
	}
	if code := s.call(http.MethodPut, s.at.Flags, "/flags/no-such", "", jsonText(`{"on":true}`), nil); code != http.StatusNotFound {
		t.Errorf("an unknown flag answered %d", code)
	}
}

type jsonText string

func (j jsonText) MarshalJSON() ([]byte, error) { return []byte(j), nil }

func TestFlagHoldsAtASiteThatRestartsWhileFlagsAreAway(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	s.breakIt("loyalty-stop", "")
	s.until("members' purchases fail", s.failing)
	s.flag(flags.LoyaltyDeferred, true, flags.All, "on")
	s.until("everyone buys", s.sells)
	s.breakIt("flags-stop", "")
	s.breakIt("crash", leeds)
	s.breakIt("start", leeds)
	s.until("everyone buys", s.sells)
	s.end(syscall.SIGKILL)
	s.open()
	s.until("everyone buys after a kill", s.sells)
	if e := s.exposure(flags.LoyaltyDeferred); !e.On || e.Orders < 5 {
		t.Errorf("%+v", e)
	}
	if code := s.call(http.MethodGet, s.at.Flags, "/flags", "", nil, nil); code != 0 {
		t.Errorf("stopped flags answered %d after a restart", code)
	}
}

func TestNonsenseFromTheTaxEngineIsNeverBooked(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	s.breakIt("tax-garbage", "")
	for _, path := range []string{"/healthz", "/status"} {
		var answer map[string]any
		err := control.Call(t.Context(), http.DefaultClient, http.MethodGet, "http://"+s.at.Tax+path, nil, &answer)
		if err == nil || errors.Is(err, control.ErrAnswered) {
			t.Errorf("%s answers %v, %v", path, answer, err)
		}
	}
	s.until("nothing is sold", func() bool { r := s.sales().SuccessRatio; return r != nil && *r == 0 })
	s.flag(flags.StandardTax, true, flags.All, "on")
	s.until("everyone buys again", s.sells)
	s.breakIt("tax-sense", "")
	s.flag(flags.StandardTax, false, flags.All, "off")
	s.until("tax is asked for again", s.sells)
	s.quiet()
	later := s.under(leeds, flags.StandardTax)
	for _, o := range s.orders(leeds, "/orders") {
		due := o.TaxMinor
		if err := tax.Implausible(&due, o.AmountMinor); err != nil {
			t.Errorf("%s: %v", o.OrderID, err)
		}
	}
	if q := s.queue("tax-recalculations"); q.Queued != int64(len(later)) || len(later) < 5 {
		t.Errorf("%+v of %d orders", q, len(later))
	}
	s.drain("tax-recalculations", 200, "drain")
	s.drained("tax-recalculations")
	var status tax.Status
	s.get(s.at.Tax, "/status", &status)
	if status.Recalculated != int64(len(later)) || status.Repeats != 0 {
		t.Errorf("%+v of %d orders", status, len(later))
	}
}

func TestOrdersQueueForTheERPAndArePostedOnce(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	s.breakIt("erp-stop", "")
	s.until("a backlog grows", func() bool { return s.status(leeds).Backlog > 15 && s.queue("postings").OldestSeconds > 1 })
	if !s.sells() {
		t.Error("nothing is sold without the ERP")
	}
	s.end(syscall.SIGKILL)
	s.open()
	s.breakIt("erp-start", "")
	s.until("the backlog is gone", func() bool { return s.status(leeds).Backlog < 10 && s.sells() })

	s.flag(flags.ERPQueued, true, flags.All, "on")
	s.until("orders are kept back", func() bool { return s.queue("postings").Queued > 15 })
	e := s.exposure(flags.ERPQueued)
	if !e.On || e.Orders < 10 || e.Queued < 10 {
		t.Errorf("%+v", e)
	}
	s.until("what was sold before is posted", func() bool { q := s.queue("postings"); return q.KeptBack == q.Queued && !q.Released })
	s.quiet()
	before := s.posted().Posted
	s.drain("postings", 50, "drain")
	s.drained("postings")
	if q := s.queue("postings"); q.KeptBack != 0 || !q.Released {
		t.Errorf("drained: %+v", q)
	}
	if s.posted().Posted-before < 10 {
		t.Error("nothing was drained")
	}
	s.booked(leeds)
}

func TestStoppedSellingIsRefusedAtCheckoutAndInTheOutlets(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("everybody sells", func() bool { return s.sells() && s.all(func(o outlets.Outlet) bool { return o.Sold > 0 }) })
	s.flag(flags.SellingStopped, true, flags.Test, "test")
	s.until("only tests are refused", func() bool {
		now := s.sales().ByTenant
		return now["shop"].Succeeded > 5 && now["shop"].Failed == 0 && now["test"].Succeeded == 0 && now["test"].Failed > 0
	})
	s.flag(flags.SellingStopped, true, flags.All, "all")
	s.until("nothing is sold", func() bool { r := s.sales().SuccessRatio; return r != nil && *r == 0 })
	head := s.status(leeds).HeadSeq
	s.until("every outlet refuses", func() bool { return s.all(func(o outlets.Outlet) bool { return o.Refused > 1 }) })
	if now := s.status(leeds).HeadSeq; now != head {
		t.Errorf("%d orders were taken although selling is stopped", now-head)
	}
	s.end(syscall.SIGKILL)
	s.open()
	s.until("nothing is sold after a kill", func() bool { r := s.sales().SuccessRatio; return r != nil && *r == 0 })
	s.flag(flags.SellingStopped, false, flags.All, "off")
	s.until("everybody sells again", func() bool { return s.sells() && s.all(func(o outlets.Outlet) bool { return o.Queued == 0 }) })
	s.forwardedInOrder()
}

func TestQueuedPointsMoveWithTheWriter(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("leeds sells", s.sells)
	s.breakIt("loyalty-stop", "")
	s.flag(flags.LoyaltyDeferred, true, flags.All, "on")
	s.until("points wait", func() bool { return s.queue("points").Queued > 5 })
	s.breakIt("freeze", dublin)
	s.until("leeds is ahead", func() bool { return s.status(dublin).LagOrders > 8 })
	s.breakIt("crash", leeds)
	s.failOver(leeds, dublin)
	s.breakIt("thaw", dublin)
	s.breakIt("start", leeds)
	s.until("leeds follows", func() bool { return s.status(leeds).Following == dublin })
	s.quiet()
	var aside int64
	for _, o := range s.orders(leeds, "/set-aside") {
		if o.Under[flags.LoyaltyDeferred] != 0 {
			aside++
		}
	}
	var left site.Queue
	s.get(s.at.Sites[leeds], "/queues/points", &left)
	if left.SetAside != aside || aside == 0 {
		t.Errorf("%d orders were set aside with points owed: %+v", aside, left)
	}
	deferred := s.under(dublin, flags.LoyaltyDeferred)
	if e := s.exposure(flags.LoyaltyDeferred); e.Orders != int64(len(deferred)) || e.Queued != e.Orders {
		t.Errorf("%+v of %d orders", e, len(deferred))
	}
	fromLeeds := 0
	for _, o := range deferred {
		if o.Site == leeds {
			fromLeeds++
		}
	}
	if fromLeeds < 3 {
		t.Errorf("only %d queued orders of leeds came along", fromLeeds)
	}
	s.breakIt("loyalty-start", "")
	s.drain("points", 10, "drain")
	s.until("some are delivered", func() bool { return s.queue("points").Delivered > 2 })
	s.moveBack(dublin, leeds)
	s.drained("points")
	s.promises(leeds, leeds)
	var queued int64
	for _, o := range s.orders(leeds, "/orders") {
		if o.Member {
			queued++
		}
	}
	if got := s.credits(); got.Credited < queued {
		t.Errorf("%+v, want at least %d", got, queued)
	}
	if code := s.call(http.MethodPost, s.at.Sites[dublin], "/admin/queues/points/drain", "", map[string]int{"rate_per_second": 1}, nil); code != http.StatusConflict {
		t.Errorf("a follower that is asked to drain answers %d", code)
	}
}

// moveBack moves the lease while nobody buys: the drain goes on at the other site.
func (s *street) moveBack(from, to string) {
	s.t.Helper()
	s.post(s.at.Lease, "/admin/revoke", "back-fence", map[string]string{"site": from})
	s.until(from+" is fenced", func() bool { return s.lease().Sites[from].State == lease.Fenced })
	s.until(to+" has caught up", func() bool { return s.status(to).HeadSeq == s.status(from).HeadSeq })
	s.post(s.at.Lease, "/admin/grant", "back-promote", map[string]string{"site": to})
	s.until(to+" writes", func() bool { return s.status(to).HoldsLease })
}

func TestOutletsSellFromTheirJournalsAndForwardOnceInOrder(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	s.until("every outlet sells", func() bool { return s.all(func(o outlets.Outlet) bool { return o.Sold > 1 && o.Queued == 0 }) })
	s.breakIt("outlets-cut", "")
	s.until("every outlet is offline", func() bool {
		return s.all(func(o outlets.Outlet) bool {
			return o.OfflineSince != nil && o.Queued > 1 && o.MoneyMinor > 0 && o.OldestSeconds > 0
		})
	})
	s.end(syscall.SIGKILL)
	s.open()
	s.breakIt("outlets-join", "")
	s.until("every outlet is online", func() bool {
		return s.all(func(o outlets.Outlet) bool { return o.OfflineSince == nil && o.Queued == 0 && o.Forwarded > 1 })
	})
	s.flag(flags.StoresOffline, true, flags.All, "on")
	s.until("every outlet is offline", func() bool {
		return s.all(func(o outlets.Outlet) bool { return o.OfflineSince != nil && o.Queued > 0 })
	})
	e := s.exposure(flags.StoresOffline)
	if !e.On || e.Orders < 3 || e.Queued != e.Orders || e.MoneyMinor == 0 {
		t.Errorf("%+v", e)
	}
	s.flag(flags.StoresOffline, false, flags.All, "off")
	s.until("every outlet is online", func() bool { return s.all(func(o outlets.Outlet) bool { return o.Queued == 0 }) })
	s.forwardedInOrder()
}

func (s *street) all(is func(outlets.Outlet) bool) bool {
	for _, o := range s.outlets() {
		if !is(o) {
			return false
		}
	}
	return true
}

// forwardedInOrder compares each journal with the log.
func (s *street) forwardedInOrder() {
	s.t.Helper()
	journals := map[string][]outlets.Sale{}
	for _, slug := range outlets.Slugs() {
		journals[slug] = s.journal(slug)
	}
	seqs := map[string]int64{}
	for _, o := range s.orders(leeds, "/orders") {
		seqs[o.Key] = o.Seq
	}
	for slug, sales := range journals {
		var last int64
		for _, sale := range sales {
			if sale.OrderID == "" {
				continue
			}
			if seq := seqs[sale.Key]; seq <= last {
				s.t.Errorf("%s: sale %s is order %d, after order %d", slug, sale.Key, seq, last)
			} else {
				last = seq
			}
		}
	}
}

func TestBreaksOfPartsOutliveARestart(t *testing.T) {
	t.Parallel()
	s := newStreet(t).open()
	for _, what := range []string{"loyalty-stop", "flags-lie", "tax-garbage", "erp-slow", "outlets-cut"} {
		s.breakIt(what, "")
	}
	before := s.breaks()
	s.end(os.Interrupt)
	s.open()
	if diff := cmp.Diff(before, s.breaks()); diff != "" || !before.Parts["tax"].Garbage {
		t.Errorf("%v: %s", before, diff)
	}
	s.breakIt("heal-all", "")
	s.until("leeds sells", s.sells)
	for _, bad := range []string{"loyalty-lie", "tax-explode", "erp-", "-stop"} {
		if code := s.call(http.MethodPost, s.at.Panel, "/break", "", map[string]string{"what": bad}, nil); code != http.StatusUnprocessableEntity {
			t.Errorf("%s answered %d", bad, code)
		}
	}
}

func TestShopOpensWhatAnOlderOneLeftBroken(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	older := `{"sites":{"dublin":{"crashed":true},"leeds":{}},"lag_ms":0,"lease_stopped":false,"buyers_stopped":true}`
	if err := os.WriteFile(filepath.Join(s.dir, "breaks.json"), []byte(older), 0o600); err != nil {
		t.Fatal(err)
	}
	s.open()
	s.breakIt("tax-garbage", "")
	if got := s.breaks(); !got.Parts["tax"].Garbage || !got.Sites[dublin].Crashed || !got.BuyersStopped {
		t.Errorf("%+v", got)
	}
}
