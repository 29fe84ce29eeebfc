package site_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/lease"
	"keyholder/demo/shop/shoptest"
	"keyholder/demo/shop/site"
)

const (
	leeds  = "leeds"
	dublin = "dublin"
	ttl    = 600 * time.Millisecond
)

// rig is a lease service and two sites, each of which a test can stop, start, cut off and freeze.
type rig struct {
	t       *testing.T
	dir     string
	network *control.Network
	holds   *control.Holds
	lease   *control.Switch
	sites   map[string]*control.Switch
	address map[string]string
	frozen  map[string]*atomic.Bool
	lag     atomic.Int64
	post    time.Duration
}

func newRig(t *testing.T) *rig {
	free := shoptest.Addresses(t, 3)
	r := &rig{
		t: t, dir: t.TempDir(), network: control.NewNetwork(), holds: control.NewHolds(),
		sites: map[string]*control.Switch{}, address: map[string]string{"lease": free[0], leeds: free[1], dublin: free[2]},
		frozen: map[string]*atomic.Bool{}, post: 20 * time.Millisecond,
	}
	r.lease = control.NewSwitch("lease", r.runLease)
	for _, slug := range []string{leeds, dublin} {
		r.frozen[slug] = &atomic.Bool{}
		r.sites[slug] = control.NewSwitch(slug, r.runSite(slug))
	}
	return r
}

func (r *rig) runLease(ctx context.Context, ready func()) error {
	service, err := lease.New(lease.Config{
		Dir: r.dir, Listen: r.address["lease"], Sites: []string{leeds, dublin}, First: leeds, TTL: ttl,
		Holds: r.holds, Ready: ready,
	})
	if err != nil {
		return err
	}
	return service.Run(ctx)
}

func (r *rig) runSite(slug string) control.Part {
	return func(ctx context.Context, ready func()) error {
		one, err := site.New(site.Config{
			Slug: slug, Dir: r.dir, Listen: r.address[slug], Lease: r.address["lease"], Peers: r.address,
			Network: r.network, Holds: r.holds, Frozen: r.frozen[slug].Load,
			Lag:  func() time.Duration { return time.Duration(r.lag.Load()) },
			Pace: site.Pace{TTL: ttl, Pull: 10 * time.Millisecond, Post: r.post, PostsPerTurn: 5},
			Log:  slog.New(slog.DiscardHandler), Ready: ready,
		})
		if err != nil {
			return err
		}
		return one.Run(ctx)
	}
}

// run starts everything, and stops it at the end of the test.
func (r *rig) run() *rig {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	group := &errgroup.Group{}
	for _, part := range []*control.Switch{r.lease, r.sites[leeds], r.sites[dublin]} {
		ready, ended := make(chan struct{}), make(chan error, 1)
		group.Go(func() error {
			err := part.Run(ctx, true, func() { close(ready) })
			ended <- err
			return err
		})
		select {
		case <-ready:
		case err := <-ended:
			cancel()
			r.t.Fatal(err)
		}
	}
	r.t.Cleanup(func() {
		cancel()
		if err := group.Wait(); err != nil {
			r.t.Errorf("the rig ended with %v", err)
		}
	})
	r.until("leeds writes", func() bool { return r.status(leeds).State == site.Writer })
	r.until("dublin follows", func() bool { return r.status(dublin).Following == leeds })
	return r
}

func (r *rig) until(what string, done func() bool) {
	r.t.Helper()
	shoptest.Until(r.t, what, done, func() string {
		return fmt.Sprintf("leeds %+v\ndublin %+v", r.status(leeds), r.status(dublin))
	})
}

func (r *rig) call(method, part, path, key string, body, answer any) (int, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.address[part]+path, bytes.NewReader(raw))
	if err != nil {
		return 0, err
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if answer == nil {
		return response.StatusCode, nil
	}
	return response.StatusCode, json.Unmarshal(got, answer)
}

// status is empty when the site does not answer.
func (r *rig) status(slug string) site.Status {
	var status site.Status
	if code, err := r.call(http.MethodGet, slug, "/status", "", nil, &status); err != nil || code != http.StatusOK {
		return site.Status{}
	}
	return status
}

func purchase() site.Purchase { return site.Purchase{SKU: "tea", Quantity: 1, AmountMinor: 499} }

// buy returns the status, which is 0 when the site did not answer.
func (r *rig) buy(slug, key string) (int, site.Receipt) {
	var receipt site.Receipt
	code, err := r.call(http.MethodPost, slug, "/checkout", key, purchase(), &receipt)
	if err != nil {
		return 0, site.Receipt{}
	}
	return code, receipt
}

// served buys until it is not told that there is no lease, as after a hiccup of a busy machine.
func (r *rig) served(slug, key string) (code int, receipt site.Receipt) {
	r.t.Helper()
	r.until("an answer for "+key+" at "+slug, func() bool {
		code, receipt = r.buy(slug, key)
		return code != 0 && code != http.StatusServiceUnavailable
	})
	return code, receipt
}

// mustBuy tries again as a customer does: on a busy machine a lease this short may lapse for a moment.
func (r *rig) mustBuy(slug string, keys ...string) {
	r.t.Helper()
	for _, key := range keys {
		r.until("buying "+key+" at "+slug, func() bool {
			code, _ := r.buy(slug, key)
			return code == http.StatusCreated || code == http.StatusOK
		})
	}
}

func keys(name string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%d", name, i)
	}
	return all
}

func (r *rig) orders(slug, path string) []site.Order {
	r.t.Helper()
	var answer struct{ Orders []site.Order }
	if code, err := r.call(http.MethodGet, slug, path, "", nil, &answer); err != nil || code != http.StatusOK {
		r.t.Fatalf("%s%s: %d %v", slug, path, code, err)
	}
	return answer.Orders
}

func (r *rig) admin(part, path string, body any) int {
	r.t.Helper()
	code, err := r.call(http.MethodPost, part, path, "", body, nil)
	if err != nil {
		r.t.Fatalf("%s%s: %v", part, path, err)
	}
	return code
}

type siteBody struct {
	Site string `json:"site"`
}

func (r *rig) leaseState(slug string) lease.State {
	r.t.Helper()
	var view lease.Overview
	if _, err := r.call(http.MethodGet, "lease", "/lease", "", nil, &view); err != nil {
		r.t.Fatal(err)
	}
	return view.Sites[slug].State
}

// move fences one site and promotes the other.
func (r *rig) move(from, to string) {
	r.t.Helper()
	r.admin("lease", "/admin/revoke", siteBody{from})
	r.until(from+" is fenced", func() bool { return r.leaseState(from) == lease.Fenced })
	if code := r.admin("lease", "/admin/grant", siteBody{to}); code != http.StatusOK {
		r.t.Fatalf("grant to %s answered %d", to, code)
	}
	r.until(to+" writes", func() bool { return r.status(to).State == site.Writer })
}

func (r *rig) turn(part *control.Switch, on bool) {
	r.t.Helper()
	var err error
	if on {
		err = part.On(r.t.Context())
	} else {
		err = part.Off()
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		r.t.Fatal(err)
	}
}
