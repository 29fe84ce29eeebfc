package httpc

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"keyholder/internal/connector"
)

// lease is a real HTTP server of one value, whose behaviour a test bends.
type lease struct {
	*httptest.Server

	mu    sync.Mutex
	state string
	acts  []act
	// answer takes the place of the plain answer to an act, after its effect.
	answer http.HandlerFunc
	// noEffect lets an act change nothing.
	noEffect bool
}

type act struct {
	request *http.Request
	body    string
}

func newLease(t *testing.T) *lease {
	t.Helper()
	l := &lease{state: "holds"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /lease", func(w http.ResponseWriter, _ *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"state":%q}`, l.state)
	})
	mux.HandleFunc("POST /revoke", l.set("fenced"))
	mux.HandleFunc("POST /grant", l.set("holds"))
	l.Server = httptest.NewServer(mux)
	t.Cleanup(l.Close)
	return l
}

func (l *lease) set(state string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		l.mu.Lock()
		l.acts = append(l.acts, act{request: r.Clone(r.Context()), body: string(body)})
		if !l.noEffect {
			l.state = state
		}
		answer := l.answer
		l.mu.Unlock()
		if answer != nil {
			answer(w, r)
			return
		}
		w.Header().Set("X-Request-Id", "lease-7")
		w.WriteHeader(http.StatusAccepted)
	}
}

func (l *lease) calls() []act {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]act(nil), l.acts...)
}

func (l *lease) now() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// revoke is the step that takes the lease, with an undo; more is laid over it.
func (l *lease) revoke(t *testing.T, more map[string]any) connector.Params {
	t.Helper()
	return written(t, map[string]any{
		"observe":     map[string]any{"url": l.URL + "/lease"},
		"done_when":   []any{map[string]any{"pointer": "/state", "is": "eq", "value": "fenced"}},
		"apply":       map[string]any{"method": "POST", "url": l.URL + "/revoke?dry=no", "body": map[string]any{"site": "leeds"}},
		"undo":        map[string]any{"method": "POST", "url": l.URL + "/grant"},
		"undone_when": []any{map[string]any{"pointer": "/state", "is": "eq", "value": "holds"}},
		"wait":        "5s",
	}, more)
}

func written(t *testing.T, base map[string]any, more map[string]any) connector.Params {
	t.Helper()
	for key, value := range more {
		if base[key] = value; value == nil {
			delete(base, key)
		}
	}
	raw, err := json.Marshal(base)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func connect(t *testing.T) *Connector {
	t.Helper()
	return New(connector.NewSecrets(func(name string) (string, bool) {
		return "hunter2", name == "HOOK"
	}))
}

// hangUp ends the connection without a word.
func hangUp(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

// closedAddress is one that nobody listens on.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	return "http://" + l.Addr().String()
}

func mustSay(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}
