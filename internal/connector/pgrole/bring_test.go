package pgrole

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
	"keyholder/internal/scram"
)

func TestAccessIsGivenUsedAndTakenWithWhatIsOpen(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	all := []string{reader}

	e := w.must(w.wanted(all, reader))
	if e.Already || !strings.Contains(e.Did, "granted "+reader+"") || !strings.Contains(e.Did, "valid until "+w.until.Format("2006-01-02 15:04:05 UTC")) {
		t.Errorf("%+v", e)
	}
	if !strings.Contains(string(e.Before.Body), `"there":false`) || !strings.Contains(string(e.After.Body), `"role":"`+reader+`"`) {
		t.Errorf("before %s, after %s", e.Before.Body, e.After.Body)
	}
	conn := w.mustSignIn()
	if err := w.reads(conn, reader); err != nil {
		t.Error(err)
	}
	if e := w.must(w.wanted(all, reader)); !e.Already || e.Did != "" {
		t.Errorf("again: %+v", e)
	}
	if err := w.reads(conn, reader); err != nil {
		t.Errorf("where nothing was taken, the session must stay: %v", err)
	}

	e = w.must(w.wanted(all))
	if !strings.Contains(e.Did, "revoked "+reader) || !strings.HasSuffix(e.Did, "; cut 1 session") {
		t.Errorf("%+v", e)
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the open session is not cut")
	}
	if _, err := w.signIn(); err == nil {
		t.Error("who has nothing signs in")
	}
	if e := w.must(w.wanted(all)); !e.Already || e.Did != "" {
		t.Errorf("again: %+v", e)
	}

	w.must(w.wanted(all, reader)) // and back
	if err := w.reads(w.mustSignIn(), reader); err != nil {
		t.Error(err)
	}
}

