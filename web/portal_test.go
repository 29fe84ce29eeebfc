package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"keyholder/internal/access"
	"keyholder/internal/bundle"
	"keyholder/internal/connector"
	"keyholder/internal/connector/dnsc"
	"keyholder/internal/connector/httpc"
	"keyholder/internal/fault"
	"keyholder/internal/signin"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
	"keyholder/web"
)

// engine does what the activities of the real one do, at once, unless it is away.
type engine struct {
	*store.Store
	away   bool
	broken func() error // what happens instead, where it is set
}

func (e *engine) there() error {
	if e.broken != nil {
		return e.broken()
	}
	if e.away {
		return fault.Away("The engine that carries out failovers", errors.New("connection refused"))
	}
	return nil
}

func (e *engine) Decide(ctx context.Context, v store.Vote) (store.Outcome, error) {
	if err := e.there(); err != nil {
		return store.Outcome{}, err
	}
	return e.Store.Decide(ctx, v)
}

func (e *engine) Withdraw(ctx context.Context, a store.Amend) (store.Outcome, error) {
	if err := e.there(); err != nil {
		return store.Outcome{}, err
	}
	return e.Store.Withdraw(ctx, a)
}

func (e *engine) Confirm(ctx context.Context, a store.Amend) (store.Outcome, error) {
	if err := e.there(); err != nil {
		return store.Outcome{}, err
	}
	return e.ConfirmAnew(ctx, a)
}

func (e *engine) Command(ctx context.Context, c store.Command) (store.Outcome, error) {
	if err := e.there(); err != nil {
		return store.Outcome{}, err
	}
	return e.Store.Command(ctx, c)
}

func (e *engine) Healthy(context.Context) error { return e.there() }

// portal is the real router on a SQLite file with the shop's catalogue.
type portal struct {
	*store.Store
	clock   *testkit.Clock
	engine  *engine
	handler http.Handler
	server  *web.Server
	bundle  store.Bundle
	signin  *signin.SignIn
	log     *lines
	ctx     context.Context
}

func newPortal(t *testing.T) *portal {
	t.Helper()
	p := &portal{clock: testkit.NewClock(time.Date(2026, 3, 1, 2, 11, 0, 0, time.UTC)), ctx: t.Context()}
	p.Store = testkit.NewStore(t, p.clock.Now)
	p.bundle = shop(t)
	if _, err := p.Apply(p.ctx, access.Person{ID: "cli", Name: "catalog apply"}, p.bundle, store.Manner{}); err != nil {
		t.Fatal(err)
	}
	p.engine = &engine{Store: p.Store}
	p.serve(t, web.Config{PublicURL: "http://example.com", Issuer: issuer, Version: "test", Mail: true})
	return p
}

