package web_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
	"keyholder/web"
)

const (
	beginReader   = "Begin: reporting_reader on Reporting database, 15 min"
	approveReader = "Approve: reporting_reader on Reporting database for Pavel, 15 min"
	askReporting  = "Ask for access to Reporting database"
	showNew       = "Show a new password for Reporting database"
)

// breakable is a portal with a system, who may ask for what on it, and who decides; three people, and an incident that is open.
type breakable struct {
	*portal
	pavel, ines, sam visitor // engineer, commander, security officer
	incident         string
}

func accessible(t *testing.T) breakable {
	t.Helper()
	p := newPortal(t)
	system := catalog.System{
		Slug: "reporting", Name: "Reporting database", About: "Figures of the day. Sign in with psql at reports.example.com.", Services: []string{"checkout"},
		Connector: "postgres-role", Params: json.RawMessage(`{"connection":"env:REPORTING_ADMIN"}`),
		Roles: []catalog.TargetRole{{Role: "reporting_reader", Does: "Reads everything"}, {Role: "reporting_writer", Does: "Corrects figures"}},
	}
	reader := catalog.Eligibility{
		Slug: "read-reports", Name: "Read the reports", System: "reporting", Roles: []string{"reporting_reader", "reporting_writer"}, For: []access.Role{access.PlatformEngineer},
		Longest: catalog.Duration(time.Hour), Ahead: catalog.Duration(8 * time.Hour), ActivateWithin: catalog.Duration(30 * time.Minute), Bypass: true,
		ReviewWithin: catalog.Duration(24 * time.Hour), Reviewers: []access.Role{access.SecurityOfficer},
	}
	b := store.Bundle{Records: []catalog.Entry{
		{Ref: catalog.Ref{Kind: catalog.KindSystem, Slug: system.Slug}, Name: system.Name, Record: system},
		{Ref: catalog.Ref{Kind: catalog.KindEligibility, Slug: reader.Slug}, Name: reader.Name, Record: reader},
	}}
	for _, policy := range catalog.ShippedPolicies() {
		if policy.Action == catalog.ActBreakGlass {
			b.Records = append(b.Records, catalog.Entry{Ref: catalog.Ref{Kind: catalog.KindPolicy, Slug: policy.Slug}, Record: policy})
		}
	}
	testkit.Change(t, p.Store, b, store.Manner{})
	a := breakable{p, p.someone(t, "Pavel", "platform-engineers"), p.someone(t, "Ines", "incident-commanders"), p.someone(t, "Sam", "security-officers"), ""}
	a.incident = p.opened(t, a.ines).Code
	return a
}

// agrees adds an eligibility.
func (a breakable) agrees(t *testing.T, e catalog.Eligibility) {
	t.Helper()
	testkit.Change(t, a.Store, store.Bundle{Records: []catalog.Entry{{Ref: catalog.Ref{Kind: catalog.KindEligibility, Slug: e.Slug}, Name: e.Name, Record: e}}}, store.Manner{})
}

