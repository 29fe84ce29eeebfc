package httpc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// gatherer is a real HTTP server that gathers logs.
func gatherer(t *testing.T, answer http.HandlerFunc) (connector.Params, *Activity) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	raw, err := json.Marshal(map[string]any{
		"url": server.URL + "/log?who=${access.account}&from=${use.from}&until=${use.until}", "headers": map[string]string{"Authorization": "env:TOKEN"},
		"list": "/entries", "at": "/at", "text": "/text", "next": "/next",
	})
	if err != nil {
		t.Fatal(err)
	}
	secrets := connector.NewSecrets(func(name string) (string, bool) { return "Bearer of-the-log", name == "TOKEN" })
	return raw, NewActivity(secrets)
}

var use = connector.Use{
	Account: "ada&admin=1@example.org", From: time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC), Until: time.Date(2026, 11, 27, 2, 15, 0, 0, time.UTC),
}

func TestWhatWasDoneIsReadPageByPage(t *testing.T) {
	p, l := gatherer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		q := r.URL.Query()
		switch {
		case r.Header.Get("Authorization") != "Bearer of-the-log":
			http.Error(w, "no", http.StatusUnauthorized)
		case q.Get("page") == "2":
			_, _ = fmt.Fprint(w, `{"entries":[{"at":"2026-11-27T02:01:00Z","text":"opened the console"}],"next":null}`)
		case q.Get("who") == use.Account && q.Get("from") == "2026-11-27T01:59:58Z" && q.Get("until") == "2026-11-27T02:15:03Z" && !q.Has("admin"):
			_, _ = fmt.Fprint(w, `{"entries":[{"at":"2026-11-27T03:10:00+01:00","text":"refunded 3 orders\u202e"},{"at":"2026-11-27T02:15:10Z","text":"after"},{"at":"2026-11-27T01:00:00Z","text":"before"}],"next":"?page=2"}`)
		default:
			http.Error(w, r.URL.String(), http.StatusBadRequest)
		}
	})
	if err := l.Check(p); err != nil {
		t.Fatal(err)
	}
	a, err := l.Activity(t.Context(), p, use)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Entries) != 2 || a.Entries[0].Text != "opened the console" || a.Entries[1].Text != "refunded 3 orders" || a.LeftOut != 0 || a.Partial != "" {
		t.Errorf("%+v", a)
	}
}

func TestALogThatCannotBeReadIsNoEmptyLog(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked elsewhere: %v", r.Header) }))
	t.Cleanup(elsewhere.Close)
	for said, why := range map[string]string{
		`{"entries":{}}`:                                  "is not an array",
		`{"entries":[{"at":"soon","text":"x"}]}`:          "no time as in RFC 3339",
		`{"entries":[{"at":"2026-11-27T02:01:00Z"}]}`:     "has nothing at",
		`{"entries":[],"next":7}`:                         "no address of what follows",
		`garbage`:                                         "list that can be used",
		strings.Repeat(" ", 70<<10) + `{"entries":[]}`:    "more than",
		`{"entries":[],"next":"` + elsewhere.URL + `/x"}`: "more follows elsewhere",
	} {
		p, l := gatherer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, said) })
		if _, err := l.Activity(t.Context(), p, use); err == nil || !strings.Contains(connector.Words(err), why) {
			t.Errorf("%.40q: %v rather than %q", said, err, why)
		}
	}
}

func TestALogThatGoesInCirclesComesToAnEnd(t *testing.T) {
	p, l := gatherer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"entries":[{"at":"2026-11-27T02:01:00Z","text":"`+strings.Repeat("x", 60<<10)+`"}],"next":"?more"}`)
	})
	a, err := l.Activity(t.Context(), p, use)
	if err != nil || a.Partial == "" || len(a.Entries) == 0 || len(a.Entries[0].Text) > connector.MaxEntry+40 {
		t.Errorf("%d entries, %q, %v", len(a.Entries), a.Partial, err)
	}
}

func TestParametersOfALogAreCheckedByField(t *testing.T) {
	l := NewActivity(connector.Secrets{})
	for p, field := range map[string]string{
		`{}`:                                              "url",
		`{"url":"https://x/log","at":"/at"}`:              "url",
		`{"url":"ftp://x","at":"/at"}`:                    "url",
		`{"url":"https://x/${who}","at":"/a"}`:            "url",
		`{"url":"https://x/${access.account}"}`:           "at",
		`{"url":"https://x/${access.account}","at":"at"}`: "at",
		`{"url":"https://x/${access.account}","at":"/at","headers":{"Authorization":"secret"}}`: "headers.Authorization",
		`{"url":"https://x/${access.account}","at":"/at","timeout":"1h"}`:                       "timeout",
		`{"url":"https://x/${access.account}","at":"/at","more":1}`:                             "more",
	} {
		if f := fault.As(l.Check(connector.Params(p))); f == nil || f.Fields[field] == "" {
			t.Errorf("%s: %v", p, f)
		}
	}
}
