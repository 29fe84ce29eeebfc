package e2e_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/scram"
	"keyholder/internal/store"
)

// slowly is how long anything may take on a machine that runs several demos at once; how soon access is gone is measured by the bench.
const slowly = 40 * time.Second

// reporting is the administrator's connection to the shop's reporting database.
func (w *world) reporting() *pgx.Conn {
	w.t.Helper()
	at, err := os.ReadFile(filepath.Join(w.dir, "reporting-sign-in"))
	if err != nil {
		w.t.Fatal(err)
	}
	var conn *pgx.Conn
	w.until("the reporting database lets one in", slowly, func() bool {
		conn, err = pgx.Connect(w.t.Context(), strings.TrimSpace(string(at)))
		return err == nil
	})
	w.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// members are those who have a role there.
func members(t *testing.T, admin *pgx.Conn, role string) []string {
	t.Helper()
	rows, err := admin.Query(t.Context(), "SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid WHERE r.rolname = $1 ORDER BY 1", role)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// known is somebody as the store knows them, who signed in just now.
func (w *world) known(user string) access.Principal {
	w.t.Helper()
	w.signIn(user)
	everybody, err := w.store.Electorate(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	at := slices.IndexFunc(everybody, func(p access.Principal) bool { return p.Mail == user+"@retailer.example" })
	if at < 0 {
		w.t.Fatalf("nobody knows %s", user)
	}
	p := everybody[at]
	p.SignedInAt = w.store.Now()
	return p
}

// grantee is Rosa with a role on the reporting database, and how she signs in.
type grantee struct {
	w         *world
	rosa, ann access.Principal
	code      string
	account   string
	password  string
}

// granted gives Rosa a role for some time. Access lasts five minutes at least, which is too long for a test: the record is told less.
func (w *world) granted(role string, lasts time.Duration) grantee {
	w.t.Helper()
	g := grantee{w: w, rosa: w.known("rosa"), ann: w.known("ines")}
	ctx := w.t.Context()
	in, err := w.store.OpenIncident(ctx, g.ann, store.Incident{ID: store.NewID(), Title: "Reports", Cause: failover.CauseUnknown, Services: []string{"checkout"}, ImpactAt: w.store.Now()})
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.store.FileAccess(ctx, g.rosa, store.AccessFile{
		ID: store.NewID(), Eligibility: "reporting-in-an-incident", Role: role, Length: catalog.Duration(15 * time.Minute), Incident: in.Code, Reason: "The sums are wrong",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	g.code = r.Code
	out, err := w.store.DecideAccess(ctx, store.AccessVote{Vote: store.Vote{ID: store.NewID(), Code: r.Code, By: g.ann, Verdict: approval.Approve, Digest: r.Digest}})
	if err = errors.Join(err, out.Err()); err != nil {
		w.t.Fatal(err)
	}
	w.lasting(g.code, lasts)
	g.does(g.rosa, store.BeginAccess, "")
	w.until("it is given", slowly, func() bool { return g.grant().Given != nil })
	g.signsIn()
	return g
}

// lasting rewrites for how long approved access lasts.
func (w *world) lasting(code string, lasts time.Duration) {
	w.t.Helper()
	db, err := sql.Open("sqlite", store.SQLiteName(filepath.Join(w.dir, "keyholder.db"), true))
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = db.ExecContext(w.t.Context(), "UPDATE access_requests SET body = CAST(json_set(CAST(body AS TEXT), '$.allowed', ?) AS BLOB) WHERE code = ?", lasts.String(), code)
	if err = errors.Join(err, db.Close()); err != nil {
		w.t.Fatal(err)
	}
}

func (g *grantee) does(by access.Principal, verb store.AccessVerb, note string) {
	g.w.t.Helper()
	c := store.AccessCommand{ID: store.NewID(), Code: g.code, By: by, Verb: verb, Note: note, InOrder: true}
	if verb == store.ReviewAccess {
		g.w.until("what was done is attached", slowly, func() bool { return !g.grant().ActivityDue() })
		seen, err := g.grant().Seen()
		if err != nil {
			g.w.t.Fatal(err)
		}
		c.Seen = seen
	}
	out, err := g.w.store.CommandAccess(g.w.t.Context(), c)
	if err = errors.Join(err, out.Err()); err != nil {
		g.w.t.Fatal(err)
	}
}

func (g *grantee) grant() breakglass.Grant {
	g.w.t.Helper()
	r, err := g.w.store.Access(g.w.t.Context(), g.code)
	if err != nil || r.Grant == nil {
		g.w.t.Fatalf("%s: %+v, %v", g.code, r, err)
	}
	return *r.Grant
}

// signsIn gives her account a password, and waits until it is in force.
func (g *grantee) signsIn() {
	g.w.t.Helper()
	g.password = scram.NewPassword()
	g.w.secrets.met("a password", g.password)
	verifier, err := scram.NewVerifier(g.password)
	if err != nil {
		g.w.t.Fatal(err)
	}
	if err := g.w.store.SetPassword(g.w.t.Context(), g.rosa, g.code, verifier); err != nil {
		g.w.t.Fatal(err)
	}
	g.w.until("the password is in force", slowly, func() bool {
		account, err := g.w.store.AccountOf(g.w.t.Context(), "reporting-database", g.rosa.ID)
		g.account = account.Name
		return err == nil && account.InForce == account.Wanted() && account.Trouble == nil
	})
}

// connect signs in to the reporting database as she does.
func (g *grantee) connect() (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(g.w.t.Context(), 5*time.Second)
	defer cancel()
	return pgx.Connect(ctx, fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/reporting?sslmode=disable", g.account, g.password, g.w.ports["reporting"]))
}

func (g *grantee) session() *pgx.Conn {
	g.w.t.Helper()
	conn, err := g.connect()
	if err != nil {
		g.w.t.Fatal(err)
	}
	g.w.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	var n int
	if err := conn.QueryRow(g.w.t.Context(), "SELECT count(*) FROM orders_by_day").Scan(&n); err != nil || n != 60 {
		g.w.t.Fatalf("%d days: %v", n, err)
	}
	return conn
}

// gone is when she had nothing left at the database, and her session was cut. It says how long that took.
func (g *grantee) gone(within time.Duration, admin, session *pgx.Conn) (took time.Duration) {
	g.w.t.Helper()
	took = g.w.until("access is gone", within, func() bool { return len(members(g.w.t, admin, "reporting_reader")) == 0 })
	g.w.until("her session is cut", slowly, func() bool { _, err := session.Exec(g.w.t.Context(), "SELECT 1"); return err != nil })
	if conn, err := g.connect(); err == nil {
		_ = conn.Close(g.w.t.Context())
		g.w.t.Error("she signs in after its end")
	}
	if !g.grant().Ends(time.Now()) {
		return took // it is frozen
	}
	g.w.until("that it is gone is on record", slowly, func() bool { return g.grant().Confirmed != nil })
	g.w.t.Logf("gone %s after it could be, %s after its end", took, g.grant().Confirmed.Sub(g.grant().End()))
	return took
}

func TestAccessEndsOnTheRealDatabaseAndAnOpenSessionIsCut(t *testing.T) {
	w := newWorld(t)
	g := w.granted("reporting_reader", 25*time.Second)
	admin, session := w.reporting(), g.session()
	if _, err := session.Exec(t.Context(), "DELETE FROM orders_by_day"); err == nil {
		t.Error("a reader deletes")
	}
	g.gone(time.Until(g.grant().End())+slowly, admin, session)
}

// goneWithin is how long access may be at the database once whatever was killed across its end is at work again.
const goneWithin = 5 * time.Second

// TestAccessIsGoneAtItsEndWhateverWasKilledAcrossIt: the worker and the portal, which are one program here, and Temporal are killed before
// the end and started after it. Until then the database and the record refuse by themselves.
func TestAccessIsGoneAtItsEndWhateverWasKilledAcrossIt(t *testing.T) {
	w := soleWorld(t)
	for i, killed := range [][]string{{"portal"}, {"temporal"}, {"portal", "temporal"}} {
		if i > 0 {
			w.reviewed()
		}
		g := w.granted("reporting_reader", 25*time.Second)
		admin, session := w.reporting(), g.session()
		w.kill(killed...)
		w.until("its end has come", time.Minute, func() bool { return time.Now().After(g.grant().End()) })
		if has, err := w.store.Holds(t.Context(), g.rosa.ID, "reporting-database"); err != nil || len(has) > 0 {
			t.Errorf("%v killed: by the record she has %v: %v", killed, has, err)
		}
		if conn, err := g.connect(); err == nil {
			_ = conn.Close(t.Context())
			t.Errorf("%v killed: the database lets her in after its end", killed)
		}
		for _, part := range slices.Backward(killed) {
			w.start(part)
		}
		w.until("what was killed is at work again", slowly, func() bool { return w.ready() && w.temporalAnswers(store.HolderCode("reporting-database", g.rosa.ID)) })
		if took := g.gone(slowly, admin, session); took > goneWithin {
			t.Errorf("%v killed: it took %s", killed, took)
		}
	}
}

// reviewed has somebody look at whatever has not been looked at, so that more can be asked for.
func (w *world) reviewed() {
	w.t.Helper()
	sven := w.known("sven")
	open, err := w.store.OpenAccess(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range open {
		g := grantee{w: w, code: r.Code}
		g.does(sven, store.ReviewAccess, "The log says what was said")
	}
}

func TestWhatWasGivenOrTakenAroundKeyholderIsFoundWithinAMinuteAndPutRight(t *testing.T) {
	w := newWorld(t)
	g := w.granted("reporting_reader", 10*time.Minute)
	admin, sven := w.reporting(), w.known("sven")
	for _, statement := range []string{
		"CREATE ROLE mallory LOGIN", "GRANT reporting_repair TO mallory", // given around Keyholder
		"CREATE ROLE team NOLOGIN", "GRANT reporting_reader TO team", "CREATE ROLE trent LOGIN", "GRANT team TO trent", // inherited
		"REVOKE reporting_reader FROM " + pgx.Identifier{g.account}.Sanitize(), // taken
	} {
		if _, err := admin.Exec(t.Context(), statement); err != nil {
			t.Fatal(statement, err)
		}
	}
	want := []string{
		"mallory has reporting_repair, which no grant explains", "trent has reporting_reader by way of team, which no grant explains",
		g.account + " does not have reporting_reader, which a grant gave",
	}
	var found []breakglass.Finding
	w.until("all of it is found", time.Minute, func() bool {
		var err error
		found, err = w.store.AccessFindings(t.Context())
		return err == nil && !slices.ContainsFunc(want, func(words string) bool {
			return !slices.ContainsFunc(found, func(f breakglass.Finding) bool { return f.Words() == words })
		})
	})
	for _, f := range found {
		if f.Account == "mallory" || f.Kind == breakglass.Missing {
			if err := w.store.PutRight(t.Context(), sven, f.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.until("what was given is taken", slowly, func() bool { return len(members(t, admin, "reporting_repair")) == 0 })
	w.until("what was taken is given", slowly, func() bool { return slices.Contains(members(t, admin, "reporting_reader"), g.account) })
	if _, err := admin.Exec(t.Context(), fmt.Sprintf("ALTER ROLE %s RENAME TO nobody_you_know", pgx.Identifier{g.account}.Sanitize())); err != nil {
		t.Fatal(err)
	}
	w.until("a renamed account is found", time.Minute, func() bool {
		found, err := w.store.AccessFindings(t.Context())
		return err == nil && slices.ContainsFunc(found, func(f breakglass.Finding) bool { return f.Account == "nobody_you_know" })
	})
}

// TestTheStoryOfOneAccessOnPagesThatAreSound: a responder asks, a second person approves on a phone, the responder signs in by what is
// shown once, security freezes and takes it, a third reviews, and the auditor reads all of it. Axe finds nothing on the way.
func TestTheStoryOfOneAccessOnPagesThatAreSound(t *testing.T) {
	w := newWorld(t)
	ctx := w.browser()
	ines, rosa, sven, ada := w.signIn("ines"), w.signIn("rosa"), w.signIn("sven"), w.signIn("ada")
	opened := ines.submit(ines.get("/incidents/new"), "Open", map[string]string{"title": "Reports", "services": "checkout", "cause": "unknown"})
	incident := strings.TrimPrefix(opened.url.Path, "/incidents/")
	ask := rosa.get("/access/ask?eligibility=reporting-in-an-incident")
	path := rosa.submit(ask, "Ask for access", map[string]string{"role": "reporting_reader", "incident": incident, "reason": "The sums are wrong"}).url.Path
	code := strings.TrimPrefix(path, "/access/")
	w.signInBrowser(ctx, "ines", "/")
	w.sound(ctx, "asked for, as an approver", "/", path, "/access")
	ines.submit(ines.get(path), "Approve", nil)
	w.signInBrowserAs(ctx, "rosa")
	w.sound(ctx, "approved, as its holder", "/access", "/access/ask", "/access/ask?eligibility=reporting-in-an-incident", path)
	rosa.submit(rosa.get(path), "Begin", nil)
	g := grantee{w: w, code: code}
	w.until("it is given", slowly, func() bool { return g.grant().Given != nil })
	w.sound(ctx, "live, as its holder", "/", path)
	shown := rosa.submit(rosa.get(path), "Show a new password", nil)
	g.account, g.password = text(shown.Find("[data-field=account]")), text(shown.Find("[data-field=password]"))
	w.until("the password is in force", slowly, func() bool {
		conn, err := g.connect()
		return err == nil && conn.Close(t.Context()) == nil
	})
	admin, session := w.reporting(), g.session()
	w.signInBrowserAs(ctx, "sven")
	w.sound(ctx, "live, as security", "/", path, "/access")
	sven.submit(sven.get(path), "Freeze "+code, map[string]string{"note": "Is it she?"})
	g.gone(slowly, admin, session)
	w.sound(ctx, "frozen", path, "/access")
	sven.submit(sven.get(path), "Take", map[string]string{"note": "It was not"})
	w.until("it is over", slowly, func() bool { return g.grant().Confirmed != nil })
	w.until("what the database wrote down is attached", slowly, func() bool { return g.grant().Activity != nil })
	w.sound(ctx, "to be reviewed", path)
	g.wroteDown(sven, "SELECT count(*) FROM orders_by_day")
	sven.submit(sven.get(path), "Sign the review", map[string]string{"note": "The log shows one SELECT", "in_order": "no"})
	if kept := g.grant(); kept.Review == nil || kept.Review.Of == "" {
		t.Errorf("the review is of %+v", kept.Review)
	}
	w.signInBrowserAs(ctx, "ada")
	w.sound(ctx, "reviewed, as the auditor", path, "/audit?object="+code)
	story := text(ada.get("/audit?object=" + code).Selection)
	for _, words := range []string{"asked for reporting_reader", "voted to approve", "begin of", "was shown a new password", "is frozen", "revoke of", "says what was done with", "review of"} {
		if !strings.Contains(story, words) {
			t.Errorf("the record does not say %q: %s", words, story)
		}
	}
}

// wroteDown looks for a statement on the page of her access and in the text of all that the database wrote down, which not everybody reads.
func (g *grantee) wroteDown(by *person, statement string) {
	g.w.t.Helper()
	path := "/access/" + g.code
	if said := text(by.get(path).Find("[data-field=activity]")); !strings.Contains(said, statement) || strings.Contains(said, g.password) {
		g.w.t.Errorf("the page says that she did: %s", said)
	}
	if all := text(by.get(path + "/activity").Selection); !strings.Contains(all, statement) || !strings.Contains(all, g.grant().Activity.Digest) {
		g.w.t.Errorf("all that she did is: %s", all)
	}
	nobody := g.w.signIn("bea")
	if said := text(nobody.get(path).Selection); strings.Contains(said, statement) || !strings.Contains(said, "entries, read") {
		g.w.t.Errorf("a business owner reads: %s", said)
	}
	if all := text(nobody.get(path + "/activity").Selection); strings.Contains(all, statement) {
		g.w.t.Errorf("a business owner reads all of it: %s", all)
	}
}
