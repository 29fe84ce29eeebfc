package httpc

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

func TestApplyActsOnceAndKeepsEvidence(t *testing.T) {
	l := newLease(t)
	e, err := connect(t).Apply(t.Context(), "run-7/fence", l.revoke(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if string(e.Before.Body) != `{"state":"holds"}` || string(e.After.Body) != `{"state":"fenced"}` {
		t.Errorf("before %s, after %s", e.Before.Body, e.After.Body)
	}
	if want := "POST " + l.URL + "/revoke answered 202 Accepted"; e.Did != want || e.RequestID != "lease-7" || e.Already {
		t.Errorf("did %q as %q, want %q", e.Did, e.RequestID, want)
	}
	if e.Before.Source != "GET "+l.URL+"/lease" || e.Before.Status != "200 OK" || time.Since(e.Before.At) > time.Minute {
		t.Errorf("before: %+v", e.Before)
	}
	calls := l.calls()
	if len(calls) != 1 || calls[0].body != `{"site":"leeds"}` {
		t.Fatalf("acts: %+v", calls)
	}
	h := calls[0].request.Header
	if h.Get("Idempotency-Key") != "run-7/fence" || h.Get("Content-Type") != "application/json" || h.Get(SignatureHeader) != "" {
		t.Errorf("headers: %v", h)
	}
}

func TestApplyAgainDoesNothing(t *testing.T) {
	l, c := newLease(t), connect(t)
	for i := range 3 {
		e, err := c.Apply(t.Context(), "key", l.revoke(t, nil))
		if err != nil || e.Already != (i > 0) {
			t.Errorf("%d: %+v, %v", i, e, err)
		}
	}
	if n := len(l.calls()); n != 1 {
		t.Errorf("%d acts", n)
	}
}

func TestALostAnswerAfterTheEffectIsOneAct(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"hung up":     hangUp,
		"broken body": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Length", "9"); hangUp(w, r) },
		"500":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"409":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/grant", http.StatusTemporaryRedirect)
		},
		"too slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLease(t)
			l.answer = answer
			e, err := connect(t).Apply(t.Context(), "key", l.revoke(t, map[string]any{"timeout": "300ms"}))
			if err != nil || l.now() != "fenced" || !strings.Contains(e.Did, "Its effect was seen nevertheless.") {
				t.Errorf("%+v, %v", e, err)
			}
			if n := len(l.calls()); n != 1 {
				t.Errorf("%d acts", n)
			}
		})
	}
}

// A connection that was used before and breaks is where net/http itself would send a second time.
func TestABrokenConnectionIsNoSecondAct(t *testing.T) {
	l, c := newLease(t), connect(t)
	if _, err := c.Apply(t.Context(), "key", l.revoke(t, nil)); err != nil {
		t.Fatal(err)
	}
	l.noEffect, l.answer = true, hangUp
	_, err := c.Undo(t.Context(), "key-undo", l.revoke(t, map[string]any{"wait": "100ms"}))
	mustSay(t, err, "broke off")
	if n := len(l.calls()); n != 2 {
		t.Errorf("%d acts", n)
	}
}

func TestAFailedActSaysWhatHappenedAndWhatIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		kind   fault.Kind
		says   string
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "dublin\x00 is\x1b[31m not fenced", http.StatusConflict)
		}, fault.Conflict, "answered 409 Conflict, where success was expected. It said: dublin is[31m not fenced"},
		"hung up": {hangUp, fault.Unavailable, "broke off"},
		"500":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, fault.Unavailable, "/state is holds, wanted fenced"},
		"200":     {func(http.ResponseWriter, *http.Request) {}, fault.Unavailable, "/state is holds, wanted fenced"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/grant", http.StatusSeeOther) },
			fault.Unavailable, "Redirects are not followed."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLease(t)
			l.noEffect, l.answer = true, c.answer
			e, err := connect(t).Apply(t.Context(), "key", l.revoke(t, map[string]any{"wait": "250ms"}))
			mustSay(t, err, c.says)
			if fault.KindOf(err) != c.kind || strings.Contains(err.Error(), "dry=no") {
				t.Errorf("%v: %v", fault.KindOf(err), err)
			}
			if string(e.After.Body) != `{"state":"holds"}` || !strings.HasPrefix(e.Did, "POST "+l.URL+"/revoke ") {
				t.Errorf("evidence: %+v", e)
			}
			if n := len(l.calls()); n != 1 {
				t.Errorf("%d acts", n)
			}
		})
	}
}