func TestSessionsOfOthersStay(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	reader := w.role("reader")
	w.must(w.wanted([]string{reader}, reader))
	other.must(other.wanted([]string{reader}, reader))
	conn, bystander := w.mustSignIn(), other.mustSignIn()
	admin, err := pgx.Connect(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.Background()) }()
	w.must(w.wanted([]string{reader}))
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the open session is not cut")
	}
	if err := errors.Join(other.reads(bystander, reader), admin.Ping(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestASessionThatBecameTheRoleLosesIt(t *testing.T) {
	w := newWorld(t)
	reader, writer := w.role("reader"), w.role("writer")
	all := []string{reader, writer}
	w.must(w.wanted(all, reader, writer))
	conn := w.mustSignIn()
	if _, err := conn.Exec(t.Context(), "SET ROLE "+quoted(writer)); err != nil {
		t.Fatal(err)
	}
	e := w.must(w.wanted(all, reader))
	if err := w.reads(conn, writer); err == nil {
		t.Error("the session still is the role that was taken")
	}
	if strings.Contains(e.Did, "revoked "+reader) || !strings.Contains(e.Did, "revoked "+writer) {
		t.Errorf("%+v", e)
	}
	again := w.mustSignIn()
	if err := w.reads(again, reader); err != nil {
		t.Errorf("the other role must stay: %v", err)
	}
	if err := w.reads(again, writer); err == nil {
		t.Error("the role is still there")
	}
}

func TestACallThatDiedBeforeCuttingIsMadeGood(t *testing.T) {
	w := newWorld(t)
	reader, writer := w.role("reader"), w.role("writer")
	all := []string{reader, writer}
	w.must(w.wanted(all, reader, writer))
	conn := w.mustSignIn()
	if _, err := conn.Exec(t.Context(), "SET ROLE "+quoted(writer)); err != nil {
		t.Fatal(err)
	}
	s, err := w.g.open(t.Context(), params{Connection: "env:ADMIN"}, "dies")
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.account(t.Context(), w.account, all)
	if err != nil {
		t.Fatal(err)
	}
	takes, _ := plan(before, w.wanted(all, reader), all, s.version)
	if _, _, err := s.change(t.Context(), takes); err != nil {
		t.Fatal(err)
	}
	s.close() // the worker died here

	if e := w.must(w.wanted(all, reader)); e.Did != "cut 1 session" {
		t.Errorf("%+v", e)
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the session is not cut")
	}
	w.mustSignIn()
	if e := w.must(w.wanted(all, reader)); !e.Already {
		t.Errorf("again: %+v", e)
	}
}

func TestValidUntilRefusesByItself(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	all := []string{reader}
	w.must(w.wanted(all, reader))
	w.mustSignIn()
	w.until = time.Now().Add(-time.Minute)
	if e := w.must(w.wanted(all, reader)); e.Did != "valid until "+w.until.UTC().Format("2006-01-02 15:04:05 UTC") {
		t.Errorf("%+v", e)
	}
	if _, err := w.signIn(); err == nil {
		t.Error("signed in after its end")
	}
	if held := w.holdings(reader); len(held) != 1 || held[0].Until == nil || held[0].Until.Sub(w.until).Abs() > time.Millisecond {
		t.Errorf("%+v", held)
	}
	w.until = time.Time{}
	w.must(w.wanted(all, reader))
	if held := w.holdings(reader); len(held) != 1 || held[0].Until != nil {
		t.Errorf("%+v", held)
	}
}

func TestANewPasswordTakesThePlaceOfTheOld(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	w.must(w.wanted([]string{reader}, reader))
	old := w.password
	w.password = scram.NewPassword()
	var err error
	if w.verifier, err = scram.NewVerifier(w.password); err != nil {
		t.Fatal(err)
	}
	if e := w.must(w.wanted([]string{reader}, reader)); e.Did != "set its password" {
		t.Errorf("%+v", e)
	}
	w.mustSignIn()
	without := w.wanted([]string{reader}, reader)
	without.Verifier = ""
	if e := w.must(without); !e.Already {
		t.Errorf("%+v", e)
	}
	w.password = old
	if _, err := w.signIn(); err == nil {
		t.Error("the old password is still good")
	}
}

func TestAPasswordIsNeverSent(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	for _, clear := range []string{w.password, "'; DROP ROLE x; --", "SCRAM-SHA-256$4096:abc"} {
		want := w.wanted([]string{reader}, reader)
		want.Verifier = clear
		_, err := w.bring(want)
		mustSay(t, err, fault.Invalid, "is not a SCRAM-SHA-256 verifier")
		if strings.Contains(err.Error(), clear) {
			t.Errorf("repeated: %v", err)
		}
	}
	w.must(w.wanted([]string{reader}, reader))
	w.mustSignIn()
	said, err := server.Log()
	if err != nil || strings.Contains(said, w.password) || !strings.Contains(said, "GRANT "+quoted(reader)) {
		t.Errorf("the server's log: %v, with the password: %v", err, strings.Contains(said, w.password))
	}
}

func TestWhateverTheNamesAre(t *testing.T) {
	w := newWorld(t)
	for i, name := range []string{
		`"`, `'; DROP ROLE keyholder; --`, `"; DROP ROLE x; --`, "Ünïcødé 東京 🔑", strings.Repeat("x", 200), "", "\x00\xff$$", "\\ \n",
	} {
		w.holder = connector.Holder{ID: "hostile" + string(rune('a'+i)), Name: name}
		w.account = w.g.Account("reports", w.holder)
		if !account.MatchString(w.account) || w.account != w.g.Account("reports", w.holder) {
			t.Fatalf("%q is %q", name, w.account)
		}
		role := strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", ""), "") + " of " + w.account
		if len(role) > 63 {
			role = strings.ToValidUTF8(role[:63], "")
		}
		w.sql("CREATE ROLE %s", quoted(role))
		w.must(w.wanted([]string{role}, role))
		w.mustSignIn()
		held := w.holdings(role)
		if len(held) != 1 || held[0].Account != w.account || held[0].Role != role {
			t.Errorf("%q: %+v", role, held)
		}
		w.must(w.wanted([]string{role}))
		if held := w.holdings(role); len(held) != 0 {
			t.Errorf("%q: %+v", role, held)
		}
	}
	for _, bad := range []string{"", strings.Repeat("r", 64), "a\x00b", "\xff", strings.Repeat("r", 200)} {
		_, err := w.bring(w.wanted([]string{bad}, bad))
		mustSay(t, err, fault.Invalid, "managed holds a name that")
		_, _, err = w.g.Holdings(t.Context(), w.p, []string{bad})
		mustSay(t, err, fault.Invalid, "roles holds a name that")
	}
	for _, bad := range []string{"", "keyholder", "kh_", "KH_ada_12345678", `kh_"_12345678`, "kh_ada_12345678 "} {
		w.account = bad
		_, err := w.bring(w.wanted(nil))
		mustSay(t, err, fault.Invalid, "account is not the name")
	}
}

func TestTwoPeopleNeverShareAnAccount(t *testing.T) {
	if ada := (connector.Holder{ID: "1", Name: "Ada"}); accountOf("reports", ada) == accountOf("stock", ada) {
		t.Error("two systems that are one server share an account")
	}
	for name, want := range map[string]string{
		"Ada Lovelace": "kh_adalovelace_7b1a2b4c", "José Müller-Østergård": "kh_josemullerstergard_", "東京": "kh_", "": "kh_",
		"Maximilian von Hohenstaufen II": "kh_maximilianvonhohenst_",
	} {
		a, b := accountOf("reports", connector.Holder{ID: "1", Name: name}), accountOf("reports", connector.Holder{ID: "2", Name: name})
		if a == b || !strings.HasPrefix(a, want[:strings.LastIndex(want, "_")+1]) || !account.MatchString(a) {
			t.Errorf("%q: %q, %q", name, a, b)
		}
	}
}

func TestARoleThatIsMissingKeepsNothingElseFromBeingDone(t *testing.T) {
	w := newWorld(t)
	reader, writer := w.role("reader"), w.role("writer")
	w.must(w.wanted([]string{reader, writer}, writer))
	all := []string{reader, writer, "nowhere"}
	e, err := w.bring(w.wanted(all, reader, "nowhere"))
	mustSay(t, err, fault.NotFound, `There is no role "nowhere" on PostgreSQL at env:ADMIN.`)
	if held := w.holdings(reader, writer); len(held) != 1 || held[0].Role != reader {
		t.Errorf("%+v, %+v", held, e)
	}
	held, seen, err := w.g.Holdings(t.Context(), w.p, []string{reader, "nowhere"})
	mustSay(t, err, fault.NotFound, `There is no role "nowhere"`)
	if len(held) != 1 || !strings.Contains(string(seen.Body), `"missing":["nowhere"]`) {
		t.Errorf("%+v, %s", held, seen.Body)
	}
	w.must(w.wanted(all)) // what is gone cannot be had
	other := newWorld(t)
	if _, err := other.bring(other.wanted([]string{"nowhere"}, "nowhere")); err == nil {
		t.Error("no error")
	}
	if e := other.must(other.wanted([]string{"nowhere"})); !e.Already || !strings.Contains(string(e.After.Body), `"there":false`) {
		t.Errorf("an account was made for nothing: %+v", e)
	}
}

func TestARoleThatCannotBeGivenKeepsNothingFromBeingTaken(t *testing.T) {
	w := newWorld(t)
	reader, writer := w.role("reader"), w.role("writer")
	all := []string{reader, writer}
	w.must(w.wanted(all, reader))
	w.sql("GRANT %s TO %s", w.account, quoted(writer)) // giving it would make a loop
	_, err := w.bring(w.wanted(all, writer))
	mustSay(t, err, fault.Unavailable, "Not granted "+writer)
	if held := w.holdings(reader); len(held) != 0 {
		t.Errorf("%+v", held)
	}
}

func TestAnAccountThatIsNotOursIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	w.sql("CREATE ROLE %s LOGIN; GRANT %s TO %[1]s", w.account, quoted(reader))
	for _, roles := range [][]string{{reader}, nil} {
		_, err := w.bring(w.wanted([]string{reader}, roles...))
		mustSay(t, err, fault.Conflict, "Keyholder did not make it")
	}
}

// TestWhoeverMadeThemselvesASuperuserLosesThatAndAllElse: a role may have let them.
func TestWhoeverMadeThemselvesASuperuserLosesThatAndAllElse(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	w.must(w.wanted([]string{reader}, reader))
	w.sql("ALTER ROLE %s SUPERUSER", w.account)
	session := w.mustSignIn()
	w.must(w.wanted([]string{reader}))
	if _, err := session.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("the session of a superuser goes on")
	}
	if st, err := readsLogin(w); err != nil || st.Super || st.SignsIn {
		t.Errorf("%+v, %v", st, err)
	}
	if held := w.holdings(reader); len(held) > 0 {
		t.Errorf("%+v", held)
	}
}