func shop(t *testing.T) store.Bundle {
	t.Helper()
	body, err := os.ReadFile("../internal/bundle/testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const channel = "\n---\nkind: channel\nslug: operations-room\nname: Operations room\naddress: env:OPERATIONS_ROOM\n"
	secrets := connector.NewSecrets(os.LookupEnv)
	b, err := bundle.Read([]bundle.File{{Name: "shop.yaml", Body: append(body, channel...)}}, bundle.Context{Kinds: connector.All{Acts: connector.NewSet(httpc.New(secrets), dnsc.New(secrets))}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// selection is a part of a page.
type selection = goquery.Selection

// visitor is a person with a browser that follows nothing by itself.
type visitor struct {
	access.Principal
	portal *portal
	enter  func(*http.Request) // shows who it is
}

// page is an answer.
type page struct {
	*goquery.Document
	status   int
	location string
	path     string
}

func (v visitor) get(t *testing.T, path string) page {
	t.Helper()
	return v.send(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
}

func (v visitor) post(t *testing.T, path string, form url.Values) page {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.send(t, r)
}

func (v visitor) send(t *testing.T, r *http.Request) page {
	t.Helper()
	v.enter(r)
	w := httptest.NewRecorder()
	v.portal.handler.ServeHTTP(w, r)
	doc, err := goquery.NewDocumentFromReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{Document: doc, status: w.Code, location: w.Header().Get("Location"), path: r.URL.Path}
}

// submit presses a button of the page's form, with what the form holds and what is typed over it.
func (v visitor) submit(t *testing.T, p page, button string, typed url.Values) page {
	t.Helper()
	form, values := filled(t, p, button, typed)
	action := form.AttrOr("action", p.path)
	switch {
	case strings.EqualFold(form.AttrOr("method", "get"), "get"):
		return v.get(t, action+"?"+values.Encode())
	case form.AttrOr("enctype", "") == "multipart/form-data":
		return v.upload(t, action, values, nil)
	}
	return v.post(t, action, values)
}

// filled is what a browser sends when a button is pressed.
func filled(t *testing.T, p page, button string, typed url.Values) (*selection, url.Values) {
	t.Helper()
	b := p.Find("button").FilterFunction(func(_ int, s *goquery.Selection) bool { return squeezed(s) == button })
	if b.Length() != 1 {
		t.Fatalf("%s has %d buttons %q; it has: %q", p.path, b.Length(), button, p.buttons())
	}
	form := b.Closest("form")
	values := url.Values{}
	form.Find("select").Each(func(_ int, s *goquery.Selection) {
		values.Set(s.AttrOr("name", ""), s.Find("option[selected]").AttrOr("value", ""))
	})
	form.Find("input, textarea").Each(func(_ int, s *goquery.Selection) {
		name, value := s.AttrOr("name", ""), s.AttrOr("value", "")
		kind := s.AttrOr("type", "")
		_, checked := s.Attr("checked")
		switch {
		case goquery.NodeName(s) == "textarea":
			values.Add(name, s.Text())
		case kind == "file":
		case kind != "radio" && kind != "checkbox" || checked:
			values.Add(name, value)
		}
	})
	values.Del("") // what has no name is not sent
	for name, value := range typed {
		values[name] = value
	}
	if name, ok := b.Attr("name"); ok {
		values.Set(name, b.AttrOr("value", ""))
	}
	return form, values
}

// upload sends a form with files.
func (v visitor) upload(t *testing.T, path string, values url.Values, files map[string]string) page {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, all := range values {
		for _, value := range all {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part, err := w.CreateFormFile("file", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.send(t, r)
}

func (p page) buttons() []string {
	return p.Find("button").Map(func(_ int, s *goquery.Selection) string { return squeezed(s) })
}

// field is the text of a part of the page, without the space that layout needs.
func (p page) field(name string) string { return squeezed(p.Find("[data-field='" + name + "']")) }

// wrong is the message at a field.
func (p page) wrong(field string) string { return squeezed(p.Find("[data-wrong='" + field + "']")) }

func squeezed(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

func (p page) want(t *testing.T, status int) page {
	t.Helper()
	if p.status != status {
		t.Fatalf("%s answered %d, want %d: %s", p.path, p.status, status, squeezed(p.Find("main, body").First()))
	}
	return p
}

// says fails where a part of the page does not hold the text.
func (p page) says(t *testing.T, field, text string) {
	t.Helper()
	if got := p.field(field); !strings.Contains(got, text) {
		t.Errorf("%s, %s: %q; want it to hold %q", p.path, field, got, text)
	}
}

func (p page) hasButton(t *testing.T, button string, want bool) {
	t.Helper()
	for _, b := range p.buttons() {
		if b == button {
			if !want {
				t.Errorf("%s offers %q", p.path, button)
			}
			return
		}
	}
	if want {
		t.Errorf("%s does not offer %q; it has %q", p.path, button, p.buttons())
	}
}

// refusals are the lines of the record that say no.
func (p *portal) refusals(t *testing.T, object string) []store.Line {
	t.Helper()
	lines, err := p.Record(p.ctx, store.Filter{Object: object, Outcome: "refused", Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
