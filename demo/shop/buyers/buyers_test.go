package buyers

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestSalesOfAHealthyShop(t *testing.T) {
	s := open(t)
	patient := quick()
	patient.Attempt, patient.Deadline = 10*time.Second, 10*time.Second // a busy machine is no unhealthy shop
	s.beginAt(patient)
	eventually(t, "forty purchases in more than a second", func() bool {
		now := s.sales(time.Minute)
		return now.Succeeded >= 40 && now.PerSecond != nil
	})
	got := s.sales(time.Minute)
	if *got.SuccessRatio != 1 || got.Failed != 0 || got.Duplicates != 0 {
		t.Errorf("ratio %v, failed %d, duplicates %d", *got.SuccessRatio, got.Failed, got.Duplicates)
	}
	if *got.PerSecond < 5 || *got.PerSecond > 110 || *got.AttemptsPerSecond < *got.PerSecond {
		t.Errorf("%v a second of %v", *got.PerSecond, *got.AttemptsPerSecond)
	}
	if got.BySite["leeds"].Succeeded < 40 || got.BySite["dublin"].Attempts != 0 {
		t.Errorf("leeds %+v, dublin %+v", got.BySite["leeds"], got.BySite["dublin"])
	}
	if got.RevenueMinor < int64(*got.PerSecond*1000*60) || got.RevenueMinor > int64(*got.PerSecond*2000*60) {
		t.Errorf("revenue %d a minute at %v a second", got.RevenueMinor, *got.PerSecond)
	}
}

func TestNothingIsSaidOfAShopNobodyBoughtFrom(t *testing.T) {
	s := open(t)
	s.begin()()
	s.buyers.began = time.Now()
	var got map[string]any
	if code := s.get("/sales?window=1s", &got); code != http.StatusOK {
		t.Fatalf("answered %d", code)
	}
	if got["per_second"] != nil {
		t.Errorf("per_second = %v in the first second", got["per_second"])
	}
	s.buyers.began = time.Now().Add(-time.Minute)
	empty := s.buyers.Sales(time.Now().Add(time.Hour), time.Second)
	if empty.SuccessRatio != nil {
		t.Errorf("success_ratio = %v of nothing", *empty.SuccessRatio)
	}
	if empty.PerSecond == nil || *empty.PerSecond != 0 {
		t.Errorf("per_second = %v, want 0", empty.PerSecond)
	}
}

func TestFailingShopShowsNoSuccessWithinTheWindow(t *testing.T) {
	s := open(t)
	s.begin()
	eventually(t, "purchases", func() bool { return s.sales(time.Minute).Succeeded >= 10 })
	s.sites["leeds"].set(true)
	eventually(t, "no success in the last second", func() bool {
		now := s.sales(time.Second)
		return now.Failed > 0 && *now.SuccessRatio == 0
	})
	if got := s.sales(time.Second); got.BySite["leeds"].Attempts <= got.Attempts || got.BySite["leeds"].Succeeded != 0 {
		t.Errorf("%d purchases in attempts %+v: nobody tried again", got.Attempts, got.BySite["leeds"])
	}
	s.sites["leeds"].set(false)
	eventually(t, "success again", func() bool { return *s.sales(time.Second).SuccessRatio == 1 })
}

func TestPartitionedAndCrashedSitesFailPurchases(t *testing.T) {
	s := open(t)
	s.begin()
	eventually(t, "purchases", func() bool { return s.sales(time.Minute).Succeeded >= 10 })
	s.network.Cut("leeds")
	eventually(t, "no success", func() bool {
		now := s.sales(time.Second)
		return now.Failed > 0 && now.Succeeded == 0
	})
	s.network.Heal("leeds")
	eventually(t, "success", func() bool { return *s.sales(time.Second).SuccessRatio == 1 })
	s.sites["leeds"].server.Close()
	eventually(t, "nothing reaches a site that is down", func() bool {
		now := s.sales(time.Second)
		return now.Failed > 0 && now.BySite["leeds"].Attempts == 0
	})
}

func TestNothingReachesTheOldSiteOnceTrafficAndRecordHaveMoved(t *testing.T) {
	s := open(t)
	s.begin()
	eventually(t, "purchases", func() bool { return s.sales(time.Minute).BySite["leeds"].Succeeded >= 10 })
	s.leadTo("dublin")
	eventually(t, "nothing at Leeds, much at Dublin", func() bool {
		now := s.sales(time.Second)
		return now.BySite["leeds"].Attempts == 0 && now.BySite["dublin"].Succeeded >= 10
	})
}

