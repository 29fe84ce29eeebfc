package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// keyFile is a file of the demo's folder that holds a secret, because that is what it is for. Nothing else may.
type keyFile struct {
	path   string
	secret string // its name; files of one name hold the same
	why    string
	value  func(body []byte) ([]string, error) // nothing: the file only repeats what another holds
}

func keyFiles() []keyFile {
	return []keyFile{
		{"portal-client", "the portal's secret at the provider", "the portal and the provider read it", random},
		{"dns-key", "the key of the zone", "the connector signs updates by it, and the name server looks", random},
		{"temporal-key", "the key of what Temporal keeps", "KEYHOLDER_TEMPORAL_KEYS refers to it", random},
		{"reporting-administrator", "the password of the reporting database's administrator", "the database is made with it", random},
		{"reporting-sign-in", "the password of the reporting database's administrator", "the connector's reference to its URL leads here", nil},
		{"operations-room", "the address of the operations room's chat", "a channel refers to it", line},
		{"provider/signing-key.json", "the key by which the provider signs", "tokens from before a restart still verify", pkcs8},
	}
}

// random is what package stack makes: 32 bytes, in base64.
func random(body []byte) ([]string, error) {
	text := strings.TrimSpace(string(body))
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("these are not 32 bytes in base64: %w", err)
	}
	return []string{text, string(raw)}, nil
}

func line(body []byte) ([]string, error) { return []string{strings.TrimSpace(string(body))}, nil }

func pkcs8(body []byte) ([]string, error) {
	var kept struct{ PKCS8 []byte }
	err := json.Unmarshal(body, &kept)
	return []string{string(kept.PKCS8)}, err
}

// least is how long a secret is, so that half of it is found where it is and nowhere else.
const least = 16

// secrets are what a world has met and must not have written, and what its pages said.
type secrets struct {
	mu    sync.Mutex
	names map[string]string // of each value
	shown map[string]int    // the answer that shows a password, which may be one
	pages *os.File          // all that the portal has answered, one behind the other
	said  []answer
	wrong []string
}

// answer is where one stands in the file.
type answer struct {
	of       string
	from, to int64
}

func newSecrets(t *testing.T) *secrets {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "answers"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	return &secrets{names: map[string]string{}, shown: map[string]int{}, pages: file}
}

// met keeps a secret to be looked for at the world's end.
func (s *secrets) met(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(name, value)
}

func (s *secrets) keep(name, value string) {
	if len(value) < least {
		s.wrong = append(s.wrong, fmt.Sprintf("%s is of %d characters and cannot be looked for", name, len(value)))
		return
	}
	s.names[value] = name
}

// shownPassword is a password on the page that shows it.
var shownPassword = regexp.MustCompile(`data-field="password">([^<]+)<`)

// answered keeps what the portal has answered, and the password that it shows.
func (s *secrets) answered(of string, header http.Header, body []byte) {
	header = header.Clone()
	header.Del("Set-Cookie") // the one place that a session is said
	var all bytes.Buffer
	_ = header.Write(&all) // into memory
	all.Write(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	from := int64(0)
	if n := len(s.said); n > 0 {
		from = s.said[n-1].to
	}
	if _, err := s.pages.WriteAt(all.Bytes(), from); err != nil {
		s.wrong = append(s.wrong, fmt.Sprintf("%s is not kept: %v", of, err))
		return
	}
	for _, found := range shownPassword.FindAllSubmatch(body, -1) {
		s.keep("a password that was shown", string(found[1]))
		if _, again := s.shown[string(found[1])]; !again {
			s.shown[string(found[1])] = len(s.said)
		}
	}
	s.said = append(s.said, answer{of, from, from + int64(all.Len())})
}

// RoundTrip asks, and keeps what is answered and which secrets go to and fro. Browsers, and programs too, ask by way of it.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		w.secrets.met("a token of a program", token)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	for _, c := range answer.Cookies() {
		if c.Value != "" {
			w.secrets.met("the cookie "+c.Name, c.Value)
		}
	}
	if "http://"+r.URL.Host == w.base { // what the provider says to a browser is between these two
		answer.Body = &heard{ReadCloser: answer.Body, end: func(body []byte) {
			w.secrets.answered(fmt.Sprintf("%s %s: %s", r.Method, r.URL.Path, answer.Status), answer.Header, body)
		}}
	}
	return answer, nil
}

// heard is a body that is kept while it is read.
type heard struct {
	io.ReadCloser
	body bytes.Buffer
	end  func(body []byte)
	once sync.Once
}

// Read keeps what is read.
func (h *heard) Read(b []byte) (int, error) {
	n, err := h.ReadCloser.Read(b)
	h.body.Write(b[:n])
	return n, err
}

