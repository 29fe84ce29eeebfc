package identity

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

const rosa, prices = "rosa@retailer.example", "storefront-admin"

func newService(t *testing.T, dir string) *service {
	t.Helper()
	s := &service{dir: dir}
	if err := s.load(actsFile, &s.acts); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *service) try(account, does string) int {
	w := httptest.NewRecorder()
	body := fmt.Sprintf(`{"account":%q,"role":%q,"does":%q}`, account, prices, does)
	s.act(w, httptest.NewRequest(http.MethodPost, "/acts", strings.NewReader(body)))
	return w.Code
}

// lines are what an account did, read to the end.
func (s *service) lines(t *testing.T, account string, from, until time.Time) (all []string) {
	t.Helper()
	at := "/acts?" + url.Values{"account": {account}, "from": {from.Format(time.RFC3339Nano)}, "until": {until.Format(time.RFC3339Nano)}}.Encode()
	for at != "" {
		w := httptest.NewRecorder()
		s.done(w, httptest.NewRequest(http.MethodGet, at, nil))
		var said struct {
			Acts []Act
			Next string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != http.StatusOK || len(said.Acts) > actsPerPage {
			t.Fatalf("%s: %d, %d acts, %v: %s", at, w.Code, len(said.Acts), err, w.Body)
		}
		for _, a := range said.Acts {
			all = append(all, a.Line)
		}
		at = said.Next
	}
	return all
}

// TestOnlyWhoHasTheRoleActsAndAllOfItIsWrittenDown: what was refused too, each once, in order, and after a restart.
func TestOnlyWhoHasTheRoleActsAndAllOfItIsWrittenDown(t *testing.T) {
	s, began := newService(t, t.TempDir()), time.Now()
	soon := time.Now().Add(time.Hour)
	s.all = []Member{{Account: rosa, Role: prices, Until: &soon}}
	var want []string
	for i := range actsPerPage * 2 {
		if code := s.try(rosa, fmt.Sprint(i)); code != http.StatusOK {
			t.Fatalf("act %d: %d", i, code)
		}
		want = append(want, fmt.Sprintf("%s: %d", prices, i))
	}
	over := time.Now()
	s.all[0].Until = &over
	for _, account := range []string{rosa, "mallory@retailer.example"} {
		if code := s.try(account, "more"); code != http.StatusForbidden {
			t.Errorf("%s acts without the role: %d", account, code)
		}
	}
	if code := s.try(rosa, ""); code != http.StatusUnprocessableEntity {
		t.Errorf("nothing is done: %d", code)
	}
	for _, s := range []*service{s, newService(t, s.dir)} {
		if got := s.lines(t, rosa, began, over); !slices.Equal(got, want) {
			t.Errorf("until it ended: %q", got)
		}
		if got := s.lines(t, rosa, over, time.Now()); !slices.Equal(got, []string{"refused, " + prices + ": more"}) {
			t.Errorf("after it ended: %q", got)
		}
	}
	w := httptest.NewRecorder()
	if s.done(w, httptest.NewRequest(http.MethodGet, "/acts?account=all", nil)); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no time is said: %d", w.Code)
	}
}
