package dnsc

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"keyholder/internal/connector"
	"keyholder/internal/testkit/loopback"
)

const (
	leeds  = "0 100 8081 leeds.shop.demo."
	dublin = "0 100 8082 dublin.shop.demo."
	paris  = "0 100 8083 paris.shop.demo."
)

const namedConf = `
options {
	directory "%[1]s"; pid-file "%[1]s/named.pid"; session-keyfile "%[1]s/session.key";
	listen-on port %[2]d { 127.0.0.1; }; listen-on-v6 { none; };
	recursion no; dnssec-validation no; notify no; allow-transfer { none; };
};
controls { };
key "keyholder." { algorithm hmac-sha256; secret "%[3]s"; };
key "onlooker." { algorithm hmac-sha256; secret "%[3]s"; };
zone "shop.demo" { type primary; file "%[1]s/shop.demo.db"; allow-update { key "keyholder."; }; };
`

const zoneFile = `$TTL 2
shop.demo. 2 IN SOA ns.shop.demo. hostmaster.shop.demo. 1 60 60 3600 2
shop.demo. 2 IN NS ns.shop.demo.
ns.shop.demo. 2 IN A 127.0.0.1
checkout.shop.demo. 2 IN SRV 0 100 8081 leeds.shop.demo.
`

// bind is a real BIND with the zone of the shop.
type bind struct {
	addr    string
	dir     string
	process *exec.Cmd
}

func newBind(t *testing.T) *bind {
	t.Helper()
	path := namedPath(t)
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	b := &bind{dir: t.TempDir()}
	b.write(t, "key", base64.StdEncoding.EncodeToString(key)+"\n")
	b.write(t, "wrong", base64.StdEncoding.EncodeToString(make([]byte, 32)))
	b.write(t, "garbage", "this is not base64!")
	b.write(t, "shop.demo.db", zoneFile)
	for range 5 { // a port that was free may be taken by the time named wants it
		port := freePort(t)
		b.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		b.write(t, "named.conf", fmt.Sprintf(namedConf, b.dir, port, base64.StdEncoding.EncodeToString(key)))
		if b.start(t, path) {
			return b
		}
	}
	t.Fatal("named did not start on any of five ports")
	return nil
}

// namedPath skips where BIND is missing, but not where the tests are required to be whole.
func namedPath(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"named", "/usr/sbin/named"} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	const reason = "BIND is not installed: no named in PATH or /usr/sbin (Debian: apt-get install bind9)"
	if os.Getenv("KEYHOLDER_TEST_REQUIRE") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
	return ""
}

func (b *bind) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (b *bind) start(t *testing.T, path string) bool {
	t.Helper()
	var log bytes.Buffer
	b.process = exec.CommandContext(t.Context(), path, "-g", "-n", "1", "-c", filepath.Join(b.dir, "named.conf"))
	b.process.Stdout, b.process.Stderr = &log, &log
	if err := b.process.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { _ = b.process.Wait(); close(gone) }() // killed at the end: its exit status says nothing
	t.Cleanup(func() { b.stop(t); <-gone })
	deadline := time.After(20 * time.Second)
	for {
		if b.serial(t) > 0 {
			return true
		}
		select {
		case <-gone:
			t.Logf("named ended: %s", log.String())
			return false
		case <-deadline:
			t.Fatal("named does not answer after 20 s")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (b *bind) stop(t *testing.T) {
	t.Helper()
	if err := b.process.Process.Kill(); err != nil && !strings.Contains(err.Error(), "finished") {
		t.Errorf("stop named: %v", err)
	}
}

// serial counts the effective updates; 0 means no answer.
func (b *bind) serial(t *testing.T) uint32 {
	t.Helper()
	client := &dns.Client{Timeout: time.Second}
	got, _, err := client.ExchangeContext(t.Context(), new(dns.Msg).SetQuestion("shop.demo.", dns.TypeSOA), b.addr)
	if err != nil || len(got.Answer) != 1 {
		return 0
	}
	return got.Answer[0].(*dns.SOA).Serial
}

// set changes the records behind the connector's back.
func (b *bind) set(t *testing.T, c *Connector, from, to []string) {
	t.Helper()
	if _, err := c.Apply(t.Context(), "other", b.move(t, map[string]any{"from": from, "to": to})); err != nil {
		t.Fatal(err)
	}
}

// move is the step from leeds to dublin; more is laid over it.
func (b *bind) move(t *testing.T, more map[string]any) connector.Params {
	t.Helper()
	p := map[string]any{
		"server": b.addr, "zone": "shop.demo.", "name": "checkout.shop.demo.", "type": "SRV", "ttl": 2,
		"from": []string{leeds}, "to": []string{dublin}, "tsig": b.key("keyholder.", "key"), "wait": "5s",
	}
	for key, value := range more {
		if p[key] = value; value == nil {
			delete(p, key)
		}
	}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (b *bind) key(name, file string) map[string]any {
	return map[string]any{"name": name, "algorithm": "hmac-sha256", "secret": "file:" + filepath.Join(b.dir, file)}
}

// insert adds a record to a name that has none.
func (b *bind) insert(t *testing.T, name, kind, value string) {
	t.Helper()
	rr, err := dns.NewRR(name + " 2 IN " + kind + " " + value)
	if err != nil {
		t.Fatal(err)
	}
	key, err := connect().secrets.Resolve("file:" + filepath.Join(b.dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	m := new(dns.Msg).SetUpdate("shop.demo.")
	m.Insert([]dns.RR{rr})
	m.SetTsig("keyholder.", dns.HmacSHA256, fudge, time.Now().Unix())
	client := &dns.Client{Net: "tcp", TsigSecret: map[string]string{"keyholder.": string(key.Reveal())}}
	got, _, err := client.ExchangeContext(t.Context(), m, b.addr)
	if err != nil || got.Rcode != dns.RcodeSuccess {
		t.Fatalf("insert %s: %v, %v", rr, got, err)
	}
}

func connect() *Connector {
	return New(connector.NewSecrets(func(string) (string, bool) { return "", false }))
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := loopback.FreePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
