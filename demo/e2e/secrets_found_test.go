package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	idsystem "keyholder/demo/identity"
	"keyholder/internal/failover"
	"keyholder/internal/scram"
	"keyholder/internal/store"
)

// plant makes a secret that will be written where it should not be.
func (w *world) plant(where string) string {
	value := strings.ToLower(rand.Text())
	w.secrets.met("what was planted "+where, value)
	return value
}

// uproot forgets what was planted, so that the world may end well.
func (w *world) uproot() {
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	for value, name := range w.secrets.names {
		if strings.HasPrefix(name, "what was planted") {
			delete(w.secrets.names, value)
		}
	}
}

// TestASecretThatAWorldWritesAnywhereIsFound plants a secret wherever a world writes, and looks that the search at its end finds each of
// them there: else that search, which finds nothing, would say nothing.
func TestASecretThatAWorldWritesAnywhereIsFound(t *testing.T) {
	w := newWorld(t)
	ines := w.signIn("ines")
	title := w.plant("in the database and on a page")
	in := store.Incident{ID: store.NewID(), Title: title, Cause: failover.CauseUnknown, Services: []string{"checkout"}, ImpactAt: w.store.Now()}
	if _, err := w.store.OpenIncident(t.Context(), w.known("ines"), in); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text(ines.get("/incidents").Find("main")), title) {
		t.Error("it is not on the page: the test plants it in the wrong place")
	}
	engine := reach(t, client.Options{HostPort: fmt.Sprintf("127.0.0.1:%d", w.ports["temporal-frontend"])}, "keyholder")
	process := client.StartWorkflowOptions{ID: w.plant("in Temporal"), TaskQueue: "nobody's"}
	if _, err := engine.ExecuteWorkflow(t.Context(), process, "nothing"); err != nil {
		t.Fatal(err)
	}
	w.shop(http.MethodPost, "mailbox", "/hooks/somebody", map[string]string{"message": w.plant("in the mailbox")}, nil)
	w.shop(http.MethodPut, "identity", "/members", idsystem.Member{Account: w.plant("in the identity system"), Role: "payments-console"}, nil)
	admin := w.reporting()
	if _, err := admin.Exec(t.Context(), "CREATE TABLE written (it text)"); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec(t.Context(), "INSERT INTO written VALUES ($1)", w.plant("in PostgreSQL's data")); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec(t.Context(), "SELECT * FROM "+w.plant("in PostgreSQL's log")); err == nil {
		t.Error("PostgreSQL has no reason to say it")
	}
	part := w.plant("in what a part says")
	w.start(part)
	w.until("it says that it does not know this part", slowly, func() bool { return bytes.Contains(w.said.all(), []byte(part)) })
	engine.Close() // it would be waited for
	_ = admin.Close(t.Context())
	w.stop()

	places := w.secrets.found(w.dir, w.reportingData(), w.said.all())
	for _, want := range [][2]string{
		{"/keyholder.db", " holds what was planted in the database and on a page"},
		{"the answer to GET /incidents: 200 OK", " holds what was planted in the database and on a page"},
		{"/temporal/temporal.db", " holds what was planted in Temporal"}, {"/mailbox/messages.jsonl", " holds what was planted in the mailbox"},
		{"/identity/members.json", " holds what was planted in the identity system"}, {"/base/", " holds what was planted in PostgreSQL's data"},
		{"/log/reporting-", " holds what was planted in PostgreSQL's log"}, {"a part", " has said what was planted in what a part says"},
	} {
		if !slices.ContainsFunc(places, func(place string) bool { return strings.Contains(place, want[0]) && strings.HasSuffix(place, want[1]) }) {
			t.Errorf("it is not found that %s%s: %q", want[0], want[1], places)
		}
	}
	w.uproot()
	names := []string{}
	for _, name := range w.secrets.names {
		names = append(names, name)
	}
	for _, f := range keyFiles() {
		if !slices.Contains(names, f.secret) {
			t.Errorf("%s is not looked for", f.secret)
		}
	}
	for _, name := range []string{"the cookie keyholder_session", "the cookie demo_provider_session"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not looked for", name)
		}
	}
}

