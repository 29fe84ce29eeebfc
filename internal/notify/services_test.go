package notify_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keyholder/internal/notify"
)

// to posts to wherever the address leads.
func to(address string) notify.Services {
	return notify.Services{Resolve: func(string) (string, error) { return address, nil }}
}

func TestALetterIsPostedToAService(t *testing.T) {
	var said string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		said = r.Method + " " + r.URL.Path + " " + string(body)
	}))
	defer server.Close()
	address := strings.Replace(server.URL, "http://", "generic://", 1) + "/hooks/ops?disabletls=yes&template=json"
	if err := to(address).Post(t.Context(), "env:OPS", letter()); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"POST /hooks/ops", "Decide: FO-7Q4M", "For Béa", "https://keyholder.example.com/a/FO-7Q4M"} {
		if !strings.Contains(said, part) {
			t.Errorf("it got %q, without %q", said, part)
		}
	}
}

func TestWhatIsForAllIsPostedAsItIs(t *testing.T) {
	var said []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		said = append(said, strings.TrimSpace(string(body)))
	}))
	defer server.Close()
	l := letter()
	l.Public, l.Text = true, "Your points come later."
	for _, template := range []string{"", "&template=json"} {
		address := strings.Replace(server.URL, "http://", "generic://", 1) + "/hooks/front?disabletls=yes" + template
		if err := to(address).Post(t.Context(), "env:FRONT", l); err != nil {
			t.Fatal(err)
		}
	}
	if want := `Your points come later. {"id":"0001","message":"Your points come later."}`; strings.Join(said, " ") != want {
		t.Errorf("it got %q, not %q", said, want)
	}
}

// TestWhatFailsSaysNoSecret: a service that refuses, is not there, hangs, or has no address at all.
func TestWhatFailsSaysNoSecret(t *testing.T) {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer refuses.Close()
	ended := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-ended }))
	defer hangs.Close()
	defer close(ended)
	hook := func(url string) string {
		return strings.Replace(url, "http://", "generic://", 1) + "/T0SECRET/B1TOKEN99?disabletls=yes&$key=hunter2secret"
	}
	for name, address := range map[string]string{
		"refuses": hook(refuses.URL), "is not there": hook("http://127.0.0.1:1"), "hangs": hook(hangs.URL),
		"is none": "hunter2secret-T0SECRET-B1TOKEN99", "is a wrong one": "slack://hunter2secret/T0SECRET/B1TOKEN99",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		err := to(address).Post(ctx, "env:OPS", letter())
		cancel()
		if err == nil {
			t.Errorf("%s: nothing is said", name)
			continue
		}
		for _, secret := range []string{"T0SECRET", "B1TOKEN99", "hunter2secret"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	missing := notify.Services{Resolve: func(string) (string, error) { return "", errors.New("env OPS is not set") }}
	if err := missing.Post(t.Context(), "env:OPS", letter()); err == nil || !strings.Contains(err.Error(), "not set") {
		t.Errorf("%v", err)
	}
}
