package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Serve answers at address until ctx ends, and then stops as a killed process does: requests in flight are cut. It calls
// ready, if there is one, once it listens. An address in use is an error that names the part and the address.
func Serve(ctx context.Context, part, address string, handler http.Handler, ready func()) error {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("%s cannot listen at %s: %w", part, address, err)
	}
	server := &http.Server{
		Handler:           until(ctx, handler),
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { closed <- server.Close() })
	if ready != nil {
		ready()
	}
	err = server.Serve(listener)
	if stop() {
		return errors.Join(fmt.Errorf("%s stopped serving: %w", part, err), server.Close())
	}
	if err := <-closed; err != nil {
		return fmt.Errorf("close %s: %w", part, err)
	}
	return nil
}

// until drops callers that come after the end: a connection accepted at the moment of closing is served on by net/http,
// and would have answers from a part that is no more.
func until(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
		if ctx.Err() != nil {
			panic(http.ErrAbortHandler)
		}
	})
}
