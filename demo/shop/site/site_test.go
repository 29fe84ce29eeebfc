package site_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyholder/demo/shop/lease"
	"keyholder/demo/shop/site"
)

func orderKeys(orders []site.Order) []string {
	all := make([]string, len(orders))
	for i, o := range orders {
		all[i] = o.Key
	}
	return all
}

func (r *rig) converged() bool {
	a, b := r.status(leeds), r.status(dublin)
	return a.HeadSeq == b.HeadSeq && a.LagOrders == 0 && b.LagOrders == 0 && a.Backlog == 0 && b.Backlog == 0
}

func TestSecondTryOfAKeyHasTheFirstAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	code, first := r.served(leeds, "k")
	if code != http.StatusCreated || first.Duplicate || first.Seq != 1 || first.Epoch != 1 {
		t.Fatalf("%d %+v", code, first)
	}
	code, second := r.served(leeds, "k")
	first.Duplicate = true
	if diff := cmp.Diff(first, second); diff != "" || code != http.StatusOK {
		t.Errorf("%d %s", code, diff)
	}
	r.until("the key is refused for another purchase", func() bool {
		code, err := r.call(http.MethodPost, leeds, "/checkout", "k", site.Purchase{SKU: "tea", Quantity: 2, AmountMinor: 499}, nil)
		return err == nil && code == http.StatusUnprocessableEntity
	})
	if got := r.status(leeds); got.HeadSeq != 1 || got.AcceptedInEpoch != 1 || got.FirstAcceptedAt == nil {
		t.Errorf("%+v", got)
	}
}

func TestBadPurchaseIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	for name, bad := range map[string]any{
		"no sku": site.Purchase{Quantity: 1, AmountMinor: 1}, "no quantity": site.Purchase{SKU: "tea", AmountMinor: 1},
		"no amount": site.Purchase{SKU: "tea", Quantity: 1}, "not a purchase": "tea", "other fields": map[string]int{"qty": 1},
	} {
		if code, err := r.call(http.MethodPost, leeds, "/checkout", "k", bad, nil); err != nil || code != http.StatusBadRequest {
			t.Errorf("%s: %d %v", name, code, err)
		}
	}
	if code, _ := r.buy(leeds, ""); code != http.StatusBadRequest {
		t.Errorf("without a key: %d", code)
	}
}

func TestFollowerAcceptsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	if code, _ := r.buy(dublin, "k"); code != http.StatusServiceUnavailable {
		t.Errorf("the follower answered %d", code)
	}
	if got := r.status(dublin); got.HeadSeq != 0 || got.State != site.Follower {
		t.Errorf("%+v", got)
	}
}

func TestReplicationConvergesWithPostedState(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.mustBuy(leeds, keys("k", 30)...)
	r.until("both have everything", r.converged)
	if diff := cmp.Diff(r.orders(leeds, "/orders"), r.orders(dublin, "/orders")); diff != "" {
		t.Errorf("the logs differ: %s", diff)
	}
	if got := r.status(dublin); got.HeadSeq != 30 || got.LagSeconds != 0 || got.State != site.Follower {
		t.Errorf("%+v", got)
	}
}

func TestLagAndFreezeAreSeenInTheStatus(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.mustBuy(leeds, "before")
	r.until("the order is copied", func() bool { return r.status(dublin).HeadSeq == 1 })
	r.frozen[dublin].Store(true)
	r.mustBuy(leeds, keys("frozen", 3)...)
	r.until("the lag is seen", func() bool { return r.status(dublin).LagOrders == 3 })
	if got := r.status(dublin); got.LagSeconds <= 0 || got.HeadSeq != 1 || got.State != site.Follower {
		t.Errorf("frozen: %+v", got)
	}
	r.frozen[dublin].Store(false)
	r.until("thawed", func() bool { return r.status(dublin).HeadSeq == 4 })

	r.lag.Store(int64(time.Hour))
	r.mustBuy(leeds, "lagging")
	r.until("the lag is seen", func() bool { return r.status(dublin).LagOrders == 1 })
	r.turn(r.sites[leeds], false)
	r.until("the writer's death makes the lag grow", func() bool { return r.status(dublin).LagSeconds > 0.2 })
	if got := r.status(dublin); got.State != site.Follower || got.Following != leeds || got.LagOrders != 1 {
		t.Errorf("its writer is dead: %+v", got)
	}
	r.turn(r.sites[dublin], false)
	r.turn(r.sites[dublin], true)
	if got := r.status(dublin); got.State != site.Follower || got.LagOrders != 1 {
		t.Errorf("restarted, with its writer dead: %+v", got)
	}
}

