package signin_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyholder/internal/signin"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

func TestASessionEndsWhenNobodyUsesIt(t *testing.T) {
	r := newRig(t)
	b := r.browser(t)
	b.open(t, "/sign-in")
	r.clock.Add(10 * time.Hour)
	if b.who(t).ID == "" {
		t.Fatal("a session in use has ended")
	}
	r.clock.Add(13 * time.Hour)
	if who := b.who(t); who.ID != "" {
		t.Errorf("after 13 hours without use: %+v", who)
	}
	r.clock.Add(-13 * time.Hour)
	if who := b.who(t); who.ID != "" {
		t.Errorf("came back: %+v", who)
	}
}

func TestAPageThatRefreshesItselfKeepsNoSessionAlive(t *testing.T) {
	r := newRig(t)
	for _, header := range [][]string{{"HX-Request", "true"}, {"Accept", "text/event-stream"}} {
		b := r.browser(t)
		b.open(t, "/sign-in")
		r.clock.Add(7 * time.Hour)
		if b.who(t, header...).ID == "" {
			t.Fatal("ended too early")
		}
		r.clock.Add(7 * time.Hour)
		if b.who(t, header...).ID != "" {
			t.Errorf("%v counts as use", header)
		}
	}
}

func TestLookingAtPagesWritesNoSession(t *testing.T) {
	r := newRig(t)
	b := r.browser(t)
	b.open(t, "/sign-in")
	if renewed := b.setsCookie(t, "/who"); renewed {
		t.Error("a look at a page saved the session")
	}
	r.clock.Add(2 * time.Minute)
	if renewed := b.setsCookie(t, "/who"); !renewed {
		t.Error("use after a while was not noted")
	}
	if renewed := b.setsCookie(t, "/who"); renewed {
		t.Error("use was noted twice within a minute")
	}
}

// setsCookie says whether a page saved the session: scs sends the cookie then, and only then.
func (b *browser) setsCookie(t *testing.T, path string) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.rig.site.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := b.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return len(answer.Cookies()) > 0
}

func TestARequestUnderWayDoesNotBringASessionBack(t *testing.T) {
	kept := testkit.NewStore(t, nil)
	in := signin.New(signin.Config{Issuer: "http://127.0.0.1:1"}, kept)
	id, err := kept.SignIn(t.Context(), store.Identity{Issuer: "i", Subject: "s", Name: "Ines", SignedInAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	through := func(cookies []*http.Cookie, work func(context.Context)) []*http.Cookie {
		t.Helper()
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		in.Sessions(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { work(r.Context()) }),
			func(_ http.ResponseWriter, _ *http.Request, err error) { t.Error(err) }).ServeHTTP(w, r)
		return w.Result().Cookies()
	}
	mine := through(nil, func(ctx context.Context) { in.Remember(ctx, id, time.Now()) })
	through(mine, func(slow context.Context) { // begins before the sign-out, saves after it
		through(mine, func(ctx context.Context) {
			if _, err := in.Leave(ctx, "/"); err != nil {
				t.Error(err)
			}
		})
		in.Flash(slow, "late")
	})
	through(mine, func(ctx context.Context) {
		if who, ok, err := in.Principal(ctx); ok || err != nil {
			t.Errorf("signed in again as %+v, %v", who, err)
		}
	})
}

func TestTheCookieIsForThisSiteAndNoScript(t *testing.T) {
	kept := testkit.NewStore(t, nil)
	for address, secure := range map[string]bool{"https://keyholder.example": true, "http://localhost:8080": false} {
		in := signin.New(signin.Config{PublicURL: address}, kept)
		w := httptest.NewRecorder()
		in.Sessions(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { in.Flash(r.Context(), "x") }), nil).
			ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		cookies := w.Result().Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%d cookies", len(cookies))
		}
		c := cookies[0]
		if c.Name != "keyholder_session" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != secure || c.Path != "/" {
			t.Errorf("%s: %s", address, c)
		}
		if _, ok, err := kept.Sessions().FindCtx(t.Context(), c.Value); ok || err != nil {
			t.Errorf("the token itself is in the database: %v %v", ok, err)
		}
	}
}

func TestALongWayBackIsNotKept(t *testing.T) {
	r := newRig(t)
	b := r.browser(t)
	if told := b.open(t, "/sign-in?return=/"+strings.Repeat("a", 4000)); told != "" || r.back != "/" {
		t.Errorf("%q, back to %d characters", told, len(r.back))
	}
}
