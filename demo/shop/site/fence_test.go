package site_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/lease"
	"keyholder/demo/shop/site"
)

func (r *rig) history() []lease.Interval {
	r.t.Helper()
	var answer struct{ Intervals []lease.Interval }
	if _, err := r.call(http.MethodGet, "lease", "/history", "", nil, &answer); err != nil {
		r.t.Fatal(err)
	}
	return answer.Intervals
}

// mustBeLeased wants every order, kept or set aside, to have been accepted by the holder of a lease in its time.
func (r *rig) mustBeLeased() {
	r.t.Helper()
	history := r.history()
	for _, slug := range []string{leeds, dublin} {
		for _, o := range append(r.orders(slug, "/orders"), r.orders(slug, "/set-aside")...) {
			if !leased(history, o) {
				r.t.Errorf("%s accepted %s in epoch %d at %s without a lease: %+v", o.Site, o.OrderID, o.Epoch, o.AcceptedAt, history)
			}
		}
	}
}

func leased(history []lease.Interval, o site.Order) bool {
	for _, i := range history {
		if i.Site == o.Site && i.Epoch == o.Epoch && !o.AcceptedAt.Before(i.From) && o.AcceptedAt.Before(i.Until) {
			return true
		}
	}
	return false
}

func TestPartitionedWriterIsFencedAndComesBackWithoutALease(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.mustBuy(leeds, "k")
	r.network.Cut(leeds)
	r.admin("lease", "/admin/revoke", siteBody{leeds})
	if got := r.leaseState(leeds); got != lease.Expiring {
		t.Errorf("just cut off and revoked, leeds is %q", got)
	}
	if code, _ := r.buy(leeds, "cut"); code != 0 {
		t.Errorf("leeds answered %d while cut off", code)
	}
	r.until("leeds is fenced", func() bool { return r.leaseState(leeds) == lease.Fenced })
	r.network.Heal(leeds)
	if code, _ := r.buy(leeds, "late"); code != http.StatusServiceUnavailable {
		t.Errorf("a fenced site answered %d", code)
	}
	if got := r.status(leeds); got.HoldsLease || got.State != site.Fenced || got.HeadSeq != 1 {
		t.Errorf("%+v", got)
	}
}

// The lease service is gone, so the writer cannot renew, while its customers still reach it.
func TestWriterStopsBeforeItsLeaseRunsOut(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.mustBuy(leeds, "k-0")
	r.turn(r.lease, false)
	n := 0
	r.until("leeds stops", func() bool {
		n++
		code, _ := r.buy(leeds, fmt.Sprintf("k-%d", n))
		return code == http.StatusServiceUnavailable
	})
	end := r.lastLeaseOnDisk()
	for _, o := range r.orders(leeds, "/orders") {
		if !o.AcceptedAt.Before(end) {
			t.Errorf("leeds accepted %s at %s, and its lease ran until %s", o.OrderID, o.AcceptedAt, end)
		}
	}
	r.turn(r.lease, true)
	r.mustBeLeased()
}

// lastLeaseOnDisk asks the stopped lease service's file, because a started one might extend the lease at once.
func (r *rig) lastLeaseOnDisk() time.Time {
	r.t.Helper()
	db, err := control.OpenFile(r.t.Context(), filepath.Join(r.dir, "lease.db"), "")
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var until int64
	err = db.QueryRowContext(r.t.Context(), `SELECT until_ns FROM intervals ORDER BY id DESC LIMIT 1`).Scan(&until)
	if err != nil {
		r.t.Fatal(err)
	}
	return time.Unix(0, until)
}

