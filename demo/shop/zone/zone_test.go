package zone

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/shoptest"
)

type server struct {
	t       *testing.T
	zone    *Zone
	holds   *control.Holds
	address string
	stop    func()
}

func start(t *testing.T, dir string) *server {
	t.Helper()
	s := &server{t: t, holds: control.NewHolds(), address: shoptest.Address(t)}
	ready := make(chan struct{})
	zone, err := New(Config{
		Listen: s.address, Dir: dir, SecretFile: filepath.Join(dir, "tsig"), Holds: s.holds,
		Sites:  map[string]string{"leeds": "127.0.0.1:7001", "dublin": "127.0.0.1:7002"},
		Writer: "leeds", Ready: func() { close(ready) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.zone = zone
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- zone.Run(ctx) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("the name server did not start: %v", err)
	}
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(s.stop)
	return s
}

const (
	toLeeds  = "checkout.shop.demo. 2 IN SRV 0 100 7001 leeds.shop.demo."
	toDublin = "checkout.shop.demo. 2 IN SRV 0 100 7002 dublin.shop.demo."
)

func rr(t *testing.T, line string) dns.RR {
	t.Helper()
	record, err := dns.NewRR(line)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// move is the update that the product sends: if the set is exactly from, make it to.
func move(t *testing.T, from, to string) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetUpdate(Origin)
	m.Used([]dns.RR{rr(t, from)})
	m.RemoveRRset([]dns.RR{rr(t, to)})
	m.Insert([]dns.RR{rr(t, to)})
	return m
}

func sign(m *dns.Msg) *dns.Msg { return m.SetTsig(KeyName, dns.HmacSHA256, fudge, time.Now().Unix()) }

func (s *server) key() string {
	s.t.Helper()
	raw, err := os.ReadFile(s.zone.cfg.SecretFile)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

func (s *server) send(transport string, m *dns.Msg, secrets map[string]string) *dns.Msg {
	s.t.Helper()
	client := &dns.Client{Net: transport, Timeout: 5 * time.Second, TsigSecret: secrets}
	answer, _, err := client.ExchangeContext(s.t.Context(), m, s.address)
	if answer == nil {
		s.t.Fatalf("no answer: %v", err)
	}
	return answer
}

func (s *server) sendSigned(m *dns.Msg) *dns.Msg {
	s.t.Helper()
	return s.send("tcp", sign(m), map[string]string{KeyName: s.key()})
}

func (s *server) lookup(transport, name string, kind uint16) *dns.Msg {
	s.t.Helper()
	return s.send(transport, new(dns.Msg).SetQuestion(name, kind), nil)
}

func (s *server) serial() uint32 {
	s.t.Helper()
	return s.lookup("udp", Origin, dns.TypeSOA).Answer[0].(*dns.SOA).Serial
}

// want checks what the tills see and how often it was changed.
func (s *server) want(record string, changes int) {
	s.t.Helper()
	answer := s.lookup("udp", Record, dns.TypeSRV)
	var got []string
	for _, rr := range answer.Answer {
		got = append(got, strings.ReplaceAll(rr.String(), "\t", " "))
	}
	if diff := cmp.Diff([]string{record}, got); diff != "" {
		s.t.Errorf("the tills' record (-want +got):\n%s", diff)
	}
	if !answer.Authoritative {
		s.t.Error("the answer is not authoritative")
	}
	if got := s.zone.Changes(); got != changes {
		s.t.Errorf("changes = %d, want %d", got, changes)
	}
	if got, want := s.serial(), uint32(1+changes); got != want {
		s.t.Errorf("serial = %d, want %d", got, want)
	}
}

func wantCode(t *testing.T, m *dns.Msg, code int) {
	t.Helper()
	if m.Rcode != code {
		t.Errorf("answered %s, want %s", dns.RcodeToString[m.Rcode], dns.RcodeToString[code])
	}
}

func TestNewZoneSendsTillsToTheWriter(t *testing.T) {
	s := start(t, t.TempDir())
	s.want(toLeeds, 0)
	for name, kind := range map[string]uint16{"leeds.shop.demo.": dns.TypeA, Origin: dns.TypeNS, "ns.shop.demo.": dns.TypeA} {
		for _, transport := range []string{"udp", "tcp"} {
			if answer := s.lookup(transport, name, kind); len(answer.Answer) != 1 {
				t.Errorf("%s %s over %s: %v", name, dns.TypeToString[kind], transport, answer.Answer)
			}
		}
	}
	wantCode(t, s.lookup("udp", "nobody.shop.demo.", dns.TypeA), dns.RcodeNameError)
	wantCode(t, s.lookup("udp", "leeds.shop.demo.", dns.TypeSRV), dns.RcodeSuccess)
	wantCode(t, s.lookup("udp", "elsewhere.example.", dns.TypeA), dns.RcodeRefused)
	if extra := s.lookup("udp", Record, dns.TypeSRV).Extra; len(extra) != 1 {
		t.Errorf("the target's address is not added: %v", extra)
	}
}

func TestSignedUpdateMovesTheRecordOnce(t *testing.T) {
	s := start(t, t.TempDir())
	wantCode(t, s.sendSigned(move(t, toLeeds, toDublin)), dns.RcodeSuccess)
	s.want(toDublin, 1)
	wantCode(t, s.sendSigned(move(t, toLeeds, toDublin)), dns.RcodeNXRrset)
	s.want(toDublin, 1)
	wantCode(t, s.sendSigned(move(t, toDublin, toDublin)), dns.RcodeSuccess)
	s.want(toDublin, 1)
	answer := s.send("udp", sign(move(t, toDublin, toLeeds)), map[string]string{KeyName: s.key()})
	wantCode(t, answer, dns.RcodeSuccess)
	if answer.IsTsig() == nil {
		t.Error("the answer is not signed")
	}
	s.want(toLeeds, 2)
}

func TestUntrustedUpdateChangesNothing(t *testing.T) {
	s := start(t, t.TempDir())
	wrong := "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmc="
	late := move(t, toLeeds, toDublin).SetTsig(KeyName, dns.HmacSHA256, fudge, time.Now().Add(-time.Hour).Unix())
	for _, c := range []struct {
		name    string
		m       *dns.Msg
		secrets map[string]string
		code    int
		tsig    uint16
	}{
		{"not signed", move(t, toLeeds, toDublin), nil, dns.RcodeRefused, 0},
		{"wrong secret", sign(move(t, toLeeds, toDublin)), map[string]string{KeyName: wrong}, dns.RcodeNotAuth, dns.RcodeBadSig},
		{
			"unknown key", move(t, toLeeds, toDublin).SetTsig("other.", dns.HmacSHA256, fudge, time.Now().Unix()),
			map[string]string{"other.": s.key()}, dns.RcodeNotAuth, dns.RcodeBadKey,
		},
		{"signed an hour ago", late, map[string]string{KeyName: s.key()}, dns.RcodeNotAuth, dns.RcodeBadTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := s.send("tcp", c.m, c.secrets)
			wantCode(t, answer, c.code)
			if tsig := answer.IsTsig(); c.tsig != 0 && (tsig == nil || tsig.Error != c.tsig) {
				t.Errorf("signature %v, want error %d", tsig, c.tsig)
			}
		})
	}
	s.want(toLeeds, 0)
}

func TestFailedPrerequisiteChangesNothing(t *testing.T) {
	s := start(t, t.TempDir())
	record := []dns.RR{rr(t, toLeeds)}
	nobody := []dns.RR{rr(t, "nobody.shop.demo. 2 IN A 127.0.0.9")}
	for _, c := range []struct {
		name   string
		demand func(*dns.Msg)
		code   int
	}{
		{"other value", func(m *dns.Msg) { m.Used([]dns.RR{rr(t, toDublin)}) }, dns.RcodeNXRrset},
		{"more values than there are", func(m *dns.Msg) { m.Used([]dns.RR{rr(t, toLeeds), rr(t, toDublin)}) }, dns.RcodeNXRrset},
		{"set must not exist", func(m *dns.Msg) { m.RRsetNotUsed(record) }, dns.RcodeYXRrset},
		{"name must not exist", func(m *dns.Msg) { m.NameNotUsed(record) }, dns.RcodeYXDomain},
		{"set must exist", func(m *dns.Msg) { m.RRsetUsed(nobody) }, dns.RcodeNXRrset},
		{"name must exist", func(m *dns.Msg) { m.NameUsed(nobody) }, dns.RcodeNameError},
		{"name of another zone", func(m *dns.Msg) { m.NameUsed([]dns.RR{rr(t, "a.example. A 127.0.0.1")}) }, dns.RcodeNotZone},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := new(dns.Msg).SetUpdate(Origin)
			c.demand(m)
			m.RemoveRRset(record)
			m.Insert([]dns.RR{rr(t, toDublin)})
			wantCode(t, s.sendSigned(m), c.code)
		})
	}
	s.want(toLeeds, 0)
}

