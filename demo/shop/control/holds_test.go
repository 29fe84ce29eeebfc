package control_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/shoptest"
)

type held struct {
	*control.Holds
	t       *testing.T
	server  *httptest.Server
	effects atomic.Int64
	over    chan struct{} // takes one for each call that the server is done with
}

func newHeld(t *testing.T) *held {
	h := &held{Holds: control.NewHolds(), t: t, over: make(chan struct{}, 10)}
	act := h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		h.effects.Add(1)
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(body)
	}))
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { h.over <- struct{}{} }()
		act.ServeHTTP(w, r)
	}))
	t.Cleanup(h.server.Close)
	return h
}

type result struct {
	status int
	body   string
	err    error
}

func (h *held) call(ctx context.Context) <-chan result {
	done := make(chan result, 1)
	go func() { done <- h.post(ctx) }()
	return done
}

func (h *held) post(ctx context.Context) result {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.server.URL+"/admin/grant", strings.NewReader("dublin"))
	if err != nil {
		return result{err: err}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return result{err: err}
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return result{status: response.StatusCode, body: string(body), err: err}
}

func (h *held) set(when string) {
	h.t.Helper()
	if err := h.Set("x", "POST /admin/grant", when); err != nil {
		h.t.Fatal(err)
	}
}

func (h *held) reached() {
	h.t.Helper()
	shoptest.Until(h.t, "the hold is reached", func() bool { reached, _ := h.Reached("x"); return reached },
		func() string { return "nobody came" })
}

func TestHoldBeforeKeepsTheEffectBack(t *testing.T) {
	h := newHeld(t)
	h.set(control.Before)
	done := h.call(t.Context())
	h.reached()
	if got := h.effects.Load(); got != 0 {
		t.Errorf("held before its effect, it had %d", got)
	}
	if !h.Release("x") {
		t.Error("there was nothing to release")
	}
	if got := <-done; got.status != http.StatusAccepted || got.body != "dublin" {
		t.Errorf("released: %+v", got)
	}
	if got := h.effects.Load(); got != 1 {
		t.Errorf("released, it had %d effects", got)
	}
}

func TestHoldAfterKeepsTheAnswerBack(t *testing.T) {
	h := newHeld(t)
	h.set(control.After)
	done := h.call(t.Context())
	h.reached()
	if got := h.effects.Load(); got != 1 {
		t.Errorf("held after its effect, it had %d", got)
	}
	select {
	case got := <-done:
		t.Errorf("the answer was not held: %+v", got)
	default:
	}
	h.Release("x")
	if got := <-done; got.status != http.StatusAccepted || got.body != "dublin" {
		t.Errorf("released: %+v", got)
	}
}

func TestCallerWhoLeavesWhileHeldBeforeHasNoEffect(t *testing.T) {
	h := newHeld(t)
	h.set(control.Before)
	ctx, leave := context.WithCancel(t.Context())
	done := h.call(ctx)
	h.reached()
	leave()
	if got := <-done; got.err == nil {
		t.Fatalf("the caller left and was answered %+v", got)
	}
	<-h.over
	h.Release("x")
	if got := h.effects.Load(); got != 0 {
		t.Errorf("nobody waits for it, and it had %d effects", got)
	}
}

func TestHoldIsForOneCall(t *testing.T) {
	h := newHeld(t)
	h.set(control.Before)
	first := h.call(t.Context())
	h.reached()
	if got := h.post(t.Context()); got.status != http.StatusAccepted {
		t.Errorf("the second call: %+v", got)
	}
	if err := h.Set("x", "POST /other", control.After); err == nil {
		t.Error("an id was used twice")
	}
	h.Release("x")
	<-first
	if _, found := h.Reached("x"); found || h.Release("x") {
		t.Error("a released hold is still there")
	}
}

func TestHoldNeedsASide(t *testing.T) {
	if err := control.NewHolds().Set("x", "POST /admin/grant", "during"); err == nil {
		t.Error(`"during" was accepted`)
	}
}
