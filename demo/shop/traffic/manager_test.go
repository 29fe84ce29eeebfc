package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/shoptest"
)

type shop struct {
	t              *testing.T
	network        *control.Network
	holds          *control.Holds
	client         *http.Client
	sites          map[string]string
	servers        map[string]*httptest.Server
	address, admin string
	dir            string
	stop           func()
}

// open starts two sites that answer with their own name.
func open(t *testing.T) *shop {
	s := &shop{t: t, network: control.NewNetwork(), holds: control.NewHolds(), sites: map[string]string{}, servers: map[string]*httptest.Server{}}
	for _, slug := range []string{"leeds", "dublin"} {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || string(body) == "refuse" {
				control.Refuse(w, http.StatusServiceUnavailable, "no lease")
				return
			}
			control.WriteJSON(w, http.StatusCreated, map[string]string{"site": slug, "key": r.Header.Get("Idempotency-Key")})
		})
		server := httptest.NewServer(s.network.Guard(slug, handler))
		t.Cleanup(server.Close)
		s.servers[slug], s.sites[slug] = server, strings.TrimPrefix(server.URL, "http://")
	}
	return s
}

func (s *shop) start(dir string) {
	s.t.Helper()
	s.address, s.admin, s.dir = shoptest.Address(s.t), shoptest.Address(s.t), dir
	s.client = s.network.Client("traffic")
	ready := make(chan struct{})
	manager, err := New(Config{
		Listen: s.address, Admin: s.admin, Dir: dir, Sites: s.sites, Writer: "leeds",
		Client: s.client, Holds: s.holds, Ready: func() { close(ready) },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- manager.Run(ctx) }()
	select {
	case <-ready:
	case err := <-ended:
		s.t.Fatalf("the traffic manager did not start: %v", err)
	}
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("Run: %v", err)
		}
	}
	s.t.Cleanup(s.stop)
}

func (s *shop) call(method, url, key, body string) (int, http.Header, []byte) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, response.Header, answer
}

func (s *shop) want(method, path, key, body string, status int, answer string) {
	s.t.Helper()
	got, _, text := s.call(method, s.admin+path, key, body)
	if got != status {
		s.t.Errorf("%s %s %s: %d %s, want %d", method, path, body, got, text, status)
	}
	if diff := cmp.Diff(parsed(s.t, []byte(answer)), parsed(s.t, text)); answer != "" && diff != "" {
		s.t.Errorf("%s %s %s (-want +got):\n%s", method, path, body, diff)
	}
}

