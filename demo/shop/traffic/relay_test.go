package traffic

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyholder/demo/shop/control"
)

// telling is a site that says whether it writes, and its name to whatever else it is asked.
func telling(t *testing.T, name string, writes *bool) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/status" {
			control.WriteJSON(w, http.StatusOK, map[string]bool{"holds_lease": *writes})
			return
		}
		control.WriteJSON(w, http.StatusOK, name+" "+r.Method+" "+r.URL.Path+" "+r.Header.Get("Idempotency-Key"))
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestQuestionsAboutQueuesGoToTheSiteThatWrites(t *testing.T) {
	leedsWrites, dublinWrites, never := true, false, false
	network := control.NewNetwork()
	m, err := New(Config{
		Dir: t.TempDir(), Writer: "leeds", Client: network.Client("traffic"), Outlets: telling(t, "outlets", &never),
		Sites: map[string]string{"leeds": telling(t, "leeds", &leedsWrites), "dublin": telling(t, "dublin", &dublinWrites)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path string) string {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Header.Set("Idempotency-Key", "k")
		(&admin{manager: m}).routes().ServeHTTP(w, r)
		return strings.Trim(strings.TrimSpace(w.Body.String()), `"`)
	}
	want := func(method, path, answer string) {
		t.Helper()
		if got := ask(method, path); got != answer {
			t.Errorf("%s %s: %q, want %q", method, path, got, answer)
		}
	}
	want("GET", "/queues/points", "leeds GET /queues/points k")
	leedsWrites, dublinWrites = false, true
	want("POST", "/admin/queues/points/drain", "dublin POST /admin/queues/points/drain k")
	want("GET", "/exposure/loyalty-deferred", "dublin GET /exposure/loyalty-deferred k")
	want("GET", "/exposure/stores-offline", "outlets GET /exposure/stores-offline k")
	network.Cut("traffic")
	if got := ask("GET", "/queues"); !strings.Contains(got, "no site answers") {
		t.Error(got)
	}
	requests := 0
	m.requests.Since(time.Time{}, func(request) { requests++ })
	if requests != 0 {
		t.Errorf("%d of them count as customers", requests)
	}
}