// Close says what was read.
func (h *heard) Close() error {
	err := h.ReadCloser.Close()
	h.once.Do(func() { h.end(h.body.Bytes()) })
	return err
}

// spellings are how a value may be written: as it is, without its hyphens, escaped for a URL, each of these also in hexadecimal and in
// base64 at any place, where what surrounds it decides how it is written.
func spellings(value string) (all []string) {
	user := strings.TrimPrefix(url.UserPassword("", value).String(), ":")
	for _, text := range []string{value, strings.ReplaceAll(value, "-", ""), url.QueryEscape(value), url.PathEscape(value), user} {
		all = append(all, text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text))
		for cut := range 3 {
			whole := []byte(text[cut : len(text)-(len(text)-cut)%3])
			all = append(all, base64.RawStdEncoding.EncodeToString(whole), base64.RawURLEncoding.EncodeToString(whole))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// sought are values that are looked for in one pass, by the first two bytes of what there is to find.
type sought [1 << 16][]piece

// piece is half a spelling: a database may begin another page in the middle of a value, and a log may cut it off.
type piece struct{ text, value string }

func seek(values map[string]string) *sought {
	s := &sought{}
	for value := range values {
		for _, text := range spellings(value) {
			for _, half := range []string{text[:len(text)/2], text[len(text)/2:]} {
				first := int(half[0])<<8 | int(half[1])
				s[first] = append(s[first], piece{half, value})
			}
		}
	}
	return s
}

// in are the values that a text holds.
func (s *sought) in(body []byte) (found []string) {
	for i := 0; i+1 < len(body); i++ {
		for _, p := range s[int(body[i])<<8|int(body[i+1])] {
			if len(p.text) <= len(body)-i && string(body[i:i+len(p.text)]) == p.text && !slices.Contains(found, p.value) {
				found = append(found, p.value)
			}
		}
	}
	return found
}

// found says where a secret stands that should not: in what the parts have written and said, and on pages. The parts have stopped.
func (s *secrets) found(dir, more string, said []byte) (places []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range keyFiles() {
		if f.value == nil {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dir, f.path))
		if os.IsNotExist(err) {
			continue // not every world begins
		}
		var values []string
		if err == nil {
			values, err = f.value(body)
		}
		if err != nil {
			s.wrong = append(s.wrong, fmt.Sprintf("%s: %v", f.path, err))
		}
		for _, v := range values {
			s.keep(f.secret, v)
		}
	}
	all := seek(s.names)
	for _, value := range all.in(said) {
		places = append(places, "a part has said "+s.names[value])
	}
	places = append(places, s.foundInFiles(all, dir)...)
	if more != "" {
		places = append(places, s.foundInFiles(all, more)...)
	}
	places = append(append(places, s.foundOnPages(all)...), s.wrong...)
	slices.Sort(places)
	return slices.Compact(places)
}

func (s *secrets) foundInFiles(all *sought, dir string) (places []string) {
	files := keyFiles()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if !e.Type().IsRegular() {
			places = append(places, fmt.Sprintf("%s is no file (%s), and was not looked at", name, e.Type()))
			return nil
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, value := range all.in(body) {
			if !slices.ContainsFunc(files, func(f keyFile) bool { return f.path == name && f.secret == s.names[value] }) {
				places = append(places, fmt.Sprintf("%s holds %s", path, s.names[value]))
			}
		}
		if _, err := random(body); err == nil && !slices.ContainsFunc(files, func(f keyFile) bool { return f.path == name }) {
			places = append(places, fmt.Sprintf("%s is a secret, and is not among those that are looked for", path))
		}
		return nil
	})
	if err != nil {
		places = append(places, fmt.Sprintf("%s was not looked at: %v", dir, err))
	}
	return places
}

// foundOnPages looks at everything that the portal has answered. A password may be on the one page that shows it.
func (s *secrets) foundOnPages(all *sought) (places []string) {
	pages, err := os.ReadFile(s.pages.Name())
	if err != nil {
		return []string{fmt.Sprintf("what the portal answered was not looked at: %v", err)}
	}
	for i, a := range s.said {
		for _, value := range all.in(pages[a.from:a.to]) {
			if at, ok := s.shown[value]; !ok || at != i {
				places = append(places, fmt.Sprintf("the answer to %s holds %s", a.of, s.names[value]))
			}
		}
	}
	return places
}

// reportingData is where the reporting database keeps its data, where that is not in the demo's folder.
func (w *world) reportingData() string {
	if _, err := os.Stat(filepath.Join(w.dir, "reporting.log")); err != nil {
		return "" // it never ran
	}
	if _, err := os.Stat(filepath.Join(w.dir, "reporting")); err == nil {
		return ""
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("keyholder-reporting-%x", sha256.Sum256([]byte(w.dir)))[:36]) // as package reporting has it
}