func TestOldWritersOrdersAreSetAsideAndItFollows(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.mustBuy(leeds, keys("copied", 3)...)
	r.until("copied", func() bool { return r.status(dublin).HeadSeq == 3 })
	r.frozen[dublin].Store(true)
	r.mustBuy(leeds, keys("lost", 4)...)
	lost := r.orders(leeds, "/orders")[3:]
	r.turn(r.sites[leeds], false)
	r.move(leeds, dublin)
	r.mustBuy(dublin, keys("new", 5)...)
	r.frozen[dublin].Store(false)

	r.turn(r.sites[leeds], true)
	r.until("leeds follows dublin", func() bool {
		now := r.status(leeds)
		if now.Following == dublin && now.HeadSeq < 8 && (now.LagOrders == 0 || now.LagSeconds == 0) {
			t.Errorf("it follows from order %d and says that it has all: %+v", now.HeadSeq, now)
		}
		return now.Following == dublin && now.HeadSeq == 8
	})
	got := r.status(leeds)
	if got.SetAside != 4 || got.SetAsideLastFork != 4 || got.State != site.Follower {
		t.Errorf("%+v", got)
	}
	aside := r.orders(leeds, "/set-aside")
	for _, orders := range [][]site.Order{aside, lost} {
		for i := range orders {
			orders[i].Posted = false // it may have been handed on before the crash
		}
	}
	if diff := cmp.Diff(lost, aside); diff != "" {
		t.Errorf("what was set aside is not what was accepted: %s", diff)
	}
	want := slices.Concat(keys("copied", 3), keys("new", 5))
	if diff := cmp.Diff(want, orderKeys(r.orders(leeds, "/orders"))); diff != "" {
		t.Errorf("the log of leeds: %s", diff)
	}

	r.move(dublin, leeds)
	r.until("dublin follows leeds", func() bool { return r.status(dublin).Following == leeds })
	if got := r.status(dublin); got.SetAside != 0 || got.SetAsideLastFork != 0 {
		t.Errorf("nothing was lost on the way back: %+v", got)
	}
	r.move(leeds, dublin)
	r.until("leeds follows dublin", func() bool { return r.status(leeds).Following == dublin })
	if got := r.status(leeds); got.SetAside != 4 || got.SetAsideLastFork != 0 {
		t.Errorf("after a move without loss: %+v", got)
	}
}

// Leeds is promoted again before it ever heard of dublin's epoch: the orders of both at the same place in the log differ.
func TestForkIsFoundByEpochNotByLength(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.mustBuy(leeds, keys("both", 2)...)
	r.until("copied", func() bool { return r.status(dublin).HeadSeq == 2 })
	r.frozen[dublin].Store(true)
	r.mustBuy(leeds, keys("leeds", 6)...)
	r.turn(r.sites[leeds], false)
	r.move(leeds, dublin)
	r.mustBuy(dublin, keys("dublin", 3)...)
	r.turn(r.sites[dublin], false)
	r.admin("lease", "/admin/revoke", siteBody{dublin})
	r.until("dublin is fenced", func() bool { return r.leaseState(dublin) == lease.Fenced })
	r.admin("lease", "/admin/grant", siteBody{leeds})
	r.turn(r.sites[leeds], true)
	r.until("leeds writes", func() bool { return r.status(leeds).State == site.Writer })
	r.mustBuy(leeds, "again")

	r.frozen[dublin].Store(false)
	r.turn(r.sites[dublin], true)
	r.until("dublin has leeds' log", func() bool { return r.status(dublin).HeadSeq == 9 })
	if diff := cmp.Diff(r.orders(leeds, "/orders")[:8], r.orders(dublin, "/orders")[:8], ignorePosted()); diff != "" {
		t.Errorf("the logs differ: %s", diff)
	}
	if diff := cmp.Diff(keys("dublin", 3), orderKeys(r.orders(dublin, "/set-aside"))); diff != "" {
		t.Errorf("set aside: %s", diff)
	}
}

func ignorePosted() cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Posted" }, cmp.Ignore())
}

func TestKeysHoldAcrossFailover(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	_, first := r.served(leeds, "copied")
	r.until("copied", func() bool { return r.status(dublin).HeadSeq == 1 })
	r.frozen[dublin].Store(true)
	r.mustBuy(leeds, "lost")
	r.move(leeds, dublin)
	code, again := r.served(dublin, "copied")
	if code != http.StatusOK || again.OrderID != first.OrderID || !again.Duplicate {
		t.Errorf("a replicated key at the new writer: %d %+v", code, again)
	}
	if code, got := r.served(dublin, "lost"); code != http.StatusCreated || got.Epoch != 2 {
		t.Errorf("a key that never replicated: %d %+v", code, got)
	}
}

func TestPlannedMoveLosesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.lag.Store(int64(50 * time.Millisecond))
	r.mustBuy(leeds, keys("k", 10)...)
	for range 2 {
		if code := r.admin(leeds, "/admin/drain", nil); code != http.StatusOK {
			t.Fatalf("drain answered %d", code)
		}
	}
	if code, _ := r.buy(leeds, "late"); code != http.StatusServiceUnavailable {
		t.Errorf("a draining site answered %d", code)
	}
	if code, _ := r.served(leeds, "k-0"); code != http.StatusOK {
		t.Errorf("the retry of an accepted purchase at a draining site: %d", code)
	}
	r.until("leeds drains", func() bool {
		got := r.status(leeds)
		return got.State == site.Draining && got.Draining && got.HoldsLease
	})
	r.until("caught up", func() bool { return r.status(dublin).HeadSeq == 10 && r.status(dublin).LagOrders == 0 })
	r.move(leeds, dublin)
	r.until("leeds follows", func() bool { return r.status(leeds).State == site.Follower })
	if got := r.status(leeds); got.SetAside != 0 || got.HeadSeq != 10 {
		t.Errorf("%+v", got)
	}
	r.move(dublin, leeds)
	r.mustBuy(leeds, "home")
}

func TestUndrainOpensTheSiteAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.admin(leeds, "/admin/drain", nil)
	r.admin(leeds, "/admin/undrain", nil)
	r.mustBuy(leeds, "k")
}
