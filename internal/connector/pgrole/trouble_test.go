package pgrole

import (
	"net"
	"strings"
	"testing"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

func TestATroubledServerIsToldInWordsWithoutSecrets(t *testing.T) {
	closed := answering(t, func(net.Conn) {})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := strings.Replace(closed, closed[strings.Index(closed, "@"):], "@"+l.Addr().String()+"/books?sslmode=disable", 1)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	says := func(text string) func(net.Conn) {
		return func(c net.Conn) { _, _ = c.Write([]byte(text)); _ = c.Close() }
	}
	cases := map[string]struct{ address, says string }{
		"down":          {down, "cannot be reached: connection refused"},
		"hangs":         {answering(t, func(net.Conn) {}), "did not answer within 300ms"},
		"hangs up":      {answering(t, says("")), "broke off, or is no PostgreSQL"},
		"garbage":       {answering(t, says("HTTP/1.1 400 Bad Request\r\n\r\n")), "broke off, or is no PostgreSQL"},
		"huge message":  {answering(t, says("R\x7f\xff\xff\xff")), "broke off, or is no PostgreSQL"},
		"no such host":  {"postgres://boss:hunter2@nowhere.invalid/books", "its host name cannot be found"},
		"no address":    {"hunter2", "is not the address of a PostgreSQL"},
		"other address": {"https://boss:hunter2@example.org", "is not the address of a PostgreSQL"},
		"bad address":   {"postgres://boss:hunter2@[::1/books?x=%zz", "is not the address of a PostgreSQL"},
		"key and value": {"host=127.0.0.1 password=hunter2", "is not the address of a PostgreSQL"},
	}
	if server != nil {
		host := server.URL[strings.Index(server.URL, "@"):]
		cases["wrong password"] = struct{ address, says string }{"postgres://keyholder:hunter2" + host, "does not let Keyholder sign in"}
		cases["wrong login"] = struct{ address, says string }{"postgres://boss:hunter2" + host, "does not let Keyholder sign in"}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := "300ms"
			if strings.HasPrefix(c.says, "does not let") || strings.HasPrefix(c.says, "its host") {
				timeout = "5s"
			}
			p, g := connector.Params(`{"connection":"env:ADMIN","timeout":"`+timeout+`"}`), granter(c.address)
			begun := time.Now()
			_, seen, looked := g.Holdings(t.Context(), p, []string{"reader"})
			e, brought := g.Bring(t.Context(), "key", p, connector.Wanted{Account: "kh_ada_12345678", Managed: []string{"reader"}})
			_, took := g.Take(t.Context(), "key", p, "eve", "reader")
			for _, err := range []error{looked, brought, took} {
				mustSay(t, err, fault.Unavailable, "env:ADMIN", c.says)
				for _, secret := range []string{"hunter2", "boss", "books", "postgres://boss", "nowhere.invalid"} {
					if strings.Contains(err.Error()+seen.Error, secret) {
						t.Errorf("%q shows %s", err, secret)
					}
				}
			}
			if seen.Error == "" || e.Before.Error == "" || e.Did != "" || time.Since(begun) > 20*time.Second {
				t.Errorf("%+v, %+v after %s", seen, e, time.Since(begun))
			}
		})
	}
}

func TestParamsAreStrict(t *testing.T) {
	g := granter("")
	for raw, field := range map[string]string{
		`{"connection":"env:ADMIN"}`: "", `{"connection":"file:/run/x","timeout":"1s","wait":"9s"}`: "",
		`{}`: "connection", `{"connection":"postgres://boss:hunter2@db/x"}`: "connection", `{"connection":"env:ADMIN","timeout":"1h"}`: "timeout",
		`{"connection":"env:ADMIN","wait":"soon"}`: "wait", `{"connection":"env:ADMIN","url":"x"}`: "url", `{"connection":5}`: "connection",
	} {
		err := g.Check(connector.Params(raw))
		if field == "" {
			if err != nil || g.System(connector.Params(raw)) == "" {
				t.Errorf("%s: %v", raw, err)
			}
			continue
		}
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || f.Fields[field] == "" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", raw, err)
		}
	}
	if g.Kind() != "postgres-role" || !g.Signs() || g.System(connector.Params(`{}`)) != "" {
		t.Errorf("%s, %v", g.Kind(), g.Signs())
	}
	_, err := g.Bring(t.Context(), "key", connector.Params(`{"connection":"env:ADMIN"}`),
		connector.Wanted{Account: "kh_ada_12345678", Roles: []string{"x"}})
	mustSay(t, err, fault.Invalid, "would never be taken back")
}
