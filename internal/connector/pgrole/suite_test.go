package pgrole

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
	"keyholder/internal/scram"
	"keyholder/internal/testkit/postgres"
)

var (
	server *postgres.Server
	count  atomic.Int64
)

func TestMain(m *testing.M) {
	code := 1
	if err := withPostgres(func() { code = m.Run() }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// withPostgres runs the tests beside a PostgreSQL. Without one a laptop skips; where it is required the tests fail.
func withPostgres(run func()) (err error) {
	if _, err := postgres.Find(); err != nil && os.Getenv("KEYHOLDER_TEST_REQUIRE") == "" {
		run()
		return nil
	}
	if server, err = postgres.StartLocked(context.Background()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if err := superuser("ALTER SYSTEM SET log_statement = 'all'"); err != nil {
		return err
	}
	if err := superuser("SELECT pg_reload_conf()"); err != nil {
		return err
	}
	run()
	return nil
}

func superuser(sql string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server.URL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// world is one person and roles of their own on the shared server.
type world struct {
	t        *testing.T
	g        *Granter
	p        connector.Params
	n        int64
	holder   connector.Holder
	account  string
	password string
	verifier string
	until    time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if server == nil {
		t.Skip("there is no PostgreSQL on this machine")
	}
	n := count.Add(1)
	w := &world{
		t: t, n: n, p: connector.Params(`{"connection":"env:ADMIN","timeout":"5s"}`), g: granter(server.URL),
		holder: connector.Holder{ID: fmt.Sprintf("person-%d", n), Name: "Ada Lovelace"}, password: scram.NewPassword(),
		until: time.Now().Add(time.Hour).UTC().Truncate(time.Second),
	}
	w.account = w.g.Account("reports", w.holder)
	var err error
	if w.verifier, err = scram.NewVerifier(w.password); err != nil {
		t.Fatal(err)
	}
	return w
}

func granter(address string) *Granter {
	return New(connector.NewSecrets(func(name string) (string, bool) { return address, name == "ADMIN" }))
}

func (w *world) sql(format string, args ...any) {
	w.t.Helper()
	if err := superuser(fmt.Sprintf(format, args...)); err != nil {
		w.t.Fatal(err)
	}
}

// role makes a role with a table that only it may read.
func (w *world) role(name string) string {
	w.t.Helper()
	name = fmt.Sprintf("%s_%d", name, w.n)
	w.sql("CREATE ROLE %s; CREATE TABLE %s (x int); GRANT SELECT ON %[2]s TO %[1]s", quoted(name), quoted("t_"+name))
	return name
}

func (w *world) wanted(managed []string, roles ...string) connector.Wanted {
	return connector.Wanted{
		Account: w.account, Holder: w.holder, Roles: roles, Managed: managed, Until: w.until, Verifier: w.verifier,
	}
}

// bring brings what is wanted, and proves on the way that no secret shows.
func (w *world) bring(want connector.Wanted) (connector.Evidence, error) {
	w.t.Helper()
	e, err := w.g.Bring(w.t.Context(), "key-7", w.p, want)
	w.secretsHidden(e, err)
	return e, err
}

func (w *world) must(want connector.Wanted) connector.Evidence {
	w.t.Helper()
	e, err := w.bring(want)
	if err != nil {
		w.t.Fatalf("%+v, %v", e, err)
	}
	return e
}

func (w *world) take(account, role string) (connector.Evidence, error) {
	w.t.Helper()
	e, err := w.g.Take(w.t.Context(), "key-8", w.p, account, role)
	w.secretsHidden(e, err)
	return e, err
}

func (w *world) secretsHidden(e connector.Evidence, err error) {
	w.t.Helper()
	shown := fmt.Sprintf("%s %s %+v %v", e.Before.Body, e.After.Body, e, err)
	for _, secret := range []string{w.password, w.verifier, "SCRAM-SHA-256$", adminPassword(w.t), "postgres://"} {
		if strings.Contains(shown, secret) {
			w.t.Errorf("shown: %s", shown)
		}
	}
}

func adminPassword(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	return password
}

// signIn opens a session of the person, as a person would.
func (w *world) signIn() (*pgx.Conn, error) {
	u, err := url.Parse(server.URL)
	if err != nil {
		return nil, err
	}
	u.User = url.UserPassword(w.account, w.password)
	conn, err := pgx.Connect(w.t.Context(), u.String())
	if err == nil {
		w.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	}
	return conn, err
}

func (w *world) mustSignIn() *pgx.Conn {
	w.t.Helper()
	conn, err := w.signIn()
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

func (w *world) reads(conn *pgx.Conn, role string) error {
	_, err := conn.Exec(w.t.Context(), "SELECT * FROM "+quoted("t_"+role))
	return err
}

func (w *world) holdings(roles ...string) []connector.Holding {
	w.t.Helper()
	held, seen, err := w.g.Holdings(w.t.Context(), w.p, roles)
	if err != nil || seen.Error != "" {
		w.t.Fatalf("%+v, %v", seen, err)
	}
	return held
}

func mustSay(t *testing.T, err error, kind fault.Kind, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if fault.KindOf(err) != kind {
		t.Errorf("%v: %v", fault.KindOf(err), err)
	}
	for _, part := range parts {
		if !strings.Contains(connector.Words(err), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// answering listens and does to each connection what a test says.
func answering(t *testing.T, with func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go with(conn)
		}
	}()
	return "postgres://boss:hunter2@" + l.Addr().String() + "/books?sslmode=disable"
}

func suffix(w *world) string { return fmt.Sprint(w.n) }
