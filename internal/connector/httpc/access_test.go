package httpc

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// directory is a real HTTP server that knows who has what, whose behaviour a test bends.
type directory struct {
	*httptest.Server

	mu     sync.Mutex
	has    map[[2]string]string // account and role: until when
	acts   []act
	answer http.HandlerFunc // takes the place of the plain answer to an act, after its effect
	dead   string           // a role of which nothing changes
	list   http.HandlerFunc // takes the place of the list
}

func newDirectory(t *testing.T) *directory {
	t.Helper()
	d := &directory{has: map[[2]string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /holders", d.holders)
	mux.HandleFunc("PUT /people/{account}/roles/{role}", d.change)
	mux.HandleFunc("DELETE /people/{account}/roles/{role}", d.change)
	d.Server = httptest.NewServer(mux)
	t.Cleanup(d.Close)
	return d
}

func (d *directory) holders(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.list != nil {
		d.list(w, r)
		return
	}
	list := []any{}
	for who, until := range d.has {
		one := map[string]any{"user": map[string]string{"mail": who[0]}, "role": who[1], "until": nil}
		if until != "" {
			one["until"] = until
		}
		list = append(list, one)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"grants": list})
}

func (d *directory) change(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	d.acts = append(d.acts, act{request: r.Clone(r.Context()), body: string(body)})
	who := [2]string{r.PathValue("account"), r.PathValue("role")}
	switch {
	case d.dead == who[1]:
	case r.Method == http.MethodPut:
		d.has[who] = r.URL.Query().Get("until")
	default:
		delete(d.has, who)
	}
	answer := d.answer
	d.mu.Unlock()
	if answer != nil {
		answer(w, r)
	}
}

func (d *directory) calls() []act {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]act(nil), d.acts...)
}

func (d *directory) give(account, role, until string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.has[[2]string{account, role}] = until
}

func (d *directory) params(t *testing.T, more map[string]any) connector.Params {
	t.Helper()
	at := d.URL + "/people/${access.account}/roles/${access.role}"
	return written(t, map[string]any{
		"holders": map[string]any{"url": d.URL + "/holders?all=1", "list": "/grants", "account": "/user/mail", "role": "/role", "until": "/until"},
		"give": map[string]any{"method": "PUT", "url": at + "?until=${access.until}",
			"body": map[string]any{"who": "${access.account}", "what": []any{"${access.role}"}, "until": "${access.until}"}},
		"take":   map[string]any{"method": "DELETE", "url": at},
		"secret": "env:HOOK", "wait": "2s",
	}, more)
}

func accessTo(t *testing.T) *Access {
	t.Helper()
	return &Access{calls: connect(t)}
}

var until = time.Date(2026, 11, 27, 2, 15, 0, 500, time.UTC)

func wants(account string, roles ...string) connector.Wanted {
	return connector.Wanted{
		Account: account, Holder: connector.Holder{ID: "1", Name: "Ada"}, Roles: roles, Managed: []string{"reader", "writer"}, Until: until,
	}
}

