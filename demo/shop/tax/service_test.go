package tax

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"keyholder/demo/shop/book"
	"keyholder/demo/shop/control"
)

// engine is one without a socket, which answers garbage when told to.
func engine(t *testing.T) (ask func(method, path, body string) (int, string), garbage *atomic.Bool) {
	t.Helper()
	garbage = &atomic.Bool{}
	s, err := New(Config{
		Dir: t.TempDir(), Listen: "unused", Holds: control.NewHolds(),
		Broken: func() control.PartBreaks { return control.PartBreaks{Garbage: garbage.Load()} },
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.book, err = book.Open(t.Context(), filepath.Join(s.cfg.Dir, "tax.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.book.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(method, path, body string) (int, string) {
		w := httptest.NewRecorder()
		s.routes().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
		got, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		return w.Code, strings.TrimSpace(string(got))
	}, garbage
}

func TestFoodIsTaxFreeAndTheRestStandard(t *testing.T) {
	ask, _ := engine(t)
	for body, want := range map[string]string{
		`{"sku":"TEA-250","net_minor":900}`: `{"tax_minor":0}`, `{"sku":"LAMP-DESK","net_minor":2650}`: `{"tax_minor":530}`,
	} {
		if code, got := ask(http.MethodPost, "/tax", body); code != 200 || got != want {
			t.Errorf("%s: %d %s", body, code, got)
		}
	}
	if code, _ := ask(http.MethodPost, "/tax", `{"sku":"TEA-250","net_minor":-1}`); code != http.StatusUnprocessableEntity {
		t.Errorf("less than nothing: %d", code)
	}
}

func TestOrderIsRecalculatedOnce(t *testing.T) {
	ask, _ := engine(t)
	for range 2 {
		ask(http.MethodPost, "/tax", `{"sku":"MUG-BLUE","net_minor":1100,"order":"k"}`)
	}
	if _, got := ask(http.MethodGet, "/status", ""); got != `{"answered":2,"recalculated":1,"repeats":1}` {
		t.Error(got)
	}
	if code, got := ask(http.MethodGet, "/recalculations?order=k", ""); code != 200 || got != `{"tax_minor":220}` {
		t.Errorf("%d %s", code, got)
	}
	if code, _ := ask(http.MethodPost, "/tax", `{"sku":"MUG-BLUE","net_minor":1,"order":"k"}`); code != http.StatusUnprocessableEntity {
		t.Errorf("the order with another amount: %d", code)
	}
}

func TestGarbageIsNeverPlausibleAndNeverHealthy(t *testing.T) {
	ask, broken := engine(t)
	broken.Store(true)
	for range 2 * len(garbage()) {
		_, got := ask(http.MethodPost, "/tax", `{"sku":"MUG-BLUE","net_minor":1100}`)
		var a Answer
		if json.Unmarshal([]byte(got), &a) == nil && Implausible(a.TaxMinor, 1100) == nil {
			t.Errorf("%q was believed", got)
		}
		for _, path := range []string{"/healthz", "/status"} {
			if _, got := ask(http.MethodGet, path, ""); json.Valid([]byte(got)) {
				t.Errorf("%s answers %q", path, got)
			}
		}
	}
}
