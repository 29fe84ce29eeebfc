package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"keyholder/demo/stack"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// world is one demo, each part a process of its own.
type world struct {
	t     *testing.T
	base  string
	dir   string
	env   []string
	bin   string
	ports map[string]int
	said  *lines
	store *store.Store

	secrets *secrets

	mu    sync.Mutex
	parts map[string]*exec.Cmd
}

// lines keeps what the parts say.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps a line.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) all() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

func (l *lines) tail() string {
	s := l.all()
	return string(s[max(0, len(s)-3000):])
}

func binary(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("KEYHOLDER_DEMO_BINARY"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "keyholder-demo")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "keyholder/demo").CombinedOutput(); err != nil {
		t.Fatalf("build the demo: %v: %s", err, out)
	}
	return path
}

// chosen are the ports of every demo of this process, those too on which nobody listens for the moment: several demos run at once, parts
// of them are stopped and started, and none may find that another has taken its port meanwhile.
var chosen = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// freePort is one that no demo of this process has, nor one of another process of tests: these choose higher ones.
func freePort(t *testing.T) int {
	t.Helper()
	chosen.Lock()
	defer chosen.Unlock()
	port, err := stack.FreePortIn(t.Context(), 10000, 20000, chosen.ports)
	if err != nil {
		t.Fatal(err)
	}
	chosen.ports[port] = true
	return port
}

// choosePorts chooses the demo's addresses in its place. Those of parts that are not named here it chooses by itself.
func (w *world) choosePorts() {
	w.t.Helper()
	for _, part := range []string{
		"temporal-frontend", "temporal-history", "temporal-matching", "provider", "panel", "lease", "traffic", "traffic-admin", "dns", "leeds",
		"dublin", "flags", "loyalty", "tax", "erp", "outlets", "mailbox-mail", "mailbox", "identity", "reporting",
	} {
		w.ports[part] = freePort(w.t)
	}
	body, err := json.Marshal(w.ports)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "ports.json"), body, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// emptyWorld is a demo that has not begun. Tests mostly wait for theirs, so that several go at a time.
func emptyWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	return unbegun(t)
}

func unbegun(t *testing.T) *world {
	t.Helper()
	port := freePort(t)
	w := &world{
		t: t, dir: t.TempDir(), bin: binary(t), said: &lines{}, parts: map[string]*exec.Cmd{}, ports: map[string]int{},
		secrets: newSecrets(t), base: fmt.Sprintf("http://localhost:%d", port),
	}
	w.choosePorts()
	w.env = append(os.Environ(), "KEYHOLDER_DEMO_DIR="+w.dir, fmt.Sprintf("KEYHOLDER_LISTEN=127.0.0.1:%d", port))
	t.Cleanup(w.end)
	return w
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return emptyWorld(t).begun()
}

// soleWorld is a demo beside which none of another test runs: what has to be soon is measured there.
func soleWorld(t *testing.T) *world {
	t.Helper()
	return unbegun(t).begun()
}

