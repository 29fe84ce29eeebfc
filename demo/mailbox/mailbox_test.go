package mailbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wneessen/go-mail"

	"keyholder/demo/mailbox"
)

// opened is a mailbox that runs until stop is called or the test ends.
func opened(t *testing.T, dir string) (cfg mailbox.Config, stop func()) {
	t.Helper()
	ready, ended := make(chan struct{}), make(chan error, 1)
	cfg = mailbox.Config{Mail: free(t), Page: free(t), Dir: dir, Ready: func() { close(ready) }}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- mailbox.Run(ctx, cfg) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return cfg, stop
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

func send(t *testing.T, address, subject, text string) {
	t.Helper()
	m := mail.NewMsg()
	if err := m.FromFormat("Keyholder", "keyholder@retailer.example"); err != nil {
		t.Fatal(err)
	}
	if err := m.To("bea@retailer.example"); err != nil {
		t.Fatal(err)
	}
	m.Subject(subject)
	m.SetBodyString(mail.TypeTextPlain, text)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	var number int
	if err := json.Unmarshal([]byte(port), &number); err != nil {
		t.Fatal(err)
	}
	client, err := mail.NewClient(host, mail.WithPort(number), mail.WithTLSPolicy(mail.NoTLS), mail.WithTimeout(5*time.Second))
	if err == nil {
		err = client.DialAndSend(m)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func body(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestWhatArrivesIsShownWithItsLinksAndOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	cfg, stop := opened(t, dir)
	send(t, cfg.Mail, "Decide: FO-7Q4M, move Café", "Open http://localhost:8080/a/FO-7Q4M to act. <script>alert(1)</script>")
	answer, err := http.Post("http://"+cfg.Page+"/hooks/operations-room", "application/json", strings.NewReader(`{"message":"Begun by itself: FO-1\nFor Bea."}`))
	if err != nil || answer.StatusCode != http.StatusNoContent {
		t.Fatalf("%v, %v", answer, err)
	}
	answer.Body.Close()
	for range 2 {
		page := body(t, "http://"+cfg.Page+"/")
		for _, part := range []string{
			`<a href="http://localhost:8080/a/FO-7Q4M">`, "Decide: FO-7Q4M, move Café", "bea@retailer.example", "Begun by itself: FO-1", "operations-room", "&lt;script&gt;",
		} {
			if !strings.Contains(page, part) {
				t.Errorf("the page lacks %q: %s", part, page)
			}
		}
		stop()
		cfg, stop = opened(t, dir)
	}
}

func TestWhatIsTooLargeIsNotTaken(t *testing.T) {
	cfg, _ := opened(t, t.TempDir())
	answer, err := http.Post("http://"+cfg.Page+"/hooks/operations-room", "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if got := body(t, "http://"+cfg.Page+"/messages"); answer.StatusCode < 400 || strings.Contains(got, "xxx") {
		t.Errorf("it was taken: %d", answer.StatusCode)
	}
}

func TestAnotherSitesPagePostsNothing(t *testing.T) {
	cfg, _ := opened(t, t.TempDir())
	r, err := http.NewRequest(http.MethodPost, "http://"+cfg.Page+"/hooks/operations-room", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("answered %d", answer.StatusCode)
	}
}
