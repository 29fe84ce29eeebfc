package site_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/site"
)

func (r *rig) metrics(slug string) string {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+r.address[slug]+"/metrics", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(page)
}

func TestMetricsCountWhatTheSiteDid(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.mustBuy(leeds, "one", "two")
	r.served(leeds, "one")
	r.buy(dublin, "three")
	page := r.metrics(leeds)
	for _, want := range []string{"shop_checkout_accepted_total 2\n", "shop_replication_lag_seconds 0\n"} {
		if !strings.Contains(page, want) {
			t.Errorf("leeds lacks %q", want)
		}
	}
	if strings.Contains(page, "shop_checkout_duplicates_total 0\n") {
		t.Error("leeds counted no duplicate")
	}
	r.until("leeds writes, by its metrics", func() bool { return strings.Contains(r.metrics(leeds), "shop_writer 1\n") })
	if page := r.metrics(dublin); !strings.Contains(page, "shop_checkout_refused_total 1\n") || !strings.Contains(page, "shop_writer 0\n") {
		t.Errorf("dublin: %s", page)
	}
}

func TestHealthDoesNotDependOnTheLease(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	r.turn(r.lease, false)
	r.until("leeds has no lease", func() bool { return r.status(leeds).State == site.Fenced })
	for _, slug := range []string{leeds, dublin} {
		if code, err := r.call(http.MethodGet, slug, "/healthz", "", nil, nil); err != nil || code != http.StatusOK {
			t.Errorf("%s: %d %v", slug, code, err)
		}
	}
}

func TestHeldDrainHasNoEffectUntilItIsReleased(t *testing.T) {
	t.Parallel()
	r := newRig(t).run()
	if err := r.holds.Set("x", "POST /admin/drain", control.Before); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := r.call(http.MethodPost, leeds, "/admin/drain", "k", nil, nil)
		done <- err
	}()
	r.until("the hold is reached", func() bool { reached, _ := r.holds.Reached("x"); return reached })
	if r.status(leeds).Draining {
		t.Error("held before its effect, the drain had it")
	}
	r.holds.Release("x")
	if err := <-done; err != nil || !r.status(leeds).Draining {
		t.Errorf("released: %v, %+v", err, r.status(leeds))
	}
}
