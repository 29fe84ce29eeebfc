package dnsc

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

func TestWithoutTheRightKeyNothingChanges(t *testing.T) {
	b, c := newBind(t), connect()
	for name, x := range map[string]struct {
		tsig map[string]any
		kind fault.Kind
		says string
	}{
		"wrong secret": {b.key("keyholder.", "wrong"), fault.Conflict, "the secret of the key keyholder. is not the one it knows"},
		"unknown key":  {b.key("stranger.", "key"), fault.Conflict, "it does not know the key stranger."},
		"no right":     {b.key("onlooker.", "key"), fault.Conflict, "it does not let the key onlooker. change these records"},
		"no base64":    {b.key("keyholder.", "garbage"), fault.Unavailable, "is not base64"},
		"no file":      {b.key("keyholder.", "none"), fault.Unavailable, "cannot be read on this worker"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			e, err := c.Apply(ctx, "key", b.move(t, map[string]any{"tsig": x.tsig, "wait": "10m"}))
			mustSay(t, err, x.kind, x.says)
			if ctx.Err() != nil || b.serial(t) != 1 || strings.Contains(err.Error()+e.Did, "this is not base64!") {
				t.Errorf("%+v, %v", e, err)
			}
			if !strings.HasPrefix(e.Did, "UPDATE shop.demo.") || string(e.After.Body) != string(e.Before.Body) {
				t.Errorf("evidence: %+v", e)
			}
		})
	}
}

func TestAServerThatIsNotTheAuthorityIsRefused(t *testing.T) {
	b, c := newBind(t), connect()
	for _, zone := range []string{"demo.", "checkout.shop.demo."} {
		p := b.move(t, map[string]any{"zone": zone})
		_, err := c.Apply(t.Context(), "key", p)
		mustSay(t, err, fault.Conflict, "does not serve the zone "+zone)
		if o, err := c.Observe(t.Context(), p); err == nil || o.Error == "" {
			t.Errorf("observed %+v", o)
		}
	}
	if b.serial(t) != 1 {
		t.Error("changed")
	}
}

func TestAServerThatIsAwayIsNamed(t *testing.T) {
	b, c := newBind(t), connect()
	b.stop(t)
	deadline := time.Now().Add(10 * time.Second)
	for b.serial(t) != 0 && time.Now().Before(deadline) {
		continue
	}
	o, err := c.Observe(t.Context(), b.move(t, nil))
	mustSay(t, err, fault.Unavailable, "The name server "+b.addr+" cannot be reached: read: connection refused.")
	if o.Error == "" {
		t.Errorf("%+v", o)
	}
	if e, err := c.Apply(t.Context(), "key", b.move(t, nil)); err == nil || e.Did != "" {
		t.Errorf("acted blind: %+v, %v", e, err)
	}
}

func TestAServerThatIsSilentTimesOut(t *testing.T) {
	silent := listenUDP(t, "127.0.0.1:0")
	p := (&bind{addr: silent.LocalAddr().String()}).move(t, map[string]any{"timeout": "200ms"})
	start := time.Now()
	_, err := connect().Observe(t.Context(), p)
	mustSay(t, err, fault.Unavailable, "did not answer within 200ms")
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("after %s", d)
	}
}

func TestObserveEndsWhenCalledOff(t *testing.T) {
	silent := listenUDP(t, "127.0.0.1:0")
	p := (&bind{addr: silent.LocalAddr().String()}).move(t, map[string]any{"timeout": "10m"})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // called off once the question is out
		_, _, _ = silent.ReadFrom(make([]byte, 512))
		cancel()
	}()
	_, err := connect().Observe(ctx, p)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestGarbageIsNoAnswer(t *testing.T) {
	for name, reply := range map[string]func(q *dns.Msg) []byte{
		"noise": func(*dns.Msg) []byte { return []byte("\x00\xfflorem ipsum dolor sit amet") },
		"an answer to something else": func(q *dns.Msg) []byte {
			m := new(dns.Msg).SetReply(q)
			m.Question[0].Name = "evil.demo."
			return pack(m)
		},
		"a lame server": func(q *dns.Msg) []byte { return pack(new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)) },
	} {
		t.Run(name, func(t *testing.T) {
			conn := listenUDP(t, "127.0.0.1:0")
			go answerUDP(conn, reply)
			p := (&bind{addr: conn.LocalAddr().String()}).move(t, map[string]any{"timeout": "1s"})
			if o, err := connect().Observe(t.Context(), p); err == nil || o.Error == "" {
				t.Errorf("%+v, %v", o, err)
			}
		})
	}
}

