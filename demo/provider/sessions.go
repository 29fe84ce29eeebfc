package provider

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"sync"
	"time"
)

// sessionLasts is how long a browser stays signed in at the provider without anyone pressing a button.
const sessionLasts = 12 * time.Hour

// session is one browser's sign-in at the provider.
type session struct {
	Subject  string    `json:"subject"`
	SignedIn time.Time `json:"signed_in"` // the moment someone pressed a button; becomes auth_time
}

// sessions are kept on disk by the hash of their token, so that the file opens no session to who reads it.
type sessions struct {
	path string
	mu   sync.Mutex
	by   map[string]session
}

func loadSessions(dir string) (*sessions, error) {
	s := &sessions{path: filepath.Join(dir, "sessions.json"), by: map[string]session{}}
	return s, readKept(s.path, &s.by)
}

// start opens a session that ends the one named by previous, and returns its token.
func (s *sessions) start(subject, previous string, now time.Time) (string, session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, old := range s.by {
		if now.Sub(old.SignedIn) > sessionLasts {
			delete(s.by, id)
		}
	}
	delete(s.by, hashed(previous))
	token := rand.Text()
	opened := session{Subject: subject, SignedIn: now}
	s.by[hashed(token)] = opened
	return token, opened, keep(s.path, s.by)
}

func (s *sessions) find(token string, now time.Time) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.by[hashed(token)]
	return found, ok && now.Sub(found.SignedIn) <= sessionLasts
}

func (s *sessions) end(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.by[hashed(token)]; !ok {
		return nil
	}
	delete(s.by, hashed(token))
	return keep(s.path, s.by)
}

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
