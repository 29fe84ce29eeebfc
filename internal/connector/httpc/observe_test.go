package httpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func text(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body)) // a reader that has enough hangs up
	}
}

func probe(t *testing.T, url string, more map[string]any) connector.Params {
	t.Helper()
	return written(t, map[string]any{
		"observe": written(t, map[string]any{"url": url}, more), "timeout": "500ms",
	}, nil)
}

func TestObserveKeepsTheAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		body    string
	}{
		"JSON":                    {text("application/json", " {\"b\": 1.50, \"a\":\"<x>\"}\n"), `{"a":"<x>","b":1.50}`},
		"problem JSON":            {text("application/problem+json; charset=utf-8", `{}`), `{}`},
		"JSON called otherwise":   {text("text/plain", `[1]`), `[1]`},
		"text":                    {text("text/plain", "ok\n"), `{"text":"ok"}`},
		"text with control":       {text("text/html", "a\x00b\x1b\u202ec\xff"), "{\"text\":\"abc\uFFFD\"}"},
		"empty":                   {text("application/json", ""), ``},
		"long text":               {text("text/plain", strings.Repeat("é", 5000)), `{"text":"` + strings.Repeat("é", 2048) + `…"}`},
		"as large as may be":      {text("application/json", `"`+strings.Repeat("x", 64<<10-2)+`"`), `"` + strings.Repeat("x", 64<<10-2) + `"`},
		"gzip that was not asked": {text("text/plain", "\x1f\x8b\x08"), "{\"text\":\"\uFFFD\"}"},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, c.handler)
			o, err := connect(t).Observe(t.Context(), probe(t, url+"/healthz?token=x", nil))
			if err != nil || o.Error != "" {
				t.Fatalf("%+v, %v", o, err)
			}
			if string(o.Body) != c.body || o.Status != "200 OK" || o.Source != "GET "+url+"/healthz" || o.At.IsZero() {
				t.Errorf("%+.300v", o)
			}
		})
	}
}

func TestObserveErrorsTellWhatToDo(t *testing.T) {
	away := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	trickle := func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"state":`))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	crash := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"state":"fenced"}`))
		_ = http.NewResponseController(w).Flush()
		hangUp(w, r)
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "because", code) }
	}
	for name, c := range map[string]struct {
		url  string
		kind fault.Kind
		says string
	}{
		"nobody listens":    {closedAddress(t), fault.Unavailable, "cannot be reached: connect: connection refused."},
		"no such host":      {"http://nowhere.invalid", fault.Unavailable, "nowhere.invalid"},
		"no answer":         {serve(t, away), fault.Unavailable, "did not answer within 500ms."},
		"stops in the body": {serve(t, trickle), fault.Unavailable, "did not answer within 500ms."},
		"crash mid-answer":  {serve(t, crash), fault.Unavailable, "broke off: unexpected EOF."},
		"hangs up":          {serve(t, hangUp), fault.Unavailable, "broke off: EOF."},
		"404":               {serve(t, status(404)), fault.Conflict, "answered 404 Not Found, where 200 was expected. It said: because"},
		"429":               {serve(t, status(429)), fault.Unavailable, "answered 429"},
		"503":               {serve(t, status(503)), fault.Unavailable, "answered 503 Service Unavailable, where 200 was expected."},
		"redirect":          {serve(t, http.RedirectHandler("/else", http.StatusFound).ServeHTTP), fault.Unavailable, "Redirects are not followed."},
		"huge":              {serve(t, text("application/json", strings.Repeat("[", 1<<20))), fault.Unavailable, "answered 200 OK, but with more than 65536 bytes."},
		"broken JSON":       {serve(t, text("application/json", `{"a":`)), fault.Unavailable, "its JSON cannot be used"},
		"JSON twice over":   {serve(t, text("application/json", `{"a":1,"a":2}`)), fault.Unavailable, "is there twice"},
		"deep JSON":         {serve(t, text("text/plain", strings.Repeat("[", 999)+strings.Repeat("]", 999))), fault.Unavailable, "nested deeper"},
		"no HTTP":           {serve(t, garbage), fault.Unavailable, "broke off"},
		"endless headers":   {serve(t, headers), fault.Unavailable, "broke off"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := connect(t).Observe(t.Context(), probe(t, c.url+"/lease?token=hunter2", nil))
			mustSay(t, err, c.says, "GET "+c.url+"/lease")
			if fault.KindOf(err) != c.kind {
				t.Errorf("%v: %v", fault.KindOf(err), err)
			}
			if o.Error == "" || strings.Contains(err.Error()+o.Error+o.Source, "hunter2") {
				t.Errorf("%+v, %v", o, err)
			}
			if ok, _ := connector.Holds(o, nil); ok {
				t.Error("a failed look satisfies")
			}
		})
	}
}

func garbage(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = conn.Write([]byte("\x00\xff lorem ipsum\r\n\r\n"))
	_ = conn.Close()
}

func headers(w http.ResponseWriter, _ *http.Request) {
	for i := range 300 {
		w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
	}
}