// A cache may say that the records are where they should be, or that they may be moved; only the authority is believed.
func TestACacheIsNotBelieved(t *testing.T) {
	for _, there := range []string{leeds, dublin} {
		conn := listenUDP(t, "127.0.0.1:0")
		go answerUDP(conn, func(q *dns.Msg) []byte {
			m := new(dns.Msg).SetReply(q)
			line := "shop.demo. 2 IN SOA ns.shop.demo. h.shop.demo. 1 60 60 3600 2"
			if q.Question[0].Qtype == dns.TypeSRV {
				line = "checkout.shop.demo. 2 IN SRV " + there
			}
			rr, err := dns.NewRR(line)
			if err != nil {
				panic(err)
			}
			m.Answer = []dns.RR{rr}
			return pack(m)
		})
		e, err := connect().Apply(t.Context(), "key", (&bind{addr: conn.LocalAddr().String()}).move(t, nil))
		mustSay(t, err, fault.Conflict, "does not answer for checkout.shop.demo. as its authority")
		if e.Already || e.Did != "" {
			t.Errorf("%s: %+v", there, e)
		}
	}
}

func TestALostAnswerAfterTheEffectIsOneChange(t *testing.T) {
	b, c := newBind(t), connect()
	p := b.move(t, map[string]any{"server": loseAnswers(t, b.addr), "timeout": "1s"})
	e, err := c.Apply(t.Context(), "key", p)
	if err != nil || !cmp.Equal(records(t, e.After).Records, []string{dublin}) || b.serial(t) != 2 {
		t.Errorf("%+v, %v", e, err)
	}
	if !strings.Contains(e.Did, "Its effect was seen nevertheless.") {
		t.Errorf("did: %s", e.Did)
	}
}

// An answer that anybody could have written is not taken for success.
func TestAnUnsignedSuccessProvesNothing(t *testing.T) {
	b, c := newBind(t), connect()
	liar := forwardUDP(t, b.addr)
	go acceptAll(liar, func(conn net.Conn) {
		co := &dns.Conn{Conn: conn, TsigSecret: map[string]string{}}
		m, _ := co.ReadMsg() // the signature cannot be checked here
		if m != nil {
			_ = co.WriteMsg(new(dns.Msg).SetReply(m))
		}
	})
	_, err := c.Apply(t.Context(), "key", b.move(t, map[string]any{"server": liar.Addr().String(), "wait": "200ms"}))
	mustSay(t, err, fault.Unavailable, "without a signature", "is "+leeds+", wanted "+dublin)
}

func listenUDP(t *testing.T, addr string) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func answerUDP(conn net.PacketConn, reply func(*dns.Msg) []byte) {
	buf := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		q := new(dns.Msg)
		if q.Unpack(buf[:n]) == nil {
			_, _ = conn.WriteTo(reply(q), from)
		}
	}
}

func pack(m *dns.Msg) []byte {
	raw, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return raw
}

// forwardUDP passes questions on to a server, and leaves TCP on the same port to the caller.
func forwardUDP(t *testing.T, to string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	conn := listenUDP(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Addr().(*net.TCPAddr).Port)))
	go answerUDP(conn, func(q *dns.Msg) []byte {
		client := &dns.Client{Timeout: time.Second}
		got, _, err := client.Exchange(q, to)
		if err != nil {
			got = new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		}
		return pack(got)
	})
	return l
}

// loseAnswers lets updates through to a server and throws its answers away.
func loseAnswers(t *testing.T, to string) string {
	t.Helper()
	l := forwardUDP(t, to)
	go acceptAll(l, func(conn net.Conn) {
		up, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer func() { _ = up.Close() }()
		go func() { _, _ = io.Copy(up, conn) }()
		_, _ = up.Read(make([]byte, 1)) // the effect is there
	})
	return l.Addr().String()
}

