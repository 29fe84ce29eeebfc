package control

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Before and After say on which side of its effect a call is held.
const (
	Before = "before"
	After  = "after"
)

// Holds lets a test stop one admin call before or after its effect, to see what happens in between. They are forgotten
// when the shop ends, and every held call with them.
type Holds struct {
	mu    sync.Mutex
	holds map[string]*hold
}

type hold struct {
	match, when string
	reached     bool
	released    chan struct{}
}

// NewHolds has none set.
func NewHolds() *Holds { return &Holds{holds: map[string]*hold{}} }

// Set makes the next call that matches wait. Match is a method and a path, as in "POST /admin/grant", or "DNS UPDATE".
// An id that is set already is an error.
func (h *Holds) Set(id, match, when string) error {
	if id == "" || match == "" || (when != Before && when != After) {
		return fmt.Errorf("a hold needs an id, a match, and %q or %q", Before, After)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, taken := h.holds[id]; taken {
		return fmt.Errorf("hold %q is set already", id)
	}
	h.holds[id] = &hold{match: match, when: when, released: make(chan struct{})}
	return nil
}

// Release lets the held call go on, or forgets a hold that nothing reached. It tells whether there was one.
func (h *Holds) Release(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	held, found := h.holds[id]
	if found {
		close(held.released)
		delete(h.holds, id)
	}
	return found
}

// Reached tells whether a call has come to the hold, and whether there is such a hold.
func (h *Holds) Reached(id string) (reached, found bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	held, found := h.holds[id]
	return found && held.reached, found
}

// Wait blocks while a hold on this call stands, each hold for one call. It returns ctx's error when the caller went
// away: before the effect, the effect must then not happen.
func (h *Holds) Wait(ctx context.Context, call, when string) error {
	held := h.take(call, when)
	if held == nil {
		return nil
	}
	select {
	case <-held.released:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Holds) take(call, when string) *hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, held := range h.holds {
		if held.match == call && held.when == when && !held.reached {
			held.reached = true
			return held
		}
	}
	return nil
}

func (h *Holds) expected(call string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, held := range h.holds {
		if held.match == call && !held.reached {
			return true
		}
	}
	return false
}

// Middleware holds HTTP calls by method and path.
func (h *Holds) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := r.Method + " " + r.URL.Path
		if !h.expected(call) {
			next.ServeHTTP(w, r)
			return
		}
		// The server notices that a caller has gone away only once the body has been read to its end.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			Refuse(w, http.StatusBadRequest, "the request cannot be read")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if h.Wait(r.Context(), call, Before) != nil {
			panic(http.ErrAbortHandler)
		}
		answer := &recorded{header: http.Header{}, status: http.StatusOK}
		next.ServeHTTP(answer, r)
		if h.Wait(r.Context(), call, After) != nil {
			panic(http.ErrAbortHandler)
		}
		answer.send(w)
	})
}

// recorded keeps an answer back until its hold is released.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorded) Header() http.Header         { return a.header }
func (a *recorded) WriteHeader(status int)      { a.status = status }
func (a *recorded) Write(p []byte) (int, error) { return a.body.Write(p) }

func (a *recorded) send(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes())
}