func TestAccessIsGivenReadBackAndTaken(t *testing.T) {
	d, a := newDirectory(t), accessTo(t)
	p := d.params(t, nil)
	ada := a.Account("consoles", connector.Holder{ID: "1", Mail: " Ada@Example.org"})
	d.give("eve@example.org", "reader", "")
	d.give(ada, "unmanaged", "")
	if err := a.Check(p); err != nil || a.System(p) != strings.TrimPrefix(d.URL, "http://")+"/holders" || a.Signs() || ada != "ada@example.org" {
		t.Errorf("%v, %q", err, a.System(p))
	}
	e, err := a.Bring(t.Context(), "grant-7", p, wants(ada, "reader"))
	if err != nil {
		t.Fatal(err)
	}
	did := "given reader to ada@example.org until 2026-11-27 02:15:00 UTC (PUT " + d.URL + "/people/ada%40example.org/roles/reader answered 200 OK)"
	if e.Did != did || string(e.Before.Body) != `{"account":"ada@example.org","holdings":[]}` ||
		string(e.After.Body) != `{"account":"ada@example.org","holdings":[{"account":"ada@example.org","role":"reader","signs_in":true,"until":"2026-11-27T02:15:00Z"}]}` {
		t.Errorf("%s: before %s, after %s", e.Did, e.Before.Body, e.After.Body)
	}
	calls := d.calls()
	if len(calls) != 1 || calls[0].body != `{"until":"2026-11-27T02:15:00Z","what":["reader"],"who":"ada@example.org"}` {
		t.Fatalf("%+v", calls)
	}
	h := calls[0].request.Header
	if h.Get("Idempotency-Key") != "grant-7/reader/give/2026-11-27T02:15:00Z" ||
		h.Get(SignatureHeader) != Signature([]byte("hunter2"), h.Get(TimestampHeader), "PUT", calls[0].request.URL.RequestURI(), []byte(calls[0].body)) {
		t.Errorf("%v", h)
	}
	if e, err := a.Bring(t.Context(), "grant-7", p, wants(ada, "reader")); err != nil || !e.Already || len(d.calls()) != 1 {
		t.Errorf("again: %+v, %v", e, err)
	}
	later := wants(ada, "reader")
	later.Until = until.Add(time.Hour)
	if _, err := a.Bring(t.Context(), "grant-7", p, later); err != nil || len(d.calls()) != 2 {
		t.Errorf("prolonged: %v, %d acts", err, len(d.calls()))
	}
	held, _, err := a.Holdings(t.Context(), p, []string{"reader"})
	if err != nil || len(held) != 2 {
		t.Errorf("%+v, %v", held, err)
	}
	if e, err = a.Bring(t.Context(), "grant-7", p, wants(ada)); err != nil || !strings.HasPrefix(e.Did, "taken reader from ada@example.org (DELETE ") {
		t.Errorf("%+v, %v", e, err)
	}
	if calls := d.calls(); calls[2].request.Header.Get("Idempotency-Key") != "grant-7/reader/take" || len(d.has) != 2 {
		t.Errorf("%v, %v", calls[2].request.Header, d.has)
	}
}

func TestOneRoleIsTakenAndTheOtherStays(t *testing.T) {
	d, a := newDirectory(t), accessTo(t)
	d.give("ada@example.org", "reader", until.Format(time.RFC3339))
	d.give("ada@example.org", "writer", "")
	e, err := a.Bring(t.Context(), "k", d.params(t, nil), wants("ada@example.org", "reader"))
	if calls := d.calls(); err != nil || len(calls) != 1 || len(d.has) != 1 || !strings.HasPrefix(e.Did, "taken writer") {
		t.Errorf("%+v, %+v, %v", calls, e, err)
	}
}

func TestAnAddressIsOneHoweverItIsSpelled(t *testing.T) {
	d, a := newDirectory(t), accessTo(t)
	d.give("Ada@Example.org", "writer", "")
	p := d.params(t, map[string]any{"wait": "100ms"})
	held, _, err := a.Holdings(t.Context(), p, []string{"writer"})
	if err != nil || len(held) != 1 || held[0].Account != "ada@example.org" {
		t.Errorf("%+v, %v", held, err)
	}
	e, err := a.Bring(t.Context(), "k", p, wants("ada@example.org", "reader")) // the system knows no such spelling
	mustSay(t, err, "Not taken writer from ada@example.org: ", "ada@example.org still has writer")
	if !strings.Contains(e.Did, "given reader") {
		t.Errorf("%+v", e)
	}
}

