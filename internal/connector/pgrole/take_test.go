package pgrole

import (
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"keyholder/internal/fault"
)

func TestWhatWasGivenAroundKeyholderIsTaken(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	for _, name := range []string{"eve_" + suffix(w), `eve "the" ` + suffix(w) + `'; DROP ROLE x; --`} {
		w.sql("CREATE ROLE %s LOGIN PASSWORD 'apple'; GRANT %s TO %[1]s WITH ADMIN OPTION", quoted(name), quoted(reader))
		u, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(name, "apple")
		conn, err := pgx.Connect(t.Context(), u.String())
		if err != nil {
			t.Fatal(err)
		}
		e, err := w.take(name, reader)
		if err != nil || e.Did != "revoked "+reader+"; cut 1 session" || e.Already {
			t.Errorf("%+v, %v", e, err)
		}
		if err := conn.Ping(t.Context()); err == nil {
			t.Error("the open session is not cut")
		}
		if held := w.holdings(reader); len(held) != 0 {
			t.Errorf("%+v", held)
		}
		if conn, err = pgx.Connect(t.Context(), u.String()); err != nil {
			t.Fatalf("it must still sign in: %v", err)
		}
		_ = conn.Close(t.Context())
		if e, err := w.take(name, reader); err != nil || !e.Already {
			t.Errorf("again: %+v, %v", e, err)
		}
	}
	if e, err := w.take("nobody_"+suffix(w), reader); err != nil || !e.Already {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestMembersOfAGroupThatLosesARoleLoseItToo(t *testing.T) {
	w := newWorld(t)
	reader, team := w.role("reader"), w.role("team")
	w.must(w.wanted([]string{team}, team))
	w.sql("GRANT %s TO %s", quoted(reader), quoted(team))
	conn := w.mustSignIn()
	if _, err := conn.Exec(t.Context(), "SET ROLE "+quoted(reader)); err != nil {
		t.Fatal(err)
	}
	if e, err := w.take(team, reader); err != nil || !strings.Contains(e.Did, "cut 1 session") {
		t.Errorf("%+v, %v", e, err)
	}
	if err := w.reads(conn, reader); err == nil {
		t.Error("a member still has it")
	}
}

func TestWhoRulesTheServerIsRefused(t *testing.T) {
	w := newWorld(t)
	reader, team := w.role("reader"), w.role("team")
	w.sql("CREATE ROLE root_%d SUPERUSER; CREATE ROLE eve_%[1]d; GRANT %[2]s TO root_%[1]d, %[3]s, keyholder; GRANT %[3]s TO eve_%[1]d", w.n, quoted(reader), quoted(team))
	w.sql("CREATE ROLE lesser_%d LOGIN CREATEROLE PASSWORD 'lesser'; GRANT %[2]s TO lesser_%[1]d", w.n, quoted(reader))
	for account, says := range map[string]string{
		"root_" + suffix(w): "is a superuser", "keyholder": "is a superuser",
		"eve_" + suffix(w): `still has "` + reader + `" by way of "` + team + `"`,
	} {
		_, err := w.take(account, reader)
		mustSay(t, err, fault.Conflict, says)
	}
	_, err := w.take("pg_monitor", "pg_read_all_settings")
	mustSay(t, err, fault.Conflict, "is a part of PostgreSQL itself")
	_, err = w.take("eve_"+suffix(w), "nowhere")
	mustSay(t, err, fault.NotFound, `There is no role "nowhere"`)
	for _, bad := range []string{"", strings.Repeat("x", 200), "a\x00"} {
		_, err = w.take(bad, reader)
		mustSay(t, err, fault.Invalid, "account holds a name that")
	}
	w.g = granter(strings.Replace(server.URL, "keyholder:"+adminPassword(t), "lesser_"+suffix(w)+":lesser", 1))
	_, err = w.take("lesser_"+suffix(w), reader)
	mustSay(t, err, fault.Conflict, "is the login by which Keyholder works")
}