func TestPowersGivenSinceAreTakenBack(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	w.must(w.wanted([]string{reader}, reader))
	w.sql("ALTER ROLE %s CREATEROLE CREATEDB REPLICATION BYPASSRLS NOINHERIT; GRANT %s TO %[1]s WITH ADMIN OPTION", w.account, quoted(reader))
	w.mustSignIn()
	if e := w.must(w.wanted([]string{reader}, reader)); !strings.Contains(e.Did, "set back what it may, taken the right to replicate") || !strings.Contains(e.Did, "revoked the right to give on "+reader) {
		t.Errorf("%+v", e)
	}
	if e := w.must(w.wanted([]string{reader}, reader)); !e.Already {
		t.Errorf("again: %+v", e)
	}
	conn := w.mustSignIn()
	if _, err := conn.Exec(t.Context(), "CREATE ROLE mine"); err == nil {
		t.Error("it still makes roles")
	}
	if _, err := conn.Exec(t.Context(), "GRANT "+quoted(reader)+" TO keyholder"); err == nil {
		t.Error("it still gives on")
	}
	if err := w.reads(conn, reader); err != nil {
		t.Error(err)
	}
}

func TestWhateverWayItWasGivenItIsRevoked(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	all := []string{reader}
	w.sql("CREATE ROLE boss_%d; GRANT %s TO boss_%[1]d WITH ADMIN OPTION", w.n, quoted(reader))
	w.must(connector.Wanted{Account: w.account, Managed: all, Roles: all})
	w.sql("REVOKE %s FROM %s", quoted(reader), w.account)
	w.sql("SET ROLE boss_%d; GRANT %s TO %s WITH ADMIN OPTION", w.n, quoted(reader), w.account)
	w.must(w.wanted(all))
	if held := w.holdings(reader); len(held) != 1 || held[0].Account == w.account {
		t.Errorf("%+v", held)
	}
}

