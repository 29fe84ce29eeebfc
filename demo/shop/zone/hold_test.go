package zone

import (
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"

	"keyholder/demo/shop/control"
)

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(5 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("not within 5 s: %s", what)
		case <-tick.C:
		}
	}
}

// call sends an update and leaves the connection with the caller.
func (s *server) call(m *dns.Msg) *dns.Conn {
	s.t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(s.t.Context(), "tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	call := &dns.Conn{Conn: conn, TsigSecret: map[string]string{KeyName: s.key()}}
	if err := call.WriteMsg(sign(m)); err != nil {
		s.t.Fatal(err)
	}
	return call
}

func (s *server) hold(when string) {
	s.t.Helper()
	if err := s.holds.Set("h", Update, when); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) reached() bool {
	reached, _ := s.holds.Reached("h")
	return reached
}

func TestUpdateHeldBeforeItsEffectHappensOnRelease(t *testing.T) {
	s := start(t, t.TempDir())
	s.hold(control.Before)
	call := s.call(move(t, toLeeds, toDublin))
	eventually(t, "the hold is reached", s.reached)
	s.want(toLeeds, 0)
	s.holds.Release("h")
	answer, err := call.ReadMsg()
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, answer, dns.RcodeSuccess)
	s.want(toDublin, 1)
	// the connection still serves; dns.Conn would chain the second signature to the first, so it is made anew
	call = &dns.Conn{Conn: call.Conn, TsigSecret: call.TsigSecret}
	if err := call.WriteMsg(sign(move(t, toDublin, toLeeds))); err != nil {
		t.Fatal(err)
	}
	if answer, err = call.ReadMsg(); err != nil {
		t.Fatal(err)
	}
	wantCode(t, answer, dns.RcodeSuccess)
	s.want(toLeeds, 2)
}

func TestUpdateHeldBeforeItsEffectNeverHappensOnceTheCallerIsGone(t *testing.T) {
	s := start(t, t.TempDir())
	s.hold(control.Before)
	call := s.call(move(t, toLeeds, toDublin))
	eventually(t, "the hold is reached", s.reached)
	if err := call.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server has noticed", func() bool {
		watching := 0
		s.zone.watching().conns.Range(func(any, any) bool { watching++; return true })
		return watching == 0
	})
	s.holds.Release("h")
	s.want(toLeeds, 0)
}

func TestUpdateHeldAfterItsEffectHasHappened(t *testing.T) {
	s := start(t, t.TempDir())
	s.hold(control.After)
	call := s.call(move(t, toLeeds, toDublin))
	eventually(t, "the hold is reached", s.reached)
	s.want(toDublin, 1)
	if err := call.Close(); err != nil {
		t.Fatal(err)
	}
	s.holds.Release("h")
	s.want(toDublin, 1)
}

func TestHeldUpdateDoesNotKeepTheServerFromStopping(t *testing.T) {
	s := start(t, t.TempDir())
	s.hold(control.Before)
	s.call(move(t, toLeeds, toDublin))
	eventually(t, "the hold is reached", s.reached)
	s.stop()
	if got := s.zone.Changes(); got != 0 {
		t.Errorf("changes = %d", got)
	}
}