func TestRefusedUpdateChangesNothing(t *testing.T) {
	s := start(t, t.TempDir())
	for _, c := range []struct {
		name string
		zone string
		adds string
		code int
	}{
		{"another zone", "example.", "a.example. A 127.0.0.1", dns.RcodeNotAuth},
		{"a name outside", Origin, "a.example. A 127.0.0.1", dns.RcodeNotZone},
		{"the SOA", Origin, "shop.demo. SOA ns.shop.demo. x.shop.demo. 99 1 1 1 1", dns.RcodeRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := new(dns.Msg).SetUpdate(c.zone)
			m.RemoveRRset([]dns.RR{rr(t, toLeeds)})
			m.Insert([]dns.RR{rr(t, c.adds)})
			wantCode(t, s.sendSigned(m), c.code)
		})
	}
	s.want(toLeeds, 0)
}

func TestZoneKeepsItsNameServer(t *testing.T) {
	s := start(t, t.TempDir())
	ns := []dns.RR{rr(t, "shop.demo. 2 IN NS ns.shop.demo.")}
	for _, ask := range []func(*dns.Msg){
		func(m *dns.Msg) { m.RemoveName(ns) }, func(m *dns.Msg) { m.RemoveRRset(ns) }, func(m *dns.Msg) { m.Remove(ns) },
	} {
		m := new(dns.Msg).SetUpdate(Origin)
		ask(m)
		wantCode(t, s.sendSigned(m), dns.RcodeSuccess)
	}
	if answer := s.lookup("udp", Origin, dns.TypeNS); len(answer.Answer) != 1 {
		t.Errorf("NS = %v", answer.Answer)
	}
	s.want(toLeeds, 0)
}

func TestZoneSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	key := s.key()
	wantCode(t, s.sendSigned(move(t, toLeeds, toDublin)), dns.RcodeSuccess)
	s.stop()
	s = start(t, dir)
	s.want(toDublin, 1)
	if s.key() != key {
		t.Error("the secret changed")
	}
	info, err := os.Stat(s.zone.cfg.SecretFile)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's mode is %v", info.Mode().Perm())
	}
}

func TestSecretThatIsNotBase64IsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tsig")
	if err := os.WriteFile(path, []byte("no base64!"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secret(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("secret: %v", err)
	}
}

func TestPortInUseNamesPartAndAddress(t *testing.T) {
	s := start(t, t.TempDir())
	dir := t.TempDir()
	other, err := New(Config{
		Listen: s.address, Dir: dir, SecretFile: filepath.Join(dir, "tsig"),
		Sites: map[string]string{"leeds": "127.0.0.1:7001"}, Writer: "leeds",
	})
	if err != nil {
		t.Fatal(err)
	}
	err = other.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), s.address) || !strings.Contains(err.Error(), "name server") {
		t.Errorf("Run: %v", err)
	}
}
