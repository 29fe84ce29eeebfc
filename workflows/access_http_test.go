package workflows

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/connector/httpc"
	"keyholder/internal/store"
)

// forgetful is an identity system that answers a call under the same key as it did before, and forgets what its first call told it.
type forgetful struct {
	mu   sync.Mutex
	has  bool
	keys map[string]bool
}

func (f *forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	key := r.Header.Get("Idempotency-Key")
	switch {
	case r.Method == http.MethodGet && f.has:
		_, _ = fmt.Fprint(w, `{"all":[{"who":"rosa@example.com","role":"reader"}]}`)
		return
	case r.Method == http.MethodGet:
		_, _ = fmt.Fprint(w, `{"all":[]}`)
		return
	case len(f.keys) > 0 && !f.keys[key]:
		f.has = r.Method == http.MethodPut
	}
	f.keys[key] = true
	_, _ = fmt.Fprint(w, `{}`)
}

func TestACallThatWasAnsweredAndHadNoEffectIsNotMadeUnderTheSameKeyAgain(t *testing.T) {
	system := &forgetful{keys: map[string]bool{}}
	server := httptest.NewServer(system)
	t.Cleanup(server.Close)
	params, err := json.Marshal(map[string]any{
		"holders": map[string]string{"url": server.URL, "list": "/all", "account": "/who", "role": "/role"}, "wait": "200ms",
		"give": map[string]string{"method": "PUT", "url": server.URL + "/${access.account}/${access.role}"},
		"take": map[string]string{"method": "DELETE", "url": server.URL + "/${access.account}/${access.role}"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := newAccessStageOn(t, time.Now, string(params), httpc.NewAccess(connector.NewSecrets(nil)))
	id, err := s.SignIn(t.Context(), store.Identity{Issuer: "i", Subject: "rosa", Name: "rosa", Email: "rosa@example.com", Verified: true, Groups: []string{"platform-engineers"}, SignedInAt: s.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if s.rosa, _, err = s.Principal(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	activities := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
	activities.RegisterActivity(s.activities.Settle)
	code := s.begun("reader", 3*catalog.Step)
	for range 2 {
		if _, err := activities.ExecuteActivity(s.activities.Settle, AccessInput{System: "db", Person: s.rosa.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if g := s.grant(code); g.Given == nil || len(system.keys) != 2 {
		t.Errorf("given at %v, after calls under %v", g.Given, system.keys)
	}
}