func TestARoleByWayOfOneThatIsNotManagedIsTold(t *testing.T) {
	w := newWorld(t)
	reader, staff := w.role("reader"), w.role("staff")
	all := []string{reader}
	w.must(w.wanted(all, reader))
	w.sql("GRANT %s TO %s; GRANT %[2]s TO %[3]s", quoted(reader), quoted(staff), w.account)
	e, err := w.bring(w.wanted(all))
	mustSay(t, err, fault.Conflict, `still has "`+reader+`" by way of "`+staff+`"`)
	if !strings.Contains(e.Did, "revoked "+reader) || e.After.Body == nil {
		t.Errorf("%+v", e)
	}
	if _, err := w.signIn(); err == nil {
		t.Error("it still signs in")
	}
	// With the role in between managed too, and wanted, what comes with it is meant.
	w.must(w.wanted([]string{reader, staff}, staff))
	w.must(w.wanted([]string{reader, staff}))
}

func TestHoldingsFindEveryWay(t *testing.T) {
	w := newWorld(t)
	reader, team, firm := w.role("reader"), w.role("team"), w.role("firm")
	w.must(w.wanted([]string{reader}, reader))
	w.sql("GRANT %s TO %s; GRANT %[2]s TO %s; GRANT %[3]s TO %s; CREATE ROLE eve_%d SUPERUSER NOLOGIN VALID UNTIL '-infinity'; GRANT %[1]s TO eve_%[5]d",
		quoted(reader), quoted(team), quoted(firm), w.account, w.n)
	ways := map[string]bool{}
	for _, h := range w.holdings(reader, reader) {
		ways[h.Account+"<"+strings.Join(h.Via, "<")] = h.SignsIn
		if h.Role != reader || strings.HasPrefix(h.Account, "eve") != (h.Until != nil && h.Until.Unix() == 0) {
			t.Errorf("%+v", h)
		}
	}
	want := map[string]bool{
		w.account + "<": true, w.account + "<" + firm + "<" + team: true, firm + "<" + team: false, team + "<": false,
	}
	if len(ways) != 5 {
		t.Errorf("%v", ways)
	}
	for way, signsIn := range want {
		if got, there := ways[way]; !there || got != signsIn {
			t.Errorf("%s is not in %v", way, ways)
		}
	}
}

func TestARenamedLoginIsFoundAsAnother(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	w.must(w.wanted([]string{reader}, reader))
	w.sql("ALTER ROLE %s RENAME TO ghost_%d", w.account, w.n)
	held := w.holdings(reader)
	if len(held) != 1 || !strings.HasPrefix(held[0].Account, "ghost_") {
		t.Fatalf("%+v", held)
	}
	if e := w.must(w.wanted([]string{reader})); !e.Already {
		t.Errorf("%+v", e)
	}
	if _, err := w.take(held[0].Account, reader); err != nil || len(w.holdings(reader)) != 0 {
		t.Error(err)
	}
}