func TestAnExpectedStatusIsNoError(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error":"draining"}`, http.StatusServiceUnavailable)
	})
	o, err := connect(t).Observe(t.Context(), probe(t, url, map[string]any{"expect_status": 503}))
	if err != nil || o.Status != "503 Service Unavailable" || string(o.Body) != `{"error":"draining"}` {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestHeadersAreSentAndCredentialsComeByReference(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"tenant":%q,"key":%q}`, r.Header.Get("X-Tenant"), r.Header.Get("Authorization"))
	})
	p := probe(t, url, map[string]any{"headers": map[string]string{"X-Tenant": "north", "authorization": "env:HOOK"}})
	o, err := connect(t).Observe(t.Context(), p)
	if err != nil || string(o.Body) != `{"key":"hunter2","tenant":"north"}` {
		t.Errorf("%s, %v", o.Body, err)
	}
	p = probe(t, url, map[string]any{"headers": map[string]string{"Authorization": "Bearer hunter2"}})
	err = connect(t).Check(p)
	mustSay(t, err, "observe.headers.Authorization", "must be a reference")
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

func TestObserveEndsWhenCalledOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	p := written(t, map[string]any{"observe": map[string]any{"url": url}, "timeout": "10m"}, nil)
	start := time.Now()
	_, err := connect(t).Observe(ctx, p)
	if !errors.Is(err, context.Canceled) || time.Since(start) > 10*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}

func TestCheckNamesTheField(t *testing.T) {
	look := map[string]any{"url": "http://lease/lease"}
	act := map[string]any{"method": "POST", "url": "http://lease/revoke"}
	done := []any{map[string]any{"pointer": "/state", "is": "eq", "value": "fenced"}}
	type m = map[string]any
	for name, c := range map[string]struct {
		params m
		field  string
	}{
		"fine":                {m{"observe": look, "done_when": done, "apply": act, "secret": "env:HOOK", "wait": "1s", "timeout": "1s"}, ""},
		"fine, to look":       {m{"observe": look}, ""},
		"nothing":             {m{}, "observe"},
		"unknown":             {m{"observe": look, "obsrve": look}, "obsrve"},
		"unknown deeper":      {m{"observe": m{"url": "http://x", "uri": 1}}, "uri"},
		"wrong type":          {m{"observe": m{"url": 1}}, "observe.url"},
		"no url":              {m{"observe": m{}}, "observe.url"},
		"no scheme":           {m{"observe": m{"url": "lease/lease"}}, "observe.url"},
		"file":                {m{"observe": m{"url": "file:///etc/passwd"}}, "observe.url"},
		"no host":             {m{"observe": m{"url": "http:///x"}}, "observe.url"},
		"only a port":         {m{"observe": m{"url": "http://:80/"}}, "observe.url"},
		"password":            {m{"observe": m{"url": "http://u:hunter2@x/"}}, "observe.url"},
		"unreadable":          {m{"observe": m{"url": "http://hunter2:x%zz/"}}, "observe.url"},
		"fragment":            {m{"observe": m{"url": "http://x/#y"}}, "observe.url"},
		"status":              {m{"observe": m{"url": "http://x/", "expect_status": 100}}, "observe.expect_status"},
		"header name":         {m{"observe": m{"url": "http://x/", "headers": m{"a b": "c"}}}, "observe.headers.a b"},
		"header value":        {m{"observe": m{"url": "http://x/", "headers": m{"A": "b\r\nC: d"}}}, "observe.headers.A"},
		"host header":         {m{"observe": m{"url": "http://x/", "headers": m{"host": "y"}}}, "observe.headers.host"},
		"cookie":              {m{"observe": m{"url": "http://x/", "headers": m{"Cookie": "a=hunter2"}}}, "observe.headers.Cookie"},
		"act without a wish":  {m{"observe": look, "apply": act}, "done_when"},
		"GET does not act":    {m{"observe": look, "done_when": done, "apply": m{"method": "GET", "url": "http://x"}}, "apply.method"},
		"lower case":          {m{"observe": look, "done_when": done, "apply": m{"method": "post", "url": "http://x"}}, "apply.method"},
		"act nowhere":         {m{"observe": look, "done_when": done, "apply": m{"method": "POST"}}, "apply.url"},
		"undo nowhere":        {m{"observe": look, "done_when": done, "apply": act, "undo": m{"method": "POST"}}, "undo.url"},
		"undo of nothing":     {m{"observe": look, "undo": act}, "undo"},
		"undone without undo": {m{"observe": look, "undone_when": done}, "undone_when"},
		"condition":           {m{"observe": look, "done_when": []any{m{"pointer": "x", "is": "eq"}}}, "done_when[0].pointer"},
		"condition with more": {m{"observe": look, "done_when": []any{m{"pointer": "/x", "is": "eq", "or": 1}}}, "or"},
		"secret itself":       {m{"observe": look, "done_when": done, "apply": act, "secret": "hunter2"}, "secret"},
		"secret for nothing":  {m{"observe": look, "secret": "env:HOOK"}, "secret"},
		"wait":                {m{"observe": look, "wait": "1h"}, "wait"},
		"timeout":             {m{"observe": look, "timeout": 2}, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			raw := written(t, c.params, nil)
			err := connect(t).Check(raw)
			if c.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			f := fault.As(err)
			if f == nil || f.Kind != fault.Invalid || f.Fields[c.field] == "" {
				t.Errorf("%v, want something about %s", err, c.field)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the secret is repeated: %v", err)
			}
		})
	}
}
