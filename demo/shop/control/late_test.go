package control_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"keyholder/demo/shop/control"
)

func TestSlowPartDoesNothingForACallerThatHasGoneAway(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	var done atomic.Int64
	server := httptest.NewServer(control.Late(slow.Load, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		done.Add(1)
		control.WriteJSON(w, http.StatusOK, "done")
	})))
	call := func(patience time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var answer string
		return control.Call(ctx, server.Client(), http.MethodPost, server.URL, strings.Repeat("x", 5000), &answer)
	}
	if err := call(control.SlowBy); err != nil {
		t.Fatal(err)
	}
	slow.Store(true)
	if err := call(50 * time.Millisecond); err == nil {
		t.Error("a slow part was quick")
	}
	began := time.Now()
	if err := call(4 * control.SlowBy); err != nil || time.Since(began) < control.SlowBy {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	server.Close()
	if got := done.Load(); got != 2 {
		t.Errorf("it worked %d times", got)
	}
}
