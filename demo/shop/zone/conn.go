package zone

import (
	"bufio"
	"context"
	"net"
	"sync"
	"time"
)

// watchedListener hands out connections that can tell whether their caller is still there while an answer is held.
type watchedListener struct {
	net.Listener
	conns sync.Map // remote address -> *watched
}

func (l *watchedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w := &watched{Conn: conn, reader: bufio.NewReader(conn), closed: func() { l.conns.Delete(conn.RemoteAddr().String()) }}
	l.conns.Store(conn.RemoteAddr().String(), w)
	return w, nil
}

// present is ctx until the caller at address hangs up. A caller over UDP is never known to have left. stop must be
// called before the connection is read again.
func (l *watchedListener) present(ctx context.Context, address net.Addr) (present context.Context, stop func()) {
	found, ok := l.conns.Load(address.String())
	if !ok || address.Network() != "tcp" {
		return ctx, func() {}
	}
	return found.(*watched).present(ctx)
}

type watched struct {
	net.Conn
	reader *bufio.Reader
	closed func()
}

func (w *watched) Read(p []byte) (int, error) { return w.reader.Read(p) }

func (w *watched) Close() error {
	w.closed()
	return w.Conn.Close()
}

// present waits for a byte without taking it: the end of the stream means that the caller hung up.
func (w *watched) present(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	_ = w.SetReadDeadline(time.Time{}) // a connection that refuses is broken, which the read tells
	go func() {
		defer close(done)
		if _, err := w.reader.Peek(1); err != nil {
			cancel()
		}
	}()
	return ctx, func() {
		_ = w.SetReadDeadline(time.Now()) // ends the wait
		<-done
		cancel()
	}
}
