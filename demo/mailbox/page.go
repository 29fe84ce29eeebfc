package mailbox

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// These are the page and its style, in the program so that it runs from any folder.
var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS []byte
)

// shown is a message as the page draws it: text, with links that lead somewhere.
type shown struct {
	Message
	Lines [][]piece
}

type piece struct{ Text, Link string }

func (s *server) show(w http.ResponseWriter, _ *http.Request) {
	var out bytes.Buffer
	all := s.box.newest()
	drawn := make([]shown, len(all))
	for i, m := range all {
		drawn[i] = shown{m, pieces(m.Text)}
	}
	if err := s.page.Execute(&out, drawn); err != nil {
		s.cfg.Log.Error("the mailbox's page was not drawn", "error", err)
		http.Error(w, "the page cannot be drawn", http.StatusInternalServerError)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	head.Set("Refresh", "5")
	_, _ = out.WriteTo(w)
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(pageCSS)
}

// pieces finds the addresses in a text.
func pieces(text string) [][]piece {
	var lines [][]piece
	for line := range strings.Lines(strings.TrimSpace(text)) {
		var parts []piece
		for _, word := range strings.SplitAfter(strings.TrimRight(line, "\r\n"), " ") {
			one := piece{Text: word}
			if u, err := url.Parse(strings.TrimSpace(word)); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
				one.Link = u.String()
			}
			parts = append(parts, one)
		}
		lines = append(lines, parts)
	}
	return lines
}

// hook takes what is posted to a chat: JSON with a message, or the text itself.
func (s *server) hook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		http.Error(w, "it cannot be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	posted := struct {
		Message string `json:"message"`
	}{}
	if json.Unmarshal(body, &posted) != nil || posted.Message == "" {
		posted.Message = string(body)
	}
	subject, text, _ := strings.Cut(posted.Message, "\n")
	if err := s.box.take(Message{At: time.Now().UTC(), By: r.PathValue("name"), To: "everybody there", Subject: subject, Text: text}); err != nil {
		s.cfg.Log.Error("a message was not kept", "error", err)
		http.Error(w, "it was not kept", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// list answers with what arrived as JSON, the last first.
func (s *server) list(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(s.box.newest()); err != nil {
		s.cfg.Log.Error("the messages were not sent", "error", err)
	}
}

func parsePage() (*template.Template, error) { return template.New("page").Parse(pageHTML) }
