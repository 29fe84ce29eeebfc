package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/stack"
)

// Config is what the identity system needs.
type Config struct {
	Dir    string
	Listen string
	Ready  func()
}

// Member is somebody who has a role.
type Member struct {
	Account string     `json:"account"`
	Role    string     `json:"role"`
	Until   *time.Time `json:"until"` // when it runs out; nothing: never
}

func (m Member) holds(at time.Time) bool { return m.Until == nil || m.Until.After(at) }

// Roles are what one may have.
func Roles() []string { return []string{"payments-console", "storefront-admin"} }

type service struct {
	dir  string
	mu   sync.Mutex
	all  []Member
	acts []Act
}

const (
	membersFile = "members.json"
	actsFile    = "acts.json"
)

// Run serves until ctx ends.
func Run(ctx context.Context, c Config) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	s := &service{dir: c.Dir}
	if err := errors.Join(s.load(membersFile, &s.all), s.load(actsFile, &s.acts)); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /members", s.list)
	mux.HandleFunc("PUT /members", s.put)
	mux.HandleFunc("DELETE /members", s.remove)
	mux.HandleFunc("POST /acts", s.act)
	mux.HandleFunc("GET /acts", s.done)
	return control.Serve(ctx, "identity", c.Listen, mux, c.Ready)
}

func (s *service) load(file string, into any) error {
	body, err := os.ReadFile(filepath.Join(s.dir, file)) //nolint:gosec // a file name of ours in the folder we were given
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

func (s *service) keep(file string, all any) error {
	body, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return stack.Replace(filepath.Join(s.dir, file), body)
}

// list are those who have a role now: what has run out is refused whether or not anybody took it away.
func (s *service) list(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := []Member{}
	for _, m := range s.all {
		if m.holds(time.Now()) {
			now = append(now, m)
		}
	}
	control.WriteJSON(w, http.StatusOK, map[string]any{"members": now})
}

func (s *service) put(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, func(all []Member, m Member) []Member {
		return append(without(all, m), m)
	})
}

func (s *service) remove(w http.ResponseWriter, r *http.Request) { s.change(w, r, without) }

func without(all []Member, m Member) []Member {
	return slices.DeleteFunc(slices.Clone(all), func(o Member) bool { return o.Account == m.Account && o.Role == m.Role })
}

// change keeps what it was told before it answers.
func (s *service) change(w http.ResponseWriter, r *http.Request, how func([]Member, Member) []Member) {
	var m Member
	if err := read(w, r, &m); err != nil || m.Account == "" || !slices.Contains(Roles(), m.Role) {
		control.Refuse(w, http.StatusUnprocessableEntity, `the request must be {"account": …, "role": one of the roles, "until": …}`)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := how(s.all, m)
	if err := s.keep(membersFile, all); err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	s.all = all
	control.WriteJSON(w, http.StatusOK, m)
}

func read(w http.ResponseWriter, r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<12))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}