func TestASecretIsFoundHoweverItIsSpelt(t *testing.T) {
	t.Parallel()
	random := make([]byte, 32)
	_, _ = rand.Read(random)
	for _, value := range []string{scram.NewPassword(), rand.Text(), string(random), base64.StdEncoding.EncodeToString(random), base64.RawURLEncoding.EncodeToString(random)} {
		all := seek(map[string]string{value: "it"})
		asJSON, err := json.Marshal(map[string]any{"is": []byte(value), "text": value})
		if err != nil {
			t.Fatal(err)
		}
		basic := http.Request{Header: http.Header{}}
		basic.SetBasicAuth("keyholder", url.QueryEscape(value))
		written := map[string]string{
			"as it is": "is " + value + ".", "in capitals of hexadecimal": strings.ToUpper(hex.EncodeToString([]byte(value))), "in hexadecimal": hex.EncodeToString([]byte(value)),
			"in a form": url.Values{"is": {value}}.Encode(), "in a URL": (&url.URL{Scheme: "postgres", Host: "h", User: url.UserPassword("it", value)}).String(),
			"in JSON": string(asJSON), "in a header": basic.Header.Get("Authorization"), "without hyphens": strings.ReplaceAll(value, "-", ""),
			"its first half, at an end": value[:len(value)/2], "its second half, at a beginning": value[len(value)/2:],
		}
		for cut := range 3 {
			written[fmt.Sprintf("in base64 after %d others", cut)] = base64.URLEncoding.EncodeToString([]byte("xyz"[:cut] + value + "and more"))
		}
		for how, text := range written {
			if !slices.Contains(all.in([]byte(text)), value) {
				t.Errorf("%q is not found %s", value, how)
			}
		}
		if other := rand.Text() + scram.NewPassword(); len(all.in([]byte(other))) > 0 {
			t.Errorf("%q is found in %q", value, other)
		}
	}
}

// TestASecretIsNowhereButWhereItIsMeantToBe: its own file, and the one page that shows it; and what cannot be looked at is said.
func TestASecretIsNowhereButWhereItIsMeantToBe(t *testing.T) {
	t.Parallel()
	s, dir := newSecrets(t), t.TempDir()
	key := func() string {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw)
		return base64.StdEncoding.EncodeToString(raw)
	}
	portal, temporal, password := key(), key(), scram.NewPassword()
	write := func(name, body string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wants := func(want ...string) {
		t.Helper()
		got := s.found(dir, "", nil)
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], dir+"/", "")
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("found %q, want %q", got, want)
		}
	}
	page := `<code data-field="password">` + password + `</code>`
	write("portal-client", portal+"\n")
	write("temporal-key", temporal+"\n")
	s.answered("POST /password", http.Header{"Set-Cookie": {"keyholder_session=" + portal}}, []byte(page))
	wants()
	write("portal-client", portal+"\n"+temporal)
	wants("portal-client holds the key of what Temporal keeps", "portal-client: these are not 32 bytes in base64: illegal base64 data at input byte 45")
	s.wrong = nil
	write("portal-client", portal+"\n")
	write("new-key", key()+"\n")
	write("log", "Basic "+portal)
	wants("log holds the portal's secret at the provider", "new-key is a secret, and is not among those that are looked for")
	write("log", "")
	write("new-key", "")
	s.answered("GET /again", http.Header{"Location": {"/?was=" + portal}}, []byte(page))
	wants("the answer to GET /again holds a password that was shown", "the answer to GET /again holds the portal's secret at the provider")
	s.said = s.said[:1]
	s.met("a short one", "short")
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	wants("a short one is of 5 characters and cannot be looked for", "link is no file (L---------), and was not looked at")
	s.wrong, dir = nil, filepath.Join(dir, "nowhere")
	wants(fmt.Sprintf("%s was not looked at: lstat %[1]s: no such file or directory", dir))
}

// TestASecretIsSoughtInOnePass: what a world writes is tens of megabytes, and what it has met dozens of secrets.
func TestASecretIsSoughtInOnePass(t *testing.T) {
	t.Parallel()
	values := map[string]string{}
	for range 60 {
		values[rand.Text()+rand.Text()] = "one"
	}
	body := make([]byte, 32<<20)
	_, _ = rand.Read(body)
	all, began := seek(values), time.Now()
	if found := all.in(body); len(found) > 0 {
		t.Errorf("%d are found by chance", len(found))
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("32 MB took %s", took)
	} else {
		t.Logf("32 MB took %s", took)
	}
}