// A purchase that began under a lease is held up at the database until the lease is gone.
func TestLeaseIsLookedAtWhenTheOrderIsCommitted(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.mustBuy(leeds, "k")
	db, err := control.OpenFile(t.Context(), filepath.Join(r.dir, leeds+".db"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	lock, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	code := make(chan int, 1)
	go func() {
		got, _ := r.buy(leeds, "held up")
		code <- got
	}()
	r.turn(r.lease, false)
	r.until("the lease has run out", func() bool { return r.status(leeds).State == site.Fenced })
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != http.StatusServiceUnavailable {
		t.Errorf("after its lease had run out, leeds answered %d", got)
	}
	if got := r.status(leeds).HeadSeq; got != 1 {
		t.Errorf("the log of leeds goes to %d", got)
	}
}

// shopper buys wherever it is served, and remembers what it was promised.
type shopper struct {
	mu       sync.Mutex
	promised map[string]site.Receipt
}

func (s *shopper) buy(r *rig, key string) {
	for _, slug := range []string{leeds, dublin} {
		code, receipt := r.buy(slug, key)
		if code == http.StatusCreated || code == http.StatusOK {
			s.mu.Lock()
			s.promised[key] = receipt
			s.mu.Unlock()
			return
		}
	}
}

func (s *shopper) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.promised)
}

// trouble does to the rig what can go wrong with a shop, and fails over now and then.
func (r *rig) trouble() {
	slug, other := leeds, dublin
	if rand.N(2) == 0 {
		slug, other = other, slug
	}
	switch rand.N(9) {
	case 0:
		r.turn(r.sites[slug], false)
	case 1, 2:
		r.turn(r.sites[slug], true)
	case 3:
		r.network.Cut(slug)
	case 4, 5:
		r.network.Heal(slug)
	case 6:
		r.turn(r.lease, false)
		r.turn(r.lease, true)
	case 7:
		r.frozen[slug].Store(!r.frozen[slug].Load())
	case 8:
		r.admin("lease", "/admin/revoke", siteBody{slug})
		r.until("fenced", func() bool { return r.leaseState(slug) == lease.Fenced })
		r.admin("lease", "/admin/grant", siteBody{other})
	}
}

func TestNoOrderWithoutALeaseAndNonePromisedIsForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.lag.Store(int64(60 * time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	customers := &shopper{promised: map[string]site.Receipt{}}
	var all sync.WaitGroup
	for who := range 3 {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				customers.buy(r, fmt.Sprintf("customer-%d-%d", who, n))
				wait(ctx, 10*time.Millisecond)
			}
		})
	}
	for n := 0; ctx.Err() == nil && (n < 60 || customers.count() < 200); n++ {
		r.trouble()
		wait(ctx, time.Duration(rand.N(200))*time.Millisecond)
	}
	cancel()
	all.Wait()
	r.mend()
	r.mustBeLeased()
	r.mustKeep(customers.promised)
	t.Logf("%d promised, %d leases, %d and %d set aside", len(customers.promised), len(r.history()),
		r.status(leeds).SetAside, r.status(dublin).SetAside)
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (r *rig) mend() {
	for _, slug := range []string{leeds, dublin} {
		r.network.Heal(slug)
		r.frozen[slug].Store(false)
		r.turn(r.sites[slug], true)
	}
	r.admin("lease", "/admin/revoke", siteBody{leeds})
	r.until("leeds is fenced", func() bool { return r.leaseState(leeds) == lease.Fenced })
	r.admin("lease", "/admin/grant", siteBody{dublin})
	r.until("one writes and one follows", func() bool {
		return r.status(dublin).State == site.Writer && r.status(leeds).Following == dublin && r.converged()
	})
}

// mustKeep wants every promised order in the log of a site or among what it set aside.
func (r *rig) mustKeep(promised map[string]site.Receipt) {
	r.t.Helper()
	kept := map[string]string{}
	for _, slug := range []string{leeds, dublin} {
		for _, o := range append(r.orders(slug, "/orders"), r.orders(slug, "/set-aside")...) {
			kept[o.OrderID] = o.Key
		}
	}
	if len(promised) < 200 {
		r.t.Errorf("only %d orders were promised", len(promised))
	}
	for key, receipt := range promised {
		if kept[receipt.OrderID] != key {
			r.t.Errorf("order %s of %s was promised and is nowhere", receipt.OrderID, key)
		}
	}
}
