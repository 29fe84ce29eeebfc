package static_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"keyholder/static"
)

func TestFilesAreServedOnlyUnderTheHashOfTheirContent(t *testing.T) {
	s, err := static.New()
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w
	}
	for name, kind := range map[string]string{
		"app.css": "text/css", "app.js": "text/javascript", "vendor/htmx.min.js": "text/javascript",
		"vendor/idiomorph.min.js": "text/javascript", "vendor/tabler.min.css": "text/css", "vendor/tabler-dark.css": "text/css",
	} {
		path := s.Path(name)
		if !regexp.MustCompile(`^/static/.+\.[0-9a-f]{12}\.(css|js)$`).MatchString(path) {
			t.Errorf("%s is at %s", name, path)
		}
		w := get(path)
		if w.Code != http.StatusOK || w.Body.Len() == 0 || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) ||
			!strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %d bytes, %v", path, w.Code, w.Body.Len(), w.Header())
		}
		if w := get(static.Prefix + name); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "" {
			t.Errorf("%s without its hash: %d %v", name, w.Code, w.Header())
		}
	}
	if w := get("/static/../static.go"); w.Code != http.StatusNotFound {
		t.Errorf("outside: %d", w.Code)
	}
}