func TestWhatFailsOfOneRoleKeepsNoOtherFromBeingDone(t *testing.T) {
	d, a := newDirectory(t), accessTo(t)
	d.dead = "writer"
	for _, answer := range []http.HandlerFunc{nil, hangUp, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }} {
		d.give("ada@example.org", "writer", "")
		delete(d.has, [2]string{"ada@example.org", "reader"})
		d.answer = answer
		e, err := a.Bring(t.Context(), "k", d.params(t, map[string]any{"wait": "100ms"}), wants("ada@example.org", "reader"))
		mustSay(t, err, "Not taken writer from ada@example.org")
		if fault.KindOf(err) != fault.Unavailable || !strings.Contains(e.Did, "given reader to") || !strings.Contains(string(e.After.Body), `"role":"reader"`) {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

func TestNoNameChangesWhereACallGoes(t *testing.T) {
	d, a := newDirectory(t), accessTo(t)
	for _, account := range []string{
		"a+b@example.org", "a/../admin@example.org", "a%2fb@example.org", "a?role=x&y=1#z@example.org", "a b@example.org", "ü@example.org",
		`"quo\"ted"@example.org`, "${access.role}@example.org", "a;b=c@example.org", "//evil.org@example.org", strings.Repeat("x", 300) + "@example.org",
	} {
		role := "../rö le ${x} +?&#%2f"
		want := connector.Wanted{Account: account, Roles: []string{role}, Managed: []string{role}}
		for _, roles := range [][]string{{role}, nil} {
			want.Roles = roles
			if e, err := a.Bring(t.Context(), strings.Repeat("k", 200), d.params(t, nil), want); err != nil || e.Already {
				t.Errorf("%q: %+v, %v", account, e, err)
			}
			if _, there := d.has[[2]string{account, role}]; there != (roles != nil) {
				t.Errorf("%q: %v", account, d.has)
			}
		}
	}
	n := len(d.calls())
	for _, bad := range []string{".", "..", "a\nb", "a\x00b", "\xff", "\u202ea", strings.Repeat("x", 321), " a"} {
		_, err := a.Bring(t.Context(), "k", d.params(t, nil), wants(bad, "reader"))
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
		_, err = a.Take(t.Context(), "k", d.params(t, nil), "ada@example.org", bad)
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	_, err := a.Bring(t.Context(), "k", d.params(t, nil), wants(""))
	mustSay(t, err, "Ada has no mail address")
	_, err = a.Bring(t.Context(), "k", d.params(t, nil), wants("ada@example.org", "other"))
	mustSay(t, err, "would never be taken back")
	_, err = a.Bring(t.Context(), "a\r\nb", d.params(t, nil), wants("ada@example.org", "reader"))
	mustSay(t, err, "key")
	if len(d.calls()) != n {
		t.Error("something was sent")
	}
}

func TestNothingIsAssumedOfAListThatCannotBeRead(t *testing.T) {
	good := `{"user":{"mail":"ada@example.org"},"role":"reader","until":null}`
	for name, c := range map[string]struct {
		list http.HandlerFunc
		says string
	}{
		"garbage":        {text("application/json", `<html>`), "its JSON cannot be used"},
		"truncated":      {text("application/json", `{"grants":[`+good), "its JSON cannot be used"},
		"truncated text": {text("text/plain", `{"grants":[`+good), "has nothing at /grants"},
		"no list":        {text("application/json", `{}`), "has nothing at /grants"},
		"null":           {text("application/json", `{"grants":null}`), "has nothing at /grants"},
		"no array":       {text("application/json", `{"grants":{}}`), `what is at "/grants" is not an array`},
		"number":         {text("application/json", `{"grants":[`+good+`,{"user":{"mail":5},"role":"x"}]}`), "element 1 has at /user/mail no text"},
		"no role":        {text("application/json", `{"grants":[{"user":{"mail":"x"}}]}`), "element 0 has nothing at /role"},
		"empty role":     {text("application/json", `{"grants":[{"user":{"mail":"x"},"role":" "}]}`), "element 0 has at /role no text"},
		"element":        {text("application/json", `{"grants":["x"]}`), "element 0 has nothing at /user/mail"},
		"until":          {text("application/json", `{"grants":[{"user":{"mail":"x"},"role":"y","until":"soon"}]}`), "no time as in RFC 3339"},
		"until number":   {text("application/json", `{"grants":[{"user":{"mail":"x"},"role":"y","until":7}]}`), "element 0 has at /until no text"},
		"too large":      {text("application/json", `{"grants":[],"x":"`+strings.Repeat("x", connector.MaxDocument)+`"}`), "with more than 65536 bytes"},
		"empty":          {text("application/json", ``), "no list that can be used"},
		"error":          {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) }, "500 Internal Server Error"},
		"cut off":        {hangUp, "broke off"},
		"hangs":          {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "did not answer within 300ms"},
		"redirect":       {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, "Redirects are not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, a := newDirectory(t), accessTo(t)
			d.list = c.list
			p := d.params(t, map[string]any{"timeout": "300ms"})
			held, seen, looked := a.Holdings(t.Context(), p, []string{"reader"})
			e, brought := a.Bring(t.Context(), "k", p, wants("ada@example.org"))
			_, took := a.Take(t.Context(), "k", p, "ada@example.org", "reader")
			for _, err := range []error{looked, brought, took} {
				mustSay(t, err, c.says)
				if fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "all=1") {
					t.Errorf("%v", err)
				}
			}
			if len(held) != 0 || seen.Error == "" || e.Before.Error == "" || e.Before.Body != nil || len(d.calls()) != 0 {
				t.Errorf("%+v, %+v, %+v", held, seen, e)
			}
		})
	}
}