func TestManyAtOnceEndInWhatIsWanted(t *testing.T) {
	w := newWorld(t)
	reader, writer := w.role("reader"), w.role("writer")
	all := []string{reader, writer}
	w.p = connector.Params(`{"connection":"env:ADMIN","timeout":"10s"}`)
	for range 3 {
		var done sync.WaitGroup
		for range 6 {
			done.Go(func() {
				if _, err := w.g.Bring(context.WithoutCancel(t.Context()), "key", w.p, w.wanted(all, reader, writer)); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		if held := w.holdings(all...); len(held) != 2 {
			t.Errorf("%+v", held)
		}
		for range 6 {
			done.Go(func() {
				if _, err := w.g.Bring(context.WithoutCancel(t.Context()), "key", w.p, w.wanted(all)); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		if held := w.holdings(all...); len(held) != 0 {
			t.Errorf("%+v", held)
		}
	}
}

// An administrator who may make roles but is no superuser does it all, but for reading a verifier back.
func TestALesserAdministratorWillDo(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	w.sql("CREATE ROLE lesser_%d LOGIN CREATEROLE PASSWORD 'lesser'; GRANT pg_signal_backend TO lesser_%[1]d", w.n)
	w.g = granter(strings.Replace(server.URL, "keyholder:"+adminPassword(t), "lesser_"+suffix(w)+":lesser", 1))
	w.must(w.wanted([]string{reader}, reader))
	conn := w.mustSignIn()
	if err := w.reads(conn, reader); err != nil {
		t.Error(err)
	}
	if e := w.must(w.wanted([]string{reader}, reader)); e.Did != "set its password" {
		t.Errorf("%+v", e)
	}
	w.must(w.wanted([]string{reader}))
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the open session is not cut")
	}
	w.must(w.wanted([]string{reader}, reader))
	w.sql("ALTER ROLE %s BYPASSRLS", w.account)
	_, err := w.bring(w.wanted([]string{reader}))
	mustSay(t, err, fault.Conflict, "Not taken the right to replicate", "must be superuser")
	if held := w.holdings(reader); len(held) != 0 {
		t.Errorf("%+v", held)
	}
	w.sql("ALTER ROLE %s NOBYPASSRLS; REVOKE pg_signal_backend FROM lesser_%d", w.account, w.n)
	w.must(w.wanted([]string{reader}, reader))
	w.mustSignIn()
	_, err = w.bring(w.wanted([]string{reader}))
	mustSay(t, err, fault.Conflict, "does not let the login of Keyholder do this")
}

func TestWhatIsInTheWayIsNotWaitedForWithoutEnd(t *testing.T) {
	w := newWorld(t)
	reader := w.role("reader")
	w.must(w.wanted([]string{reader}, reader))
	w.p = connector.Params(`{"connection":"env:ADMIN","timeout":"500ms"}`)
	conn, err := pgx.Connect(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), "BEGIN; ALTER ROLE "+w.account+" CONNECTION LIMIT 3"); err != nil {
		t.Fatal(err)
	}
	_, err = w.bring(w.wanted([]string{reader}))
	mustSay(t, err, fault.Unavailable, "did not answer within 500ms")
	if len(w.holdings(reader)) != 1 {
		t.Error("half of it was done")
	}
	if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	w.must(w.wanted([]string{reader}))
}

// TestWhatCannotBeGivenKeepsNothingFromBeingTaken: the setting that has it written down was set back, and Keyholder lost the right to it.
func TestWhatCannotBeGivenKeepsNothingFromBeingTaken(t *testing.T) {
	w := newWorld(t)
	reader, writer := w.role("reader"), w.role("writer")
	all := []string{reader, writer}
	admin := fmt.Sprintf("admin_%d", w.n)
	w.sql("CREATE ROLE %s LOGIN CREATEROLE PASSWORD 'admin-7'; GRANT %s, %s TO %[1]s WITH ADMIN OPTION; GRANT pg_signal_backend TO %[1]s; GRANT SET ON PARAMETER log_statement TO %[1]s", admin, quoted(reader), quoted(writer))
	config, err := pgx.ParseConfig(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.g = granter(fmt.Sprintf("postgres://%s:admin-7@%s:%d/postgres", admin, config.Host, config.Port))
	w.p = connector.Params(`{"connection":"env:ADMIN","timeout":"5s","log_statement":"all"}`)
	w.must(w.wanted(all, reader, writer))
	w.sql("ALTER ROLE %s RESET log_statement; REVOKE SET ON PARAMETER log_statement FROM %s", w.account, admin)
	_, err = w.bring(w.wanted(all, reader))
	mustSay(t, err, fault.Conflict, "Not set to write down")
	for _, held := range w.holdings(writer) {
		if held.Account == w.account {
			t.Errorf("it was not taken: %+v", held)
		}
	}
}
