package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// ErrCutOff is what a part that is cut off sees of its own calls.
var ErrCutOff = errors.New("the network is gone")

// Network is the wire between the parts. Who is cut off on it reaches nobody and is reached by nobody, and calls under
// way break, in both directions.
type Network struct {
	mu    sync.Mutex
	lines map[string]*line
}

// line is a part's connection: alive is done while the part is cut off.
type line struct {
	alive context.Context
	cut   context.CancelCauseFunc
}

// NewNetwork has everyone connected.
func NewNetwork() *Network { return &Network{lines: map[string]*line{}} }

func (n *Network) line(part string) *line {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lineLocked(part)
}

func (n *Network) lineLocked(part string) *line {
	if n.lines[part] == nil {
		alive, cut := context.WithCancelCause(context.Background())
		n.lines[part] = &line{alive: alive, cut: cut}
	}
	return n.lines[part]
}

// Cut takes the part off the network.
func (n *Network) Cut(part string) { n.line(part).cut(ErrCutOff) }

// Heal puts the part back.
func (n *Network) Heal(part string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lineLocked(part).alive.Err() != nil {
		delete(n.lines, part)
	}
}

// IsCut tells whether the part is off the network.
func (n *Network) IsCut(part string) bool { return n.line(part).alive.Err() != nil }

// Client makes the part's own calls. They have no timeout but the one of their context.
func (n *Network) Client(self string) *http.Client {
	return &http.Client{Transport: &transport{network: n, self: self, wire: &http.Transport{
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     30 * time.Second,
		DisableCompression:  true,
	}}}
}

type transport struct {
	network *Network
	self    string
	wire    *http.Transport
}

// CloseIdleConnections is what http.Client looks for.
func (t *transport) CloseIdleConnections() { t.wire.CloseIdleConnections() }

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	line := t.network.line(t.self)
	if line.alive.Err() != nil {
		return nil, fmt.Errorf("%s calls %s: %w", t.self, r.URL.Host, ErrCutOff)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	stop := context.AfterFunc(line.alive, func() { cancel(ErrCutOff) })
	done := func() { stop(); cancel(nil) }
	response, err := t.wire.RoundTrip(r.WithContext(ctx))
	if err != nil {
		done()
		return nil, err
	}
	response.Body = &body{ReadCloser: response.Body, done: done}
	return response, nil
}

type body struct {
	io.ReadCloser
	done func()
}

func (b *body) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

// Guard drops the connections of everyone who calls the part while it is cut off, and of those whose answer was not out
// when it was cut off.
func (n *Network) Guard(self string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := n.line(self)
		if line.alive.Err() != nil {
			panic(http.ErrAbortHandler)
		}
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		defer context.AfterFunc(line.alive, func() { cancel(ErrCutOff) })()
		next.ServeHTTP(&guarded{ResponseWriter: w, line: line}, r.WithContext(ctx))
		if line.alive.Err() != nil {
			panic(http.ErrAbortHandler)
		}
	})
}

type guarded struct {
	http.ResponseWriter
	line *line
}

func (g *guarded) WriteHeader(status int) {
	if g.line.alive.Err() != nil {
		panic(http.ErrAbortHandler)
	}
	g.ResponseWriter.WriteHeader(status)
}

func (g *guarded) Write(p []byte) (int, error) {
	if g.line.alive.Err() != nil {
		panic(http.ErrAbortHandler)
	}
	return g.ResponseWriter.Write(p)
}
