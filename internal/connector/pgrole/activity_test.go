package pgrole

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

func readsLog(address string) *Log {
	return NewLog(connector.NewSecrets(func(name string) (string, bool) { return address, name == "ADMIN" }))
}

var logParameters = connector.Params(`{"connection":"env:ADMIN","timeout":"5s"}`)

// used is what the log says of the world's account since some moment.
func (w *world) used(since time.Time) connector.Activity {
	w.t.Helper()
	a, err := readsLog(server.URL).Activity(w.t.Context(), logParameters, connector.Use{Account: w.account, From: since, Until: time.Now()})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// says whether something was written down.
func says(a connector.Activity, what string) bool {
	for _, e := range a.Entries {
		if strings.Contains(e.Text, what) {
			return true
		}
	}
	return false
}

// asHolder runs statements as the world's account; that one is refused is no matter.
func (w *world) asHolder(statements ...string) {
	w.t.Helper()
	ctx := w.t.Context()
	config, err := pgx.ParseConfig(server.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	config.User, config.Password = w.account, w.password
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, sql := range statements {
		_, _ = conn.Exec(ctx, sql)
	}
	if err := conn.Close(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func TestWhatAnAccountDidIsReadInTheServersLog(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	w.p = connector.Params(`{"connection":"env:ADMIN","timeout":"5s","log_statement":"all"}`)
	w.must(w.wanted([]string{reader}, reader))
	since := time.Now()
	w.asHolder(
		"SELECT 'ümläut', count(*) FROM t_"+reader, "DELETE FROM t_"+reader,
		`ALTER ROLE current_user PASSWORD 'plain-Secret''s-7'`, `DO $$ BEGIN PERFORM 1; END $$`,
	)
	w.comes("the log has it", func() bool { return says(w.used(since), "DELETE") })
	a := w.used(since)
	for _, want := range []string{"permission denied", "DELETE FROM t_" + reader, "PASSWORD '…'", "DO $$ BEGIN"} {
		if !says(a, want) {
			t.Errorf("%q is not written down: %+v", want, a.Entries)
		}
	}
	for _, other := range []string{"plain-Secret", "keyholder reads the log", w.password} {
		if says(a, other) {
			t.Errorf("%q is written down", other)
		}
	}
	if len(a.Entries) == 0 || a.Entries[0].At.Before(since.Add(-connector.ClockSlack)) || a.Source != "The log of PostgreSQL at env:ADMIN" {
		t.Errorf("%+v", a)
	}
	time.Sleep(2 * connector.ClockSlack)
	since = time.Now()
	w.password = "plain-Secret's-7"
	w.asHolder("SELECT 'later'")
	w.comes("the log has it", func() bool { return says(w.used(since), "later") })
	if later := w.used(since); says(later, "DELETE") {
		t.Errorf("what was before is told: %+v", later.Entries)
	}
	st, err := readsLogin(w)
	if err != nil || st.Logs != "all" {
		t.Errorf("the login is written down by %q: %v", st.Logs, err)
	}
	if e, err := w.bring(w.wanted([]string{reader}, reader)); err != nil || e.Did != "set its password" {
		t.Errorf("brought again: %s, %v", e.Did, err)
	}
}

func readsLogin(w *world) (login, error) {
	s, err := w.g.open(w.t.Context(), params{Connection: "env:ADMIN"}, "looks")
	if err != nil {
		return login{}, err
	}
	defer s.close()
	return one(w.t.Context(), s, pgx.RowToStructByPos[login], `SELECT `+loginColumns+` FROM pg_roles r WHERE r.rolname::text = $1`, w.account)
}

func (w *world) comes(what string, ok func() bool) {
	w.t.Helper()
	for over := time.Now().Add(10 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(over) {
			w.t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func TestWhereNothingCanBeWrittenDownNothingIsGiven(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	admin := fmt.Sprintf("admin_%d", w.n)
	w.sql("CREATE ROLE %s LOGIN CREATEROLE PASSWORD 'admin-7'; GRANT %s TO %[1]s WITH ADMIN OPTION; GRANT pg_signal_backend TO %[1]s", admin, quoted(reader))
	config, err := pgx.ParseConfig(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.g = granter(fmt.Sprintf("postgres://%s:admin-7@%s:%d/postgres", admin, config.Host, config.Port))
	w.p = connector.Params(`{"connection":"env:ADMIN","timeout":"5s","log_statement":"all"}`)
	_, err = w.bring(w.wanted([]string{reader}, reader))
	mustSay(t, err, fault.Conflict, "Not set to write down what "+w.account+" does", "permission denied")
	for _, held := range w.holdings(reader) {
		if held.Account == w.account {
			t.Errorf("it has %+v", held)
		}
	}
	w.sql("GRANT SET ON PARAMETER log_statement TO %s", admin)
	w.must(w.wanted([]string{reader}, reader))
	w.must(w.wanted([]string{reader}))
}

// TestALongLogIsReadFromWhereTheUseBegins writes a log by hand: what is of interest is at its end, behind more than is ever read.
func TestALongLogIsReadFromWhereTheUseBegins(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	s, err := w.g.open(ctx, params{Connection: "env:ADMIN", Timeout: "10s"}, "looks")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	from := time.Now().UTC().Truncate(time.Second)
	line := func(at time.Time, user, text string) string {
		raw, err := json.Marshal(logLine{Timestamp: at.UTC().Format("2006-01-02 15:04:05.000") + " UTC", User: user, Severity: "LOG", Message: text})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	path := fmt.Sprintf("long_%d.json", w.n)
	// a line for each of 200,000 seconds before, then the use, then ten minutes of others
	w.sql(`COPY (SELECT replace('%s', '2000-01-01 00:00:00.000', to_char(timestamp '%s' - make_interval(secs => n), 'YYYY-MM-DD HH24:MI:SS.MS'))
		FROM generate_series(200000, 10, -1) n UNION ALL SELECT '%s' UNION ALL SELECT '{"broken' UNION ALL SELECT '%s' UNION ALL
		SELECT '%s' FROM generate_series(1, 20000)) TO PROGRAM 'cat > %s' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')`,
		line(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), w.account, "before"), from.Format("2006-01-02 15:04:05"),
		line(from.Add(time.Second), w.account, "the use"), line(from.Add(2*time.Second), "kh_other_00000000", "of another"), line(from.Add(3*time.Hour), w.account, "after"), path)
	file, err := one(ctx, s, pgx.RowToStructByPos[logFile], `SELECT $1::text, size FROM pg_stat_file($1)`, path)
	if err != nil || file.Size < 20<<20 {
		t.Fatalf("%+v, %v", file, err)
	}
	u, err := s.useOf(ctx, connector.Use{Account: w.account, From: from, Until: from.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	u.zone = time.UTC
	a, budget := connector.Activity{}, int64(4<<20)
	if err := s.readLog(ctx, file, u, &a, &budget); err != nil {
		t.Fatal(err)
	}
	if len(a.Entries) != 1 || a.Entries[0].Text != "[0 ] the use" || a.Partial != "" {
		t.Errorf("%+v, with %d bytes left to read", a, budget)
	}
}

// TestALogThatIsRemovedOrCutShortWhileItIsReadIsSaidToLackSomething: what was read of it before is kept.
func TestALogThatIsRemovedOrCutShortWhileItIsReadIsSaidToLackSomething(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	s, err := w.g.open(ctx, params{Connection: "env:ADMIN", Timeout: "10s"}, "looks")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	from := time.Now().UTC().Truncate(time.Second)
	u, err := s.useOf(ctx, connector.Use{Account: w.account, From: from, Until: from.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	u.zone = time.UTC
	line, err := json.Marshal(logLine{Timestamp: from.Add(time.Second).Format("2006-01-02 15:04:05.000") + " UTC", User: w.account, Severity: "LOG", Message: "the use"})
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("cut_%d.json", w.n)
	w.sql(`COPY (SELECT '%s') TO PROGRAM 'cat > %s' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')`, line, path)
	for name, c := range map[string]struct {
		file logFile
		want int
	}{
		"removed": {logFile{Path: "removed_" + path, Size: 1 << 16}, 0}, "cut short": {logFile{Path: path, Size: 1 << 16}, 1},
	} {
		a, budget := connector.Activity{}, int64(4<<20)
		if err := s.readLog(ctx, c.file, u, &a, &budget); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(a.Entries) != c.want || !strings.Contains(a.Partial, "removed or cut short") {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestAServerWithoutSuchALogIsSaidToHaveNone(t *testing.T) {
	for name, wrong := range map[string]string{`{"connection":"env:ADMIN","wait":"1s"}`: "wait", `{}`: "connection", `{"connection":"secret"}`: "connection"} {
		if err := readsLog("").Check(connector.Params(name)); fault.As(err) == nil || fault.As(err).Fields[wrong] == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := New(connector.Secrets{}).Check(connector.Params(`{"connection":"env:ADMIN","log_statement":"none; DROP ROLE x"}`)); fault.As(err) == nil || fault.As(err).Fields["log_statement"] == "" {
		t.Error(err)
	}
	if server == nil {
		t.Skip("there is no PostgreSQL on this machine")
	}
	if err := readsLog(server.URL).Check(logParameters); err != nil {
		t.Error(err)
	}
	_, err := readsLog("postgres://nobody:x@127.0.0.1:1/x").Activity(t.Context(), logParameters, connector.Use{Account: "kh_00000000"})
	mustSay(t, err, fault.Unavailable, "cannot be reached")
}