func TestNothingIsDoneBlind(t *testing.T) {
	l := newLease(t)
	p := l.revoke(t, map[string]any{"observe": map[string]any{"url": closedAddress(t) + "/lease?token=x"}})
	e, err := connect(t).Apply(t.Context(), "key", p)
	mustSay(t, err, "cannot be reached: connect: connection refused")
	if len(l.calls()) != 0 || e.Before.Error == "" || strings.Contains(err.Error()+e.Before.Error, "token") {
		t.Errorf("%d acts, %+v, %v", len(l.calls()), e, err)
	}
}

func TestAnActThatCouldNotBeSentIsToldAtOnce(t *testing.T) {
	l := newLease(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for name, more := range map[string]map[string]any{
		"nobody listens": {"apply": map[string]any{"method": "POST", "url": closedAddress(t)}},
		"no such secret": {"secret": "env:MISSING"},
		"no such host":   {"apply": map[string]any{"method": "POST", "url": "http://nowhere.invalid/"}, "timeout": "5s"},
	} {
		more["wait"] = "10m"
		if _, err := connect(t).Apply(ctx, "key", l.revoke(t, more)); err == nil || ctx.Err() != nil {
			t.Errorf("%s: %v, %v", name, err, ctx.Err())
		}
	}
	if n := len(l.calls()); n != 0 {
		t.Errorf("%d acts", n)
	}
}

func TestARefusalIsToldAtOnce(t *testing.T) {
	l := newLease(t)
	l.noEffect = true
	l.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) }
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := connect(t).Apply(ctx, "key", l.revoke(t, map[string]any{"wait": "10m"}))
	mustSay(t, err, "answered 409 Conflict")
	if ctx.Err() != nil {
		t.Error("waited for an effect that cannot come")
	}
}