func parsed(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&v); err != nil && len(text) > 0 {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

// buy sends n customers and counts where they came out.
func (s *shop) buy(n int) map[string]int {
	s.t.Helper()
	counts := map[string]int{}
	for range n {
		status, header, _ := s.call("POST", s.address+"/checkout", "k", "{}")
		if status != http.StatusCreated {
			s.t.Errorf("a customer was answered %d", status)
		}
		counts[header.Get(SiteHeader)]++
	}
	return counts
}

func TestNewShopSendsEverythingToTheWriter(t *testing.T) {
	s := open(t)
	s.start(t.TempDir())
	s.want("GET", "/weights", "", "", 200, `{"weights":{"leeds":100,"dublin":0},"version":1}`)
	if diff := cmp.Diff(map[string]int{"leeds": 10}, s.buy(10)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	status, _, body := s.call("POST", s.address+"/checkout", "key-1", "{}")
	if status != 201 || !strings.Contains(string(body), "key-1") {
		t.Errorf("the idempotency key did not reach the site: %d %s", status, body)
	}
}

func TestCustomersAreDealtOutByWeight(t *testing.T) {
	s := open(t)
	s.start(t.TempDir())
	s.want("PUT", "/weights", "a", `{"weights":{"leeds":25,"dublin":75}}`, 200, `{"weights":{"leeds":25,"dublin":75},"version":2}`)
	if diff := cmp.Diff(map[string]int{"leeds": 5, "dublin": 15}, s.buy(20)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.want("PUT", "/weights", "b", `{"weights":{"leeds":0,"dublin":0}}`, 200, "")
	if status, _, _ := s.call("POST", s.address+"/checkout", "k", "{}"); status != 503 {
		t.Errorf("no weight at all answers %d", status)
	}
}

func TestWeightsChangeOnceForARepeatedKey(t *testing.T) {
	s := open(t)
	s.start(t.TempDir())
	moved := `{"weights":{"leeds":0,"dublin":100},"version":2}`
	s.want("PUT", "/weights", "a", `{"only":"dublin"}`, 200, moved)
	s.want("PUT", "/weights", "b", `{"only":"leeds"}`, 200, "")
	s.want("PUT", "/weights", "a", `{"only":"dublin"}`, 200, moved)
	s.want("GET", "/weights", "", "", 200, `{"weights":{"leeds":100,"dublin":0},"version":3}`)
	s.want("PUT", "/weights", "c", `{"only":"leeds"}`, 200, "")
	s.want("GET", "/effects", "", "", 200, `{"weight_changes":2}`)
	s.want("PUT", "/weights", "a", `{"only":"leeds"}`, 422, "")
}

func TestWrongWeightsChangeNothing(t *testing.T) {
	s := open(t)
	s.start(t.TempDir())
	for body, status := range map[string]int{
		``: 400, `{`: 400, `{"weight":{}}`: 400, `{}`: 422, `{"only":"paris"}`: 422,
		`{"weights":{"leeds":1}}`: 422, `{"weights":{"leeds":1,"paris":1}}`: 422,
		`{"weights":{"leeds":-1,"dublin":1}}`: 422, `{"weights":{"leeds":101,"dublin":1}}`: 422,
		`{"only":"leeds","weights":{"leeds":1,"dublin":1}}`: 422,
	} {
		s.want("PUT", "/weights", "", body, status, "")
	}
	s.want("GET", "/weights", "", "", 200, `{"weights":{"leeds":100,"dublin":0},"version":1}`)
	s.want("GET", "/effects", "", "", 200, `{"weight_changes":0}`)
}

func TestSiteThatCannotBeReachedIs502(t *testing.T) {
	s := open(t)
	s.start(t.TempDir())
	s.buy(1)
	s.network.Cut("leeds")
	if status, _, _ := s.call("POST", s.address+"/checkout", "k", "{}"); status != 502 {
		t.Errorf("a partitioned site answers %d", status)
	}
	s.network.Heal("leeds")
	s.buy(1)
	s.servers["leeds"].Close()
	s.client.CloseIdleConnections() // a connection kept from before could still take the request, and then nobody knows
	status, header, _ := s.call("POST", s.address+"/checkout", "k", "{}")
	if status != 502 || header.Get(SiteHeader) != "" {
		t.Errorf("a crashed site answers %d from %q", status, header.Get(SiteHeader))
	}
}

func TestStatsCountWhatCustomersSaw(t *testing.T) {
	s := open(t)
	s.start(t.TempDir())
	s.buy(3)
	s.call("POST", s.address+"/checkout", "k", "refuse")
	s.want("GET", "/stats?window=10s", "", "", 200, `{"window_seconds":10,"requests":4,"succeeded":3,"success_ratio":0.75,
		"per_second":0.4,"by_site":{"leeds":{"requests":4,"succeeded":3},"dublin":{"requests":0,"succeeded":0}}}`)
	s.want("GET", "/stats?window=soon", "", "", 422, "")
}

func TestWeightsSurviveRestart(t *testing.T) {
	s, dir := open(t), t.TempDir()
	s.start(dir)
	s.want("PUT", "/weights", "a", `{"only":"dublin"}`, 200, "")
	s.stop()
	s.start(dir)
	s.want("GET", "/weights", "", "", 200, `{"weights":{"leeds":0,"dublin":100},"version":2}`)
	s.want("PUT", "/weights", "a", `{"only":"dublin"}`, 200, `{"weights":{"leeds":0,"dublin":100},"version":2}`)
	s.want("GET", "/effects", "", "", 200, `{"weight_changes":1}`)
	if diff := cmp.Diff(map[string]int{"dublin": 4}, s.buy(4)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPortInUseNamesPartAndAddress(t *testing.T) {
	s := open(t)
	s.start(t.TempDir())
	other, err := New(Config{
		Listen: shoptest.Address(t), Admin: s.admin, Dir: t.TempDir(), Sites: s.sites, Writer: "leeds", Client: s.network.Client("traffic"),
	})
	if err != nil {
		t.Fatal(err)
	}
	err = other.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), s.admin) || !strings.Contains(err.Error(), "traffic manager's admin API") {
		t.Errorf("Run: %v", err)
	}
}