func TestALostAnswerToGivingIsOneAct(t *testing.T) {
	d, a := newDirectory(t), accessTo(t)
	d.answer = hangUp
	e, err := a.Bring(t.Context(), "k", d.params(t, nil), wants("ada@example.org", "reader"))
	if err != nil || len(d.calls()) != 1 || !strings.Contains(e.Did, "Its effect was seen nevertheless.") {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestWhatWasGivenAroundKeyholderIsTakenThere(t *testing.T) {
	d, a := newDirectory(t), accessTo(t)
	d.give("Backup Service", "reader", "")
	p := d.params(t, nil)
	held, _, err := a.Holdings(t.Context(), p, []string{"reader"})
	if err != nil || len(held) != 1 || held[0].Account != "Backup Service" || held[0].Until != nil {
		t.Fatalf("%+v, %v", held, err)
	}
	e, err := a.Take(t.Context(), "drift-1", p, held[0].Account, "reader")
	if err != nil || len(d.has) != 0 || !strings.HasPrefix(e.Did, "taken reader from Backup Service") {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err := a.Take(t.Context(), "drift-1", p, "Backup Service", "reader"); err != nil || !e.Already || len(d.calls()) != 1 {
		t.Errorf("again: %+v, %v", e, err)
	}
	d.give("root", "reader", "")
	d.dead, d.answer = "reader", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "root stays", http.StatusForbidden) }
	_, err = a.Take(t.Context(), "drift-2", p, "root", "reader")
	mustSay(t, err, "Not taken reader from root", "403 Forbidden", "root stays")
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("%v", fault.KindOf(err))
	}
}

