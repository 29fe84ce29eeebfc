package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/store"
)

// eventsPath is where pages hear of changes.
const eventsPath = "/events"

// The rhythms of live pages.
const (
	pollEvery = 250 * time.Millisecond // the change sequence, once for all pages of this process
	beatEvery = 3 * time.Second        // a sign of life to each page
)

// changes tells pages that something has changed; what, they find out by asking again.
type changes struct {
	mu    sync.Mutex
	now   int64
	moved chan struct{} // closed when now moves
}

func newChanges() *changes { return &changes{moved: make(chan struct{})} }

func (h *changes) run(ctx context.Context, s *store.Store, log *slog.Logger) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	failing := false
	for {
		n, err := s.Change(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			log.ErrorContext(ctx, "pages cannot be told of changes", "error", err)
		}
		failing = err != nil
		if err == nil {
			h.set(n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (h *changes) set(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n != h.now {
		h.now = n
		close(h.moved)
		h.moved = make(chan struct{})
	}
}

func (h *changes) get() (int64, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now, h.moved
}

// events streams "look again" to one page.
func (s *Server) events(c echo.Context) error {
	w := c.Response()
	control := http.NewResponseController(w)
	if err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})); err != nil {
		return fmt.Errorf("open the stream: %w", err)
	}
	w.Header().Set(echo.HeaderContentType, "text/event-stream")
	w.WriteHeader(http.StatusOK)
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	seen, moved := s.changes.get()
	for event := "beat"; ; {
		if _, err := fmt.Fprintf(w, "event: %s\nid: %d\ndata: %d\n\n", event, seen, seen); err != nil {
			return nil //nolint:nilerr // the page is gone
		}
		if err := control.Flush(); err != nil {
			return nil //nolint:nilerr // the page is gone
		}
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-moved:
			event = "change"
		case <-beat.C:
			event = "beat"
		}
		seen, moved = s.changes.get()
	}
}