func TestCallingOffEndsTheWait(t *testing.T) {
	l := newLease(t)
	l.noEffect = true
	ctx, cancel := context.WithCancel(t.Context())
	l.answer = func(http.ResponseWriter, *http.Request) { cancel() }
	e, err := connect(t).Apply(ctx, "key", l.revoke(t, map[string]any{"wait": "10m"}))
	if !errors.Is(err, context.Canceled) || e.Did == "" {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestSignatureCoversTimeMethodPathAndBody(t *testing.T) {
	l := newLease(t)
	e, err := connect(t).Apply(t.Context(), "key", l.revoke(t, map[string]any{"secret": "env:HOOK"}))
	if err != nil {
		t.Fatal(err)
	}
	call := l.calls()[0]
	stamp := call.request.Header.Get(TimestampHeader)
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Minute {
		t.Errorf("timestamp %q", stamp)
	}
	got := call.request.Header.Get(SignatureHeader)
	if got != Signature([]byte("hunter2"), stamp, "POST", "/revoke?dry=no", []byte(call.body)) {
		t.Errorf("signature %q of %q", got, call.body)
	}
	for name, other := range map[string]string{
		"secret": Signature([]byte("hunter3"), stamp, "POST", "/revoke?dry=no", []byte(call.body)),
		"time":   Signature([]byte("hunter2"), stamp+"0", "POST", "/revoke?dry=no", []byte(call.body)),
		"method": Signature([]byte("hunter2"), stamp, "PUT", "/revoke?dry=no", []byte(call.body)),
		"path":   Signature([]byte("hunter2"), stamp, "POST", "/revoke", []byte(call.body)),
		"body":   Signature([]byte("hunter2"), stamp, "POST", "/revoke?dry=no", []byte(`{}`)),
	} {
		if got == other {
			t.Errorf("the signature does not cover the %s", name)
		}
	}
	if strings.Contains(e.Did+string(e.After.Body)+e.After.Source, "hunter2") {
		t.Errorf("the secret is in the evidence: %+v", e)
	}
}

// A fixed vector, so that receivers in other languages can be written against it.
func TestSignatureVector(t *testing.T) {
	got := Signature([]byte("key"), "1700000000", "POST", "/admin/revoke", []byte(`{"site":"leeds"}`))
	if want := "23f98c547f25ed4db01c87f3d165639b0ff2dd1f84271a24a9c4a937996a3d7c"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestUndoBringsTheStateBefore(t *testing.T) {
	l, c := newLease(t), connect(t)
	p := l.revoke(t, nil)
	if e, err := c.Undo(t.Context(), "key", p); err != nil || !e.Already {
		t.Errorf("before apply: %+v, %v", e, err)
	}
	if _, err := c.Apply(t.Context(), "key", p); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		e, err := c.Undo(t.Context(), "key-undo", p)
		if err != nil || l.now() != "holds" || e.Already != (i == 1) {
			t.Errorf("%d: %+v, %v", i, e, err)
		}
	}
	if n := len(l.calls()); n != 2 {
		t.Errorf("%d acts", n)
	}
}

func TestUndoWithoutUndoneWhenTrustsTheAnswer(t *testing.T) {
	l, c := newLease(t), connect(t)
	p := l.revoke(t, map[string]any{"undone_when": nil})
	if _, err := c.Undo(t.Context(), "key", p); err != nil || len(l.calls()) != 1 {
		t.Errorf("%d acts, %v", len(l.calls()), err)
	}
	l.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	_, err := c.Undo(t.Context(), "key", p)
	mustSay(t, err, "answered 502 Bad Gateway")
}

func TestUndoNeedsAWayBack(t *testing.T) {
	l := newLease(t)
	p := l.revoke(t, map[string]any{"undo": nil, "undone_when": nil})
	if _, err := connect(t).Undo(t.Context(), "key", p); !errors.Is(err, connector.ErrNoUndo) {
		t.Errorf("%v", err)
	}
}

func TestObserveOnlyParamsCannotAct(t *testing.T) {
	l := newLease(t)
	p := l.revoke(t, map[string]any{"apply": nil, "undo": nil, "undone_when": nil})
	c := connect(t)
	if err := c.Check(p); err != nil {
		t.Errorf("check: %v", err)
	}
	if _, err := c.Observe(t.Context(), p); err != nil {
		t.Errorf("observe: %v", err)
	}
	_, err := c.Apply(t.Context(), "key", p)
	mustSay(t, err, "can only observe")
}

func TestTheKeyMustBeUsable(t *testing.T) {
	l := newLease(t)
	for _, key := range []string{"", "a\r\nX-Evil: 1", "\x00", strings.Repeat("k", 256), "é"} {
		if _, err := connect(t).Apply(t.Context(), key, l.revoke(t, nil)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", key, err)
		}
	}
	if n := len(l.calls()); n != 0 {
		t.Errorf("%d acts", n)
	}
}

func TestWhatStandsIsLookedAtAndNothingIsDone(t *testing.T) {
	l, c := newLease(t), connect(t)
	if holds, why, _ := c.Stands(t.Context(), l.revoke(t, nil)); holds || why == "" {
		t.Errorf("before the act it stands: %v, %q", holds, why)
	}
	if n := len(l.calls()); n != 0 {
		t.Fatalf("looking acted %d times", n)
	}
	if _, err := c.Apply(t.Context(), "key", l.revoke(t, nil)); err != nil {
		t.Fatal(err)
	}
	if holds, why, seen := c.Stands(t.Context(), l.revoke(t, nil)); !holds || string(seen.Body) != `{"state":"fenced"}` {
		t.Errorf("after the act: %v, %q, saw %s", holds, why, seen.Body)
	}
}