func acceptAll(l net.Listener, handle func(net.Conn)) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		handle(conn)
		_ = conn.Close()
	}
}

func TestCheckNamesTheField(t *testing.T) {
	b := &bind{addr: "127.0.0.1:53", dir: t.TempDir()}
	long := strings.Repeat("a", 64) + ".shop.demo."
	type m = map[string]any
	for name, c := range map[string]struct {
		more  m
		field string
	}{
		"fine":                 {nil, ""},
		"fine, to look":        {m{"from": nil, "to": nil, "tsig": nil, "ttl": nil}, ""},
		"unknown":              {m{"records": []string{leeds}}, "records"},
		"unknown deeper":       {m{"tsig": m{"key": 1}}, "key"},
		"no port":              {m{"server": "127.0.0.1"}, "server"},
		"no host":              {m{"server": ":53"}, "server"},
		"port by name":         {m{"server": "ns:domain"}, "server"},
		"port too high":        {m{"server": "ns:70000"}, "server"},
		"zone without dot":     {m{"zone": "shop.demo"}, "zone"},
		"no zone":              {m{"zone": nil}, "zone"},
		"name outside":         {m{"name": "checkout.other.demo."}, "name"},
		"name of a sibling":    {m{"name": "evilshop.demo."}, "name"},
		"name too long":        {m{"name": long}, "name"},
		"name with a line":     {m{"name": "a\n$INCLUDE /etc/passwd\n.shop.demo."}, "name"},
		"name with a quote":    {m{"name": `a".shop.demo.`}, "name"},
		"name of another line": {m{"name": "$ORIGIN.shop.demo."}, "name"},
		"SOA":                  {m{"type": "SOA"}, "type"},
		"NS":                   {m{"type": "NS"}, "type"},
		"ANY":                  {m{"type": "ANY"}, "type"},
		"lower case":           {m{"type": "srv"}, "type"},
		"no ttl":               {m{"ttl": nil}, "ttl"},
		"negative ttl":         {m{"ttl": -1}, "ttl"},
		"endless ttl":          {m{"ttl": 1 << 40}, "ttl"},
		"ttl as text":          {m{"ttl": "2"}, "ttl"},
		"no from":              {m{"from": nil}, "from"},
		"from nothing":         {m{"from": []string{}}, "from"},
		"to nothing":           {m{"to": []string{}}, "to"},
		"to the same":          {m{"to": []string{"0 100 8081 LEEDS.shop.demo."}}, "to"},
		"twice":                {m{"to": []string{dublin, dublin}}, "to[1]"},
		"wrong value":          {m{"to": []string{"127.0.0.1"}}, "to[0]"},
		"two lines":            {m{"to": []string{dublin + "\nevil.shop.demo. 2 IN A 1.2.3.4"}}, "to[0]"},
		"include":              {m{"to": []string{"\n$INCLUDE /etc/passwd"}}, "to[0]"},
		"empty value":          {m{"to": []string{""}}, "to[0]"},
		"comment":              {m{"to": []string{"; " + dublin}}, "to[0]"},
		"no ASCII":             {m{"to": []string{"0 100 1 é.demo."}}, "to[0]"},
		"no key":               {m{"tsig": nil}, "tsig"},
		"key without dot":      {m{"tsig": m{"name": "keyholder", "algorithm": "hmac-sha256", "secret": "env:X"}}, "tsig.name"},
		"weak algorithm":       {m{"tsig": m{"name": "k.", "algorithm": "hmac-md5", "secret": "env:X"}}, "tsig.algorithm"},
		"secret itself":        {m{"tsig": m{"name": "k.", "algorithm": "hmac-sha256", "secret": "hunter2"}}, "tsig.secret"},
		"wait":                 {m{"wait": "1h"}, "wait"},
		"timeout":              {m{"timeout": "-1s"}, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			err := connect().Check(b.move(t, c.more))
			if c.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			f := fault.As(err)
			if f == nil || f.Kind != fault.Invalid || f.Fields[c.field] == "" {
				t.Fatalf("%v, want something about %s", err, c.field)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the secret is repeated: %v", err)
			}
		})
	}
	if err := connect().Check(connector.Params(`[]`)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
}