func TestTillsFollowTheRecordAndOnlyTheRecord(t *testing.T) {
	s := open(t)
	s.pointTillsTo("dublin")
	s.begin()
	eventually(t, "both kinds of buyers", func() bool {
		now := s.sales(time.Minute)
		return now.BySite["leeds"].Succeeded >= 20 && now.BySite["dublin"].Succeeded >= 5
	})
	now := s.sales(time.Minute)
	tills, online := now.BySite["dublin"].Succeeded, now.BySite["leeds"].Succeeded
	if share := float64(tills) / float64(tills+online); share < 0.1 || share > 0.3 {
		t.Errorf("%d of %d purchases were made at tills, want a fifth", tills, tills+online)
	}
}

func TestTillGoesOnWithAnAnswerForItsLifetimeOnly(t *testing.T) {
	s := open(t)
	s.begin()()
	first, err := s.buyers.till.lookup(t.Context())
	if err != nil || first.site != "leeds" {
		t.Fatalf("lookup: %+v, %v", first, err)
	}
	s.pointTillsTo("dublin")
	cached, err := s.buyers.till.lookup(t.Context())
	if err != nil || cached != first {
		t.Errorf("within its lifetime the answer is %+v, %v", cached, err)
	}
	s.buyers.till.expires = time.Now()
	next, err := s.buyers.till.lookup(t.Context())
	if err != nil || next.site != "dublin" {
		t.Errorf("after its lifetime the answer is %+v, %v", next, err)
	}
	s.buyers.till.expires, s.buyers.till.server = time.Now(), "127.0.0.1:1"
	if stale, err := s.buyers.till.lookup(t.Context()); err == nil {
		t.Errorf("without a name server the till went on with %+v", stale)
	}
}

func TestLostAnswerIsTriedAgainWithTheSameKeyAndCountedAsDuplicate(t *testing.T) {
	s := open(t)
	s.begin()()
	key := uuid.NewString()
	wish := s.buyers.wish(1)
	wish.key = key
	if _, _, err := s.buyers.try(t.Context(), wish); err != nil { // its answer is lost
		t.Fatal(err)
	}
	before := s.sales(time.Minute)
	s.buyers.buy(t.Context(), wish)
	after := s.sales(time.Minute)
	if after.Duplicates != before.Duplicates+1 || after.Succeeded != before.Succeeded+1 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	var page promises
	s.get("/acknowledged", &page)
	last := page.Orders[len(page.Orders)-1]
	if last.Key != key || last.OrderID != s.sites["leeds"].holds(key) || last.Site != "leeds" {
		t.Errorf("on record is %+v", last)
	}
}

func TestEveryAcknowledgedOrderIsOnRecordAfterRestart(t *testing.T) {
	s := open(t)
	stop := s.begin()
	eventually(t, "purchases", func() bool { return s.sales(time.Minute).Succeeded >= 20 })
	stop()
	promised := s.sales(time.Minute).Succeeded
	s.begin()()
	var page promises
	s.get("/acknowledged?after=0", &page)
	if len(page.Orders) < promised || page.More {
		t.Errorf("%d orders on record of %d acknowledged, more = %v", len(page.Orders), promised, page.More)
	}
	for i, order := range page.Orders {
		if order.N != int64(i+1) || s.sites[order.Site].holds(order.Key) != order.OrderID || order.AcknowledgedAt.IsZero() {
			t.Errorf("on record is %+v, at the site %q", order, s.sites[order.Site].holds(order.Key))
		}
	}
	var rest promises
	s.get("/acknowledged?after=15", &rest)
	if len(rest.Orders) != len(page.Orders)-15 || rest.Orders[0].N != 16 || rest.Next != page.Next {
		t.Errorf("after 15 come %d orders, the next is %d", len(rest.Orders), rest.Next)
	}
}

func TestBuyersThatStopLeaveTheirRecordOpen(t *testing.T) {
	s := open(t)
	stop := s.begin()
	eventually(t, "purchases", func() bool { return s.sales(time.Minute).Succeeded >= 5 })
	stop()
	ended := s.sales(time.Minute)
	ready := make(chan struct{}, 1)
	s.buyers.cfg.Ready = func() { ready <- struct{}{} }
	run(t, ready, s.buyers.Run)
	eventually(t, "purchases again", func() bool { return s.sales(time.Minute).Succeeded > ended.Succeeded })
}

func TestWrongQuestionsAreRefused(t *testing.T) {
	s := open(t)
	s.begin()()
	for _, path := range []string{"/sales?window=soon", "/sales?window=1h", "/acknowledged?after=x", "/acknowledged?after=-1"} {
		if code := s.get(path, nil); code != http.StatusUnprocessableEntity {
			t.Errorf("%s answers %d", path, code)
		}
	}
}
