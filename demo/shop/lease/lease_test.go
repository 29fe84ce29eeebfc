package lease_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/lease"
	"keyholder/demo/shop/shoptest"
)

// service is a lease service that a test can stop and start.
type service struct {
	t       *testing.T
	address string
	power   *control.Switch
}

func start(t *testing.T, ttl time.Duration) *service {
	t.Helper()
	s := &service{t: t, address: shoptest.Addresses(t, 1)[0]}
	dir := t.TempDir()
	s.power = control.NewSwitch("lease service", func(ctx context.Context, ready func()) error {
		service, err := lease.New(lease.Config{
			Dir: dir, Listen: s.address, Sites: []string{"leeds", "dublin"}, First: "leeds", TTL: ttl,
			Holds: control.NewHolds(), Ready: ready,
		})
		if err != nil {
			return err
		}
		return service.Run(ctx)
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended, ready := make(chan error, 1), make(chan struct{})
	go func() { ended <- s.power.Run(ctx, true, func() { close(ready) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the lease service ended with %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	return s
}

// call returns the status, or 0 when the service gave no answer.
func (s *service) call(method, path, key string, body, answer any) int {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Error(err)
		return 0
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.address+path, bytes.NewReader(raw))
	if err != nil {
		s.t.Error(err)
		return 0
	}
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
	if answer != nil {
		if err := json.Unmarshal(got, answer); err != nil {
			s.t.Errorf("%s %s answered %q: %v", method, path, got, err)
		}
	}
	return response.StatusCode
}

type site struct {
	Site string `json:"site"`
}

func (s *service) order(what, who, key string) int {
	s.t.Helper()
	return s.call(http.MethodPost, "/admin/"+what, key, site{who}, nil)
}

func (s *service) renew(who string) (lease.Renewal, bool) {
	s.t.Helper()
	var renewal lease.Renewal
	status := s.call(http.MethodPost, "/lease/renew", "", site{who}, &renewal)
	return renewal, status == http.StatusOK
}

func (s *service) look() lease.Overview {
	s.t.Helper()
	var view lease.Overview
	if status := s.call(http.MethodGet, "/lease", "", nil, &view); status != http.StatusOK {
		s.t.Fatalf("GET /lease answered %d", status)
	}
	return view
}

func (s *service) history() []lease.Interval {
	s.t.Helper()
	var answer struct{ Intervals []lease.Interval }
	if status := s.call(http.MethodGet, "/history", "", nil, &answer); status != http.StatusOK {
		s.t.Fatalf("GET /history answered %d", status)
	}
	return answer.Intervals
}

func TestLeasesOfDifferentSitesNeverOverlap(t *testing.T) {
	t.Parallel()
	const ttl = 40 * time.Millisecond
	s := start(t, ttl)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	var believed []lease.Interval // what the sites themselves take their leases to be
	for _, who := range []string{"leeds", "dublin"} {
		all.Go(func() {
			for pause(ctx, 12) {
				asked := time.Now()
				renewal, granted := s.renew(who)
				if granted {
					mu.Lock()
					believed = append(believed, lease.Interval{Site: who, Epoch: renewal.Epoch, From: time.Now(), Until: asked.Add(ttl)})
					mu.Unlock()
				}
			}
		})
		all.Go(func() {
			for pause(ctx, 30) {
				if rand.N(2) == 0 {
					s.order("revoke", who, "")
				} else {
					s.order("grant", who, "")
				}
			}
		})
	}
	for n := 0; pause(ctx, 400) && (n < 12 || moves(s.history()) < 3); n++ {
		if err := s.power.Off(); err != nil {
			t.Error(err)
		}
		if err := s.power.On(t.Context()); err != nil {
			t.Error(err)
		}
	}
	cancel()
	all.Wait()
	kept := s.history()
	mustNotOverlap(t, "kept", kept)
	mustNotOverlap(t, "believed", believed)
	if moves(kept) < 3 {
		t.Errorf("the lease hardly moved: %d leases", len(kept))
	}
}

// moves is how many leases each site had at least.
func moves(kept []lease.Interval) int {
	sites := map[string]int{}
	for _, i := range kept {
		sites[i.Site]++
	}
	return min(sites["leeds"], sites["dublin"])
}

func pause(ctx context.Context, upToMS int) bool {
	timer := time.NewTimer(time.Duration(rand.N(upToMS)+1) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func mustNotOverlap(t *testing.T, what string, intervals []lease.Interval) {
	t.Helper()
	for i, a := range intervals {
		for _, b := range intervals[:i] {
			if a.Site != b.Site && a.From.Before(b.Until) && b.From.Before(a.Until) {
				t.Fatalf("%s leases overlap: %+v and %+v", what, a, b)
			}
			if a.Site != b.Site && a.Epoch == b.Epoch {
				t.Fatalf("%s leases of two sites in one epoch: %+v and %+v", what, a, b)
			}
		}
	}
}

func TestGrantIsRefusedUntilTheOtherSiteIsFenced(t *testing.T) {
	t.Parallel()
	s := start(t, 150*time.Millisecond)
	if _, granted := s.renew("leeds"); !granted {
		t.Fatal("the first site has no lease")
	}
	if got := s.order("grant", "dublin", ""); got != http.StatusConflict {
		t.Errorf("grant beside a holder answered %d", got)
	}
	s.order("revoke", "leeds", "")
	if got := s.look().Sites["leeds"].State; got != lease.Expiring {
		t.Errorf("just revoked, leeds is %q", got)
	}
	if got := s.order("grant", "dublin", "k"); got != http.StatusConflict {
		t.Errorf("grant beside a running lease answered %d", got)
	}
	if _, granted := s.renew("leeds"); granted {
		t.Error("a revoked site renewed its lease")
	}
	shoptest.Until(t, "leeds is fenced", func() bool { return s.look().Sites["leeds"].State == lease.Fenced },
		func() string { return fmt.Sprint(s.look()) })
	if got := s.order("grant", "dublin", "k"); got != http.StatusOK {
		t.Errorf("grant after the fence, with the key that was refused before, answered %d", got)
	}
	if got := s.look(); got.Sites["dublin"].State != lease.Idle || got.Epoch != 2 || got.Promotions != 1 {
		t.Errorf("after the grant: %+v", got)
	}
	if _, granted := s.renew("dublin"); !granted {
		t.Fatal("the promoted site got no lease")
	}
	if got := s.look(); got.Sites["dublin"].State != lease.Holds || got.Holder != "dublin" || got.ExpiresAt == nil {
		t.Errorf("after the renewal: %+v", got)
	}
}

func TestEffectsCountOnce(t *testing.T) {
	t.Parallel()
	s := start(t, 20*time.Millisecond)
	for range 3 {
		s.order("revoke", "leeds", "first")
	}
	s.order("revoke", "leeds", "second")
	s.order("revoke", "leeds", "")
	for range 3 {
		if got := s.order("grant", "dublin", "third"); got != http.StatusOK {
			t.Fatalf("grant answered %d", got)
		}
	}
	s.order("grant", "dublin", "fourth")
	s.order("revoke", "leeds", "first")
	var got map[string]int
	s.call(http.MethodGet, "/effects", "", nil, &got)
	if diff := cmp.Diff(map[string]int{"revocations": 1, "promotions": 1}, got); diff != "" {
		t.Error(diff)
	}
	if got := s.order("revoke", "dublin", "first"); got != http.StatusUnprocessableEntity {
		t.Errorf("a key used for another site answered %d", got)
	}
	if got := s.look().Allowed; got != "dublin" {
		t.Errorf("the repeat of an old revocation took the right from %q", got)
	}
}

func TestLeaseOutlivesRestartOfTheService(t *testing.T) {
	t.Parallel()
	s := start(t, 2*time.Second)
	renewal, _ := s.renew("leeds")
	s.order("revoke", "leeds", "")
	if err := s.power.Off(); err != nil {
		t.Fatal(err)
	}
	if err := s.power.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.order("grant", "dublin", ""); got != http.StatusConflict || time.Now().After(renewal.ExpiresAt) {
		t.Errorf("while the old lease runs, grant answered %d", got)
	}
	if got := s.look().Sites["leeds"].State; got != lease.Expiring {
		t.Errorf("leeds is %q", got)
	}
}

func TestUnknownSiteAndBrokenRequestChangeNothing(t *testing.T) {
	t.Parallel()
	s := start(t, time.Second)
	if got := s.order("revoke", "paris", ""); got != http.StatusUnprocessableEntity {
		t.Errorf("an unknown site answered %d", got)
	}
	if got := s.call(http.MethodPost, "/admin/revoke", "", map[string]string{"sites": "leeds"}, nil); got != http.StatusUnprocessableEntity {
		t.Errorf("a misspelt field answered %d", got)
	}
	if got := s.look(); got.Allowed != "leeds" || got.Epoch != 1 {
		t.Errorf("now %+v", got)
	}
}
