// Package shoptest owns what the tests of the shop's parts share. It never runs outside of tests.
package shoptest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"
)

// FreeAddress is a port of this machine that nobody uses, below those the kernel hands out for outgoing connections: a
// part that is stopped and started again must find its port free.
func FreeAddress(t *testing.T) string {
	t.Helper()
	var listen net.ListenConfig
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(15000+rand.N(15000)))
		l, err := listen.Listen(t.Context(), "tcp", address)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatal("no free port found")
	return ""
}

// Until polls, because the shop lives in real time. If it does not come about, explain says what was there instead.
func Until(t *testing.T, what string, done func() bool, explain func() string) {
	t.Helper()
	const patience = 30 * time.Second
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s\n%s", patience, what, explain())
		}
	}
}