// settled has the system be as the record wants it, as the process of a holder would; failed is why it is not.
func (a breakable) settled(t *testing.T, failed error) {
	t.Helper()
	name := func(catalog.System, breakglass.Holder) (string, error) { return "kh_pavel_0123abcd", nil }
	try, err := a.BeginSettle(a.ctx, "reporting", a.pavel.ID, name)
	if err != nil {
		t.Fatal(err)
	}
	if try.Nothing {
		return
	}
	if failed != nil {
		err = a.SettleFailed(a.ctx, try, breakglass.Failure{Why: failed.Error(), Clean: true}, nil)
	} else {
		_, err = a.Settled(a.ctx, try, "brought about", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// asks has Pavel ask for 15 minutes, with what is typed over it.
func (a breakable) asks(t *testing.T, typed url.Values) string {
	t.Helper()
	all := url.Values{"role": {"reporting_reader"}, "reason": {"Orders look wrong"}}
	for name, value := range typed {
		all[name] = value
	}
	answer := a.pavel.submit(t, a.pavel.get(t, "/access/ask?incident="+a.incident).want(t, 200), askReporting, all).want(t, 303)
	return answer.location
}

// live has Pavel ask, Ines approve and Pavel begin.
func (a breakable) live(t *testing.T) string {
	t.Helper()
	path := a.asks(t, nil)
	a.ines.submit(t, a.ines.get(t, path), approveReader, nil).want(t, 303)
	a.pavel.submit(t, a.pavel.get(t, path), beginReader, nil).want(t, 303)
	a.settled(t, nil)
	return path
}

func TestAccessIsAskedForApprovedBegunAndGivenBackByThreePeople(t *testing.T) {
	a := accessible(t)
	a.pavel.get(t, "/access").want(t, 200).says(t, "mine", "You have no access for a time.")
	form := a.pavel.get(t, "/access/ask?incident="+a.incident).want(t, 200)
	if got := form.Find("#length option[selected]").AttrOr("value", ""); got != "15m" {
		t.Errorf("the form proposes %s", got)
	}
	path := a.asks(t, nil)
	code := strings.TrimPrefix(path, "/access/")
	a.ines.get(t, "/").says(t, "needs-you", "Decide: reporting_reader on Reporting database for Pavel, 15 min")
	a.ines.get(t, "/access").says(t, "waits", "Decide: reporting_reader")
	asked := a.ines.get(t, path).want(t, 200)
	asked.says(t, "able", "Can now: Ines, Sam,")
	asked.says(t, "reason", "Orders look wrong")
	again := a.ines.submit(t, asked, approveReader, url.Values{"length": {"10m"}}).want(t, 303)
	a.ines.submit(t, asked, approveReader, url.Values{"length": {"10m"}}).want(t, 303) // pressed twice
	if again.location != path {
		t.Errorf("voting leads to %s", again.location)
	}
	a.pavel.get(t, "/").says(t, "needs-you", "Begin: reporting_reader on Reporting database, 10 min")
	approved := a.pavel.get(t, path).want(t, 200)
	approved.says(t, "facts", "10 min, of 15 min that were asked for")
	pete := a.someone(t, "Pete", "platform-engineers")
	pete.get(t, path).hasButton(t, "Begin: reporting_reader on Reporting database, 10 min", false)
	pete.post(t, path+"/begin", url.Values{}).want(t, 403).says(t, "problem", "Pavel asked for this and begins it.")
	const begin = "Begin: reporting_reader on Reporting database, 10 min"
	a.pavel.submit(t, approved, begin, nil).want(t, 303)
	a.pavel.submit(t, approved, begin, nil).want(t, 303) // pressed twice
	a.pavel.get(t, path).says(t, "stand", "being given")
	a.settled(t, nil)
	a.pavel.get(t, path).says(t, "stand", "live")
	for _, page := range []string{"/", "/impact", path} {
		a.pavel.get(t, page).want(t, 200).says(t, "holding", "You have reporting_reader on Reporting database until")
	}
	if said := a.ines.get(t, "/").field("holding"); said != "" {
		t.Errorf("somebody else is told: %s", said)
	}
	a.ines.get(t, "/").says(t, "access", "One person's access is live")
	a.ines.get(t, "/access").says(t, "live", "PavelUntil")
	a.ines.get(t, "/incidents/"+a.incident).says(t, "access", code)
	page := a.pavel.get(t, path)
	a.pavel.submit(t, page, "Give back: reporting_reader on Reporting database", nil).want(t, 303)
	a.pavel.submit(t, page, "Give back: reporting_reader on Reporting database", nil).want(t, 303) // pressed twice
	a.settled(t, nil)
	if said := a.pavel.get(t, "/").field("holding"); said != "" {
		t.Errorf("what was given back is still said to be there: %s", said)
	}
	story := a.sam.get(t, path).field("story")
	for _, part := range []string{"Pavel asked for", "Approved by Ines, for 10 min at most", "Pavel began it", "read back at the system", "Pavel gave it back", "It is gone"} {
		if !strings.Contains(story, part) {
			t.Errorf("the story leaves out %q: %s", part, story)
		}
	}
	last := a.sam.get(t, path)
	if n := last.Find("[data-field=story] time").Length(); n < 6 {
		t.Errorf("%d moments in the story", n)
	}
	done := last.Find("a:contains('What was tried and done')").AttrOr("href", "")
	if n := a.sam.get(t, done).want(t, 200).Find("[data-line]").Length(); n == 0 {
		t.Errorf("%s lists nothing that was done", done)
	}
}

func TestNobodyApprovesTheirOwnAccess(t *testing.T) {
	a := accessible(t)
	path := a.asks(t, nil)
	page := a.pavel.get(t, path).want(t, 200)
	page.hasButton(t, approveReader, false)
	page.says(t, "not-you", "Nobody decides on their own request")
	a.pavel.post(t, path+"/decide", url.Values{"verdict": {"approve"}}).want(t, 403).says(t, "rule", "permission:decide")
	a.agrees(t, catalog.Eligibility{
		Slug: "command", Name: "Command the reports", System: "reporting", Roles: []string{"reporting_reader"}, For: []access.Role{access.IncidentCommander},
		Longest: catalog.Duration(time.Hour), ActivateWithin: catalog.Duration(time.Hour), ReviewWithin: catalog.Duration(time.Hour), Reviewers: []access.Role{access.SecurityOfficer},
	})
	own := a.ines.submit(t, a.ines.get(t, "/access/ask"), askReporting, url.Values{"reason": {"To look"}}).want(t, 303).location
	page = a.ines.get(t, own).want(t, 200) // who may decide on those of others
	page.hasButton(t, "Approve: reporting_reader on Reporting database for Ines, 15 min", false)
	of, err := a.Access(a.ctx, strings.TrimPrefix(own, "/access/"))
	if err != nil {
		t.Fatal(err)
	}
	a.ines.post(t, own+"/decide", url.Values{"verdict": {"approve"}, "digest": {of.Digest}}).want(t, 403).says(t, "problem", "Nobody decides on their own request")
	bea := a.someone(t, "Bea", "business-owners") // lets herself in to vote, but is not asked
	bea.get(t, path).hasButton(t, approveReader, false)
	digest := a.ines.get(t, path).Find("[name=digest]").AttrOr("value", "")
	bea.post(t, path+"/decide", url.Values{"verdict": {"approve"}, "digest": {digest}}).want(t, 403).says(t, "problem", "Who can: ")
}

func TestWhatWasTypedToAskForAccessIsNotLost(t *testing.T) {
	a := accessible(t)
	form := a.pavel.get(t, "/access/ask").want(t, 200)
	answer := a.pavel.submit(t, form, askReporting, url.Values{
		"role": {"reporting_writer"}, "length": {"45m"}, "reason": {""}, "starts": {"soon"}, "bypass": {"yes"}, "incident": {""},
	}).want(t, 422)
	for field, says := range map[string]string{"reason": "Say what you need it for", "starts": "Write a time", "incident": "Name the incident"} {
		if got := answer.wrong(field); !strings.Contains(got, says) {
			t.Errorf("at %s: %q", field, got)
		}
	}
	for selector, value := range map[string]string{"#length option[selected]": "45m", "[name=role][checked]": "reporting_writer", "#starts": "soon", "[name=bypass][checked]": "yes"} {
		if got := answer.Find(selector).AttrOr("value", ""); got != value {
			t.Errorf("%s came back as %q", selector, got)
		}
	}
	if act := answer.Find("[name=act]").First().AttrOr("value", ""); act != form.Find("[name=act]").First().AttrOr("value", "") {
		t.Error("the corrected form would be another act")
	}
	if got := a.pavel.submit(t, form, askReporting, nil).want(t, 422).wrong("role"); got != "Choose a role." {
		t.Errorf("without a role: %q", got)
	}
	a.pavel.submit(t, form, askReporting, url.Values{"role": {"root"}, "length": {"3h"}, "reason": {"x"}}).want(t, 422)
	open, err := a.OpenAccess(a.ctx)
	if err != nil || len(open) != 0 {
		t.Errorf("%d requests, %v", len(open), err)
	}
	first := a.pavel.submit(t, form, askReporting, url.Values{"role": {"reporting_reader"}, "reason": {"x"}}).want(t, 303)
	second := a.pavel.submit(t, form, askReporting, url.Values{"role": {"reporting_reader"}, "reason": {"x"}}).want(t, 303)
	if first.location != second.location {
		t.Errorf("pressed twice it is %s and %s", first.location, second.location)
	}
}

func TestAPasswordIsShownOnceAndKeptNowhere(t *testing.T) {
	a := accessible(t)
	path := a.live(t)
	page := a.pavel.get(t, path)
	page.says(t, "sign-in", "psql at reports.example.com")
	page.says(t, "account", "kh_pavel_0123abcd")
	if said := a.ines.get(t, path).field("sign-in"); said != "" {
		t.Errorf("somebody else is told how to sign in: %s", said)
	}
	a.ines.post(t, path+"/password", url.Values{}).want(t, 403).says(t, "problem", "nobody else is shown how to sign in")
	shown := a.pavel.submit(t, page, showNew, nil).want(t, 200)
	password := shown.field("password")
	if len(password) < 24 {
		t.Fatalf("the password is %q", password)
	}
	if again := a.pavel.submit(t, page, showNew, nil).want(t, 200).field("password"); again != password {
		t.Error("a second press made another password")
	}
	w := a.pavel.raw(t, "POST", path+"/password", "", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	if got := w.Header().Get("Cache-Control"); got != "no-store" || strings.Contains(w.Body.String(), password) {
		t.Errorf("Cache-Control: %q; another press shows another password: %t", got, !strings.Contains(w.Body.String(), password))
	}
	after := a.pavel.get(t, path)
	after.says(t, "in-force", "is not in force yet")
	if all, _ := after.Html(); strings.Contains(all, password) || after.field("password") != "" {
		t.Error("the password is shown again")
	}
	a.settled(t, nil)
	a.pavel.get(t, path).says(t, "in-force", "is in force")
	nowhere(t, a.portal, password)
}

// nowhere fails where any table of the database holds a text.
func nowhere(t *testing.T, p *portal, text string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(t.TempDir()), "*", "keyholder.db")) // of this test
	if err != nil || len(files) != 1 {
		t.Fatalf("the database is one of %v, %v", files, err)
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	texts := func(query string) (all []string) {
		rows, err := db.QueryContext(p.ctx, query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var one sql.NullString
			if err := rows.Scan(&one); err != nil {
				t.Fatal(err)
			}
			all = append(all, one.String)
		}
		return all
	}
	tables := texts(`SELECT name FROM sqlite_master WHERE type = 'table'`)
	if len(tables) < 20 {
		t.Fatalf("only %v are searched", tables)
	}
	for _, table := range tables {
		for _, column := range texts(`SELECT name FROM pragma_table_info('` + table + `')`) {
			for _, value := range texts(`SELECT CAST("` + column + `" AS TEXT) FROM "` + table + `"`) {
				if strings.Contains(value, text) {
					t.Errorf("%s.%s holds it", table, column)
				}
			}
		}
	}
}

func TestAnEmergencyIsMarkedAndNamesWhoWasNotAsked(t *testing.T) {
	a := accessible(t)
	form := a.pavel.get(t, "/access/ask")
	form.says(t, "bypass", "Ines, Sam will be told at once, and named on it for ever")
	path := a.asks(t, url.Values{"bypass": {"yes"}})
	a.settled(t, nil)
	page := a.sam.get(t, path).want(t, 200)
	page.says(t, "emergency", "EMERGENCY: begun without approval. Not asked: Ines, Sam.")
	page.says(t, "stand", "EMERGENCY")
	page.says(t, "stand", "live")
	page.hasButton(t, approveReader, false)
	a.sam.get(t, "/access").says(t, "latest", "EMERGENCY, without approval")
	a.clock.Add(time.Hour)
	a.settled(t, nil)
	a.sam.get(t, "/").says(t, "needs-you", "EMERGENCY, without approval. Until then it blocks")
	a.sam.submit(t, a.sam.get(t, path), "Sign the review of "+strings.TrimPrefix(path, "/access/"), url.Values{"in_order": {"yes"}, "note": {"All is well"}}).want(t, 303)
	a.sam.get(t, path).says(t, "emergency", "Not asked: Ines, Sam.")
}

// ended is Pavel's access, over and seen to be gone, on a system that writes down what is done.
func (a breakable) ended(t *testing.T) (code, path string) {
	t.Helper()
	version, err := a.Catalog(a.ctx)
	if err != nil {
		t.Fatal(err)
	}
	system, _ := version.System("reporting")
	system.Log, system.LogParams = "postgres-log", system.Params
	testkit.Change(t, a.Store, store.Bundle{Records: []catalog.Entry{{Ref: catalog.Ref{Kind: catalog.KindSystem, Slug: system.Slug}, Name: system.Name, Record: system}}}, store.Manner{})
	path = a.live(t)
	code = strings.TrimPrefix(path, "/access/")
	a.pavel.submit(t, a.pavel.get(t, path), "Give back: reporting_reader on Reporting database", nil).want(t, 303)
	a.settled(t, nil)
	return code, path
}

func TestWhoeverReviewsReadsWhatTheSystemWroteDownAndNotEverybodyDoes(t *testing.T) {
	a := accessible(t)
	code, path := a.ended(t)
	sign := "Sign the review of " + code
	waits := a.sam.get(t, path)
	waits.says(t, "activity", "read as soon as all of it must be written down. From")
	waits.hasButton(t, sign, false)
	if err := a.ActivityUnread(a.ctx, code, "It is down."); err != nil {
		t.Fatal(err)
	}
	a.sam.get(t, path).says(t, "activity", "It cannot be read: It is down. Tried 1 times")
	entries := []breakglass.Entry{{At: a.Now(), Text: "DROP TABLE <script>orders</script>"}, {At: a.Now(), Text: strings.Repeat("x", 500)}}
	if err := a.AttachActivity(a.ctx, code, breakglass.Activity{Source: "The log", LeftOut: 7, Partial: "It goes back an hour only."}, entries); err != nil {
		t.Fatal(err)
	}
	page := a.sam.get(t, path)
	page.says(t, "activity", "The log: 2 entries, and 7 more that were too many to keep. It goes back an hour only, read")
	page.says(t, "activity", "DROP TABLE <script>orders</script>")
	if all := a.sam.get(t, path+"/activity").want(t, 200).Text(); !strings.Contains(all, strings.Repeat("x", 500)) {
		t.Errorf("all of it is %s", all)
	}
	others := a.ines.get(t, path).want(t, 200)
	others.says(t, "activity", "2 entries")
	nobody := a.someone(t, "Nora", "business-owners")
	if said := nobody.get(t, path).want(t, 200).field("activity"); strings.Contains(said, "DROP") {
		t.Errorf("somebody with no part in it reads %s", said)
	}
	nobody.get(t, path+"/activity").want(t, 403)
	a.sam.submit(t, page, sign, url.Values{"in_order": {"no"}, "note": {"It dropped the orders"}}).want(t, 303)
}

func TestWhatSomebodyChangedInTheDatabaseIsSaidAndKeepsNobodyFromReviewing(t *testing.T) {
	a := accessible(t)
	code, path := a.ended(t)
	if err := a.AttachActivity(a.ctx, code, breakglass.Activity{Source: "The log"}, []breakglass.Entry{{At: a.Now(), Text: "DROP TABLE orders"}}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(t.TempDir()), "*", "keyholder.db")) // of this test
	if err != nil || len(files) != 1 {
		t.Fatalf("the database is one of %v, %v", files, err)
	}
	db, err := sql.Open("sqlite", store.SQLiteName(files[0], true))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(a.ctx, "UPDATE access_activities SET body = '[]'")
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	page := a.sam.get(t, path).want(t, 200)
	page.says(t, "activity", "is not what was attached: somebody changed it in the database")
	a.sam.get(t, path+"/activity").want(t, 409)
	a.sam.submit(t, page, "Sign the review of "+code, url.Values{"in_order": {"no"}, "note": {"The log was changed"}}).want(t, 303)
}

func TestWhatIsFrozenIsShownSoAndIsReleased(t *testing.T) {
	a := accessible(t)
	path := a.live(t)
	code := strings.TrimPrefix(path, "/access/")
	a.pavel.get(t, path).hasButton(t, "Freeze "+code+": reporting_reader on Reporting database", false)
	page := a.sam.get(t, path)
	a.sam.submit(t, page, "Freeze "+code+": reporting_reader on Reporting database", nil).want(t, 422)
	for range 2 { // pressed twice
		a.sam.submit(t, page, "Freeze "+code+": reporting_reader on Reporting database", url.Values{"note": {"Strange queries"}}).want(t, 303)
	}
	if locks, err := a.Locks(a.ctx); err != nil || len(locks) != 1 {
		t.Errorf("pressed twice there are %d locks, %v", len(locks), err)
	}
	frozen := a.pavel.get(t, path)
	frozen.says(t, "stand", "frozen")
	frozen.says(t, "holding", "is frozen")
	frozen.hasButton(t, showNew, false)
	a.pavel.post(t, path+"/password", url.Values{}).want(t, 403).says(t, "problem", "This is frozen.")
	list := a.sam.get(t, "/access").want(t, 200)
	list.says(t, "locks", "Frozen: "+code+"“Strange queries”Sam")
	a.sam.submit(t, list, "Release: "+code, nil).want(t, 422)
	for range 2 {
		a.sam.submit(t, list, "Release: "+code, url.Values{"note": {"It was a report"}}).want(t, 303)
	}
	a.pavel.get(t, path).says(t, "stand", "live")
	list = a.sam.get(t, "/access")
	const freeze = "Freeze what is chosen, at once"
	answer := a.sam.submit(t, list, freeze, url.Values{"note": {"Kept"}}).want(t, 422)
	if got := answer.wrong("subject"); got != "Choose what is frozen." || answer.Find("#note").AttrOr("value", "") != "Kept" {
		t.Errorf("at the subject: %q", got)
	}
	a.sam.submit(t, list, freeze, url.Values{"subject": {"person:" + a.pavel.ID}, "note": {"A stolen laptop"}}).want(t, 303)
	a.pavel.get(t, path).says(t, "stand", "frozen")
	refused := a.pavel.submit(t, a.pavel.get(t, "/access/ask"), askReporting, url.Values{"role": {"reporting_writer"}, "reason": {"x"}}).want(t, 403)
	refused.says(t, "rule", "locked")
	a.pavel.post(t, "/access/freeze", url.Values{"subject": {"system:reporting"}, "note": {"x"}}).want(t, 403)
}

func TestAnUnreviewedUseBlocksTheNextAndSaysWhoCan(t *testing.T) {
	a := accessible(t)
	path := a.live(t)
	code := strings.TrimPrefix(path, "/access/")
	next := a.asks(t, url.Values{"role": {"reporting_writer"}})
	a.sam.submit(t, a.sam.get(t, next), "Approve: reporting_writer on Reporting database for Pavel, 15 min", nil).want(t, 303)
	a.clock.Add(16 * time.Minute)
	a.settled(t, nil)
	blocked := a.pavel.get(t, next).want(t, 200)
	blocked.hasButton(t, "Begin: reporting_writer on Reporting database, 15 min", false)
	blocked.says(t, "cant-begin", "An unreviewed use blocks the next")
	blocked.says(t, "cant-begin", "Security officer other than Pavel, by reviewing "+code)
	a.pavel.post(t, next+"/begin", url.Values{}).want(t, 403).says(t, "problem", "reviewed-first")
	form := a.pavel.get(t, "/access/ask")
	form.says(t, "problem", "This would be refused now. "+code+" of Pavel ended")
	refused := a.pavel.submit(t, form, askReporting, url.Values{"role": {"reporting_reader"}, "reason": {"More"}}).want(t, 403)
	refused.says(t, "rule", "reviewed-first")
	if got := refused.Find("#reason").Text(); got != "More" {
		t.Errorf("the reason came back as %q", got)
	}
	a.pavel.get(t, "/").says(t, "needs-you", "Say what was done: reporting_reader on Reporting database")
	mine := a.pavel.get(t, path)
	mine.says(t, "not-reviewer", "You had this. Somebody else looks at what was done.")
	a.pavel.submit(t, mine, "Say what was done with "+code, nil).want(t, 422)
	a.pavel.submit(t, mine, "Say what was done with "+code, url.Values{"note": {"Counted the orders"}}).want(t, 303)
	a.sam.get(t, "/").says(t, "needs-you", "Review: the use of reporting_reader on Reporting database by Pavel")
	review := a.sam.get(t, path)
	review.says(t, "statement", "Counted the orders")
	sign := "Sign the review of " + code
	answer := a.sam.submit(t, review, sign, nil).want(t, 422)
	if answer.wrong("in_order") == "" || answer.wrong("note") == "" {
		t.Errorf("the review wants %q and %q", answer.wrong("in_order"), answer.wrong("note"))
	}
	answer = a.sam.submit(t, review, sign, url.Values{"in_order": {"no"}}).want(t, 422)
	if got := answer.Find("[name=in_order][checked]").AttrOr("value", ""); got != "no" {
		t.Errorf("in order came back as %q", got)
	}
	a.ines.post(t, path+"/review", url.Values{"in_order": {"yes"}, "note": {"x"}}).want(t, 403).says(t, "problem", "Your role does not review this.")
	a.sam.submit(t, review, sign, url.Values{"in_order": {"yes"}, "note": {"Read the log"}}).want(t, 303)
	a.sam.get(t, path).says(t, "story", "Sam reviewed the use: in order. “Read the log”")
	a.pavel.submit(t, a.pavel.get(t, next), "Begin: reporting_writer on Reporting database, 15 min", nil).want(t, 303)
}

func TestWhoMayAskForNothingIsToldSoAndWhoCan(t *testing.T) {
	a := accessible(t)
	page := a.ines.get(t, "/access/ask").want(t, 200)
	page.says(t, "empty", "Nothing is agreed on that you may ask for")
	page.says(t, "not-for-you", "Read the reportsreporting_reader and reporting_writer on Reporting databaseWho can: Platform engineer.")
	a.ines.get(t, "/access/ask?eligibility=read-reports").want(t, 200).says(t, "problem", "Read the reports is not for you.")
	forged := url.Values{"eligibility": {"read-reports"}, "role": {"reporting_reader"}, "length": {"15m"}, "reason": {"x"}, "incident": {a.incident}}
	a.ines.post(t, "/access/ask", forged).want(t, 403).says(t, "problem", "not for you")
	a.ines.get(t, "/access/ask?eligibility=none").want(t, 404)
}

func TestAccessThatShouldBeGoneAndIsNotIsShownInRed(t *testing.T) {
	a := accessible(t)
	path := a.live(t)
	a.ines.submit(t, a.ines.get(t, path), "Take reporting_reader on Reporting database from Pavel", nil).want(t, 422)
	a.ines.submit(t, a.ines.get(t, path), "Take reporting_reader on Reporting database from Pavel", url.Values{"note": {"Enough"}}).want(t, 303)
	a.settled(t, errors.New("the database refuses connections"))
	if said := a.ines.get(t, "/").field("access"); strings.Contains(said, "Should be gone") {
		t.Errorf("at once: %s", said)
	}
	a.clock.Add(11 * time.Second)
	now := a.ines.get(t, "/")
	now.says(t, "access", "Should be gone and is not: reporting_reader on Reporting database of Pavel")
	now.says(t, "access", "after 1 attempt: the database refuses connections")
	list := a.sam.get(t, "/access")
	if list.Find("[data-field=live] .border-danger .badge.bad").Length() != 1 {
		t.Error("it is not red")
	}
	a.settled(t, nil)
	if said := a.ines.get(t, "/").field("access"); strings.Contains(said, "Should be gone") {
		t.Errorf("once it is gone: %s", said)
	}
	a.ines.get(t, path).says(t, "story", "Ines took it: “Enough”")
}

func TestTheAPIRefusesAtOnceWhatHasEnded(t *testing.T) {
	a := accessible(t)
	provider := testkit.NewIssuer(t)
	a.serve(t, web.Config{PublicURL: "http://example.com", Issuer: provider.URL, Version: "test"})
	sec := a.program(t, provider, "security-officers")
	a.pavel = a.someone(t, "Pavel", "platform-engineers")
	a.ines = a.someone(t, "Ines", "incident-commanders")
	const check = "/api/v1/access/check?system=reporting&role=reporting_reader&person="
	if got := sec.ask(t, "GET", check+a.pavel.ID, nil).want(t, 200).at("has"); got != "false" {
		t.Errorf("before: %s", got)
	}
	a.live(t)
	a.engine.away = true
	if got := sec.ask(t, "GET", check+a.pavel.ID, nil).want(t, 200); got.at("has") != "true" || got.at("until") == "<nil>" || got.at("as_of") == "<nil>" {
		t.Errorf("while it lasts: %s", got.raw)
	}
	if got := sec.ask(t, "GET", check+"nobody@example.com", nil).want(t, 200).at("has"); got != "false" {
		t.Errorf("of nobody: %s", got)
	}
	a.clock.Add(15*time.Minute + time.Second) // and nobody writes anything
	if got := sec.ask(t, "GET", check+a.pavel.ID, nil).want(t, 200).at("has"); got != "false" {
		t.Errorf("after its end: %s", got)
	}
	sec.ask(t, "GET", strings.Replace(check, "_reader", "_root", 1)+a.pavel.ID, nil).want(t, 422)
	sec.ask(t, "GET", strings.Replace(check, "=reporting&", "=none&", 1)+a.pavel.ID, nil).want(t, 404)
	a.program(t, provider, "platform-engineers").ask(t, "GET", check+a.pavel.ID, nil).want(t, 403)
}

func TestSomebodyWithoutTheOverviewSeesTheirOwnOnly(t *testing.T) {
	a := accessible(t)
	a.live(t)
	if !slices.Contains(access.Holders(access.SeeAccess), access.Auditor) {
		t.Fatal("auditors see access")
	}
	ada := a.someone(t, "Ada", "auditors").get(t, "/access").want(t, 200)
	ada.says(t, "live", "Pavel")
	if ada.Find("form[action='/access/freeze']").Length() != 0 {
		t.Error("an auditor is offered to freeze")
	}
	bea := a.someone(t, "Bea", "business-owners").get(t, "/access").want(t, 200)
	if text := squeezed(bea.Find("main")); strings.Contains(text, "Pavel") {
		t.Errorf("she sees: %s", text)
	}
}