func TestAccessParamsAreStrict(t *testing.T) {
	type m = map[string]any
	at := "https://iam.example/people/${access.account}"
	base := func(more m) m {
		all := m{
			"holders": m{"url": "https://iam.example/holders", "account": "/a", "role": "/r"},
			"give":    m{"method": "POST", "url": at}, "take": m{"method": "DELETE", "url": at},
		}
		for k, v := range more {
			if all[k] = v; v == nil {
				delete(all, k)
			}
		}
		return all
	}
	for name, c := range map[string]struct {
		params m
		field  string
	}{
		"least": {base(nil), ""},
		"most": {base(m{"secret": "env:HOOK", "wait": "9s", "timeout": "1s", "holders": m{"url": "https://iam.example/holders",
			"headers": m{"Authorization": "env:HOOK"}, "list": "/l", "account": "/a", "role": "/r", "until": "/u"}}), ""},
		"no holders":   {base(m{"holders": nil}), "holders"},
		"no give":      {base(m{"give": nil}), "give"},
		"no take":      {base(m{"take": nil}), "take"},
		"no account":   {base(m{"holders": m{"url": "https://iam.example", "role": "/r"}}), "holders.account"},
		"pointer":      {base(m{"holders": m{"url": "https://iam.example", "account": "a", "role": "/r"}}), "holders.account"},
		"until":        {base(m{"holders": m{"url": "https://iam.example", "account": "/a", "role": "/r", "until": "~"}}), "holders.until"},
		"header":       {base(m{"holders": m{"url": "https://x", "account": "/a", "role": "/r", "headers": m{"Authorization": "hunter2"}}}), "holders.headers.Authorization"},
		"host":         {base(m{"give": m{"method": "POST", "url": "https://${access.role}.example/"}}), "give.url"},
		"user":         {base(m{"give": m{"method": "POST", "url": "https://${access.account}@iam.example/"}}), "give.url"},
		"get":          {base(m{"take": m{"method": "GET", "url": at}}), "take.method"},
		"unknown":      {base(m{"take": m{"method": "POST", "url": at, "body": m{"x": "${access.name}"}}}), "take"},
		"secret":       {base(m{"secret": "hunter2"}), "secret"},
		"more":         {base(m{"more": 1}), "more"},
		"wait":         {base(m{"wait": "1d"}), "wait"},
		"holders more": {base(m{"holders": m{"url": "https://iam.example", "account": "/a", "role": "/r", "expect_status": 201}}), "expect_status"},
	} {
		t.Run(name, func(t *testing.T) {
			err := accessTo(t).Check(written(t, c.params, nil))
			if c.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			f := fault.As(err)
			if f == nil || f.Kind != fault.Invalid || strings.Contains(err.Error(), "hunter2") {
				t.Fatalf("%v", err)
			}
			if _, exact := f.Fields[c.field]; !exact {
				t.Errorf("%v, want something about %s", err, c.field)
			}
		})
	}
	if _, err := accessTo(t).Bring(t.Context(), "k", connector.Params(`{}`), wants("a@b")); err == nil || errors.Is(err, connector.ErrNoUndo) {
		t.Error(err)
	}
}

func TestAListOfManyHoldersIsReadPageByPageOrNotAtAll(t *testing.T) {
	d, a := newDirectory(t), accessTo(t)
	goesOn := false
	d.list = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		until, has := d.has[[2]string{"ada@example.org", "reader"}]
		switch {
		case r.URL.Query().Get("page") == "" || goesOn:
			_, _ = io.WriteString(w, `{"grants":[{"user":{"mail":"eve@example.org"},"role":"reader"}],"next":"?page=2"}`)
		case has:
			_, _ = io.WriteString(w, `{"grants":[{"user":{"mail":"ada@example.org"},"role":"reader","until":"`+until+`"}],"next":null}`)
		default:
			_, _ = io.WriteString(w, `{"grants":[]}`)
		}
	}
	p := d.params(t, map[string]any{"holders": map[string]any{
		"url": d.URL + "/holders", "list": "/grants", "account": "/user/mail", "role": "/role", "until": "/until", "next": "/next",
	}})
	if err := a.Check(p); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Bring(t.Context(), "grant-7", p, wants("ada@example.org", "reader")); err != nil {
		t.Fatal(err)
	}
	held, _, err := a.Holdings(t.Context(), p, []string{"reader"})
	if err != nil || len(held) != 2 {
		t.Errorf("%+v, %v", held, err)
	}
	goesOn = true
	if held, _, err = a.Holdings(t.Context(), p, []string{"reader"}); err == nil || !strings.Contains(connector.Words(err), "goes on after 2 answers") {
		t.Errorf("a list that never ends is %+v, %v", held, err)
	}
}