func (w *world) begun() *world {
	t := w.t
	t.Helper()
	for _, part := range []string{"temporal", "provider", "mailbox", "shop", "identity", "reporting", "portal"} {
		w.start(part)
	}
	w.until("everything is ready", 20*time.Second, w.ready)
	var err error
	if w.store, err = store.Open(t.Context(), filepath.Join(w.dir, "keyholder.db"), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.until("the worker has seen the shop sell", 20*time.Second, func() bool {
		readings, err := w.store.Readings(t.Context())
		leeds, dublin := readings[failover.PositionKey("orders", "leeds")], readings[failover.PositionKey("orders", "dublin")]
		return err == nil && leeds.Position != nil && leeds.Position.Writer && dublin.Position != nil && dublin.Position.Newest > 20 &&
			readings[failover.SignalKey("checkout-volume")].Usual > 5
	})
	return w
}

func (w *world) readPorts() error {
	body, err := os.ReadFile(filepath.Join(w.dir, "ports.json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(body, &w.ports)
}

func (w *world) start(part string) {
	w.t.Helper()
	cmd := exec.Command(w.bin, "part", part)
	cmd.Env, cmd.Stdout, cmd.Stderr = w.env, w.said, w.said
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts[part] = cmd
}

// kill ends parts as a power cut would.
func (w *world) kill(parts ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, part := range parts {
		if err := w.parts[part].Process.Kill(); err != nil {
			w.t.Fatalf("kill %s: %v", part, err)
		}
	}
	for _, part := range parts {
		_ = w.parts[part].Wait() // killed, as it should be
	}
}

// stop ends the parts as an operator would.
func (w *world) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, cmd := range w.parts {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			w.t.Errorf("stop: %v", err)
		}
	}
	for _, cmd := range w.parts {
		_ = cmd.Wait()
	}
	clear(w.parts)
}

// end stops the parts, looks that no secret stands where it should not, and removes what there is.
func (w *world) end() {
	if w.t.Failed() {
		w.t.Logf("the parts said, at the end: %s", w.said.tail())
	}
	w.stop()
	for _, place := range w.secrets.found(w.dir, w.reportingData(), w.said.all()) {
		w.t.Error(place)
	}
	forget := exec.Command(w.bin, "forget")
	forget.Env = w.env
	if said, err := forget.CombinedOutput(); err != nil {
		w.t.Errorf("forget the demo: %v: %s", err, said)
	}
}

// until waits for something with a deadline.
func (w *world) until(what string, within time.Duration, is func() bool) time.Duration {
	w.t.Helper()
	began := time.Now()
	for time.Since(began) < within {
		if is() {
			return time.Since(began)
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Fatalf("not within %s: %s", within, what)
	return 0
}

func (w *world) ready() bool {
	answer, err := http.Get(w.base + "/readyz")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// shop asks a part of the shop and reads its answer.
func (w *world) shop(method, part, path string, body, into any) {
	w.t.Helper()
	if err := w.tryShop(method, part, path, body, into); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tryShop(method, part, path string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("http://127.0.0.1:%d%s", w.ports[part], path), bytes.NewReader(raw))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s %s: %s: %s", method, part, path, answer.Status, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

func (w *world) breakIt(what, site string) {
	w.t.Helper()
	w.shop("POST", "panel", "/break", map[string]any{"what": what, "site": site}, nil)
}

// person is someone at a browser without scripts.
type person struct {
	w      *world
	client *http.Client
}

// page is what they see.
type page struct {
	*goquery.Document
	status int
	url    *url.URL
}

func (w *world) signIn(user string) *person {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	p := &person{w: w, client: &http.Client{Transport: w, Jar: jar, Timeout: 20 * time.Second}}
	login := p.get("/")
	button := login.Find(fmt.Sprintf("button[value=%q]", user))
	if button.Length() != 1 {
		w.t.Fatalf("the provider at %s does not offer %s", login.url, user)
	}
	if home := p.press(login, button, nil); home.url.Host != strings.TrimPrefix(w.base, "http://") {
		w.t.Fatalf("after signing in, %s is at %s", user, home.url)
	}
	return p
}

func (p *person) get(path string) page {
	p.w.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, p.w.base+path, nil)
	if err != nil {
		p.w.t.Fatal(err)
	}
	return p.send(r)
}

func (p *person) send(r *http.Request) page {
	p.w.t.Helper()
	answer, err := p.client.Do(r)
	if err != nil {
		p.w.t.Fatal(err)
	}
	defer answer.Body.Close()
	doc, err := goquery.NewDocumentFromReader(answer.Body)
	if err != nil {
		p.w.t.Fatal(err)
	}
	return page{doc, answer.StatusCode, answer.Request.URL}
}

// submit presses the one button whose words begin so, with what is typed.
func (p *person) submit(on page, words string, typed map[string]string) page {
	p.w.t.Helper()
	button := on.Find("button").FilterFunction(func(_ int, s *goquery.Selection) bool { return strings.HasPrefix(text(s), words) })
	if button.Length() == 0 {
		p.w.t.Fatalf("%s has no button %q; it says: %s", on.url, words, text(on.Find("main")))
	}
	return p.press(on, button.First(), typed)
}

func (p *person) press(on page, button *goquery.Selection, typed map[string]string) page {
	p.w.t.Helper()
	form := button.Closest("form")
	values := url.Values{}
	form.Find("input, textarea, select").Each(func(_ int, s *goquery.Selection) {
		kind, name := s.AttrOr("type", ""), s.AttrOr("name", "")
		_, checked := s.Attr("checked")
		if name == "" || (kind == "radio" || kind == "checkbox") && !checked {
			return
		}
		value := s.AttrOr("value", "")
		switch goquery.NodeName(s) {
		case "textarea":
			value = s.Text()
		case "select": // all that are chosen, or what stands first, as a browser does
			chosen := s.Find("option[selected]")
			if _, many := s.Attr("multiple"); !many && chosen.Length() == 0 {
				chosen = s.Find("option").First()
			}
			chosen.Each(func(_ int, o *goquery.Selection) { values.Add(name, o.AttrOr("value", "")) })
			return
		}
		values.Add(name, value)
	})
	for name, value := range typed {
		values.Set(name, value)
	}
	if name, ok := button.Attr("name"); ok {
		values.Set(name, button.AttrOr("value", ""))
	}
	action, err := on.url.Parse(form.AttrOr("action", ""))
	if err != nil {
		p.w.t.Fatal(err)
	}
	method := strings.ToUpper(form.AttrOr("method", "get"))
	var body io.Reader
	if method == http.MethodGet {
		action.RawQuery = values.Encode()
	} else {
		body = strings.NewReader(values.Encode())
	}
	r, err := http.NewRequestWithContext(context.Background(), method, action.String(), body)
	if err != nil {
		p.w.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return p.send(r)
}

func text(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

func (w *world) run(code string) failover.Run {
	w.t.Helper()
	run, err := w.store.Run(w.t.Context(), code)
	if err != nil {
		w.t.Fatal(err)
	}
	return run
}
