package shoptest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"
)

// block is how many neighbouring ports belong to one test; the first of them is held by the test itself.
const block = 16

// Address is one of Addresses.
func Address(t *testing.T) string {
	t.Helper()
	return Addresses(t, 1)[0]
}

// Addresses are n ports of this machine that nobody uses and no other test gets, at most fifteen. They lie below those the
// kernel hands out for outgoing connections, so that a part that was stopped finds its port free when it starts again.
func Addresses(t *testing.T, n int) []string {
	t.Helper()
	if n >= block {
		t.Fatalf("%d addresses are too many", n)
	}
	for range 200 {
		first := 15000 + block*rand.N(15000/block) // #nosec G404 -- a port is no secret
		guard, err := listen(t, first)
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = guard.Close() })
		if addresses := free(t, first+1, n); addresses != nil {
			return addresses
		}
	}
	t.Fatal("no free ports found")
	return nil
}

func free(t *testing.T, first, n int) []string {
	t.Helper()
	var addresses []string
	for port := first; port < first+n; port++ {
		l, err := listen(t, port)
		if err != nil {
			return nil
		}
		addresses = append(addresses, l.Addr().String())
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return addresses
}

func listen(t *testing.T, port int) (net.Listener, error) {
	t.Helper()
	var config net.ListenConfig
	return config.Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
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
