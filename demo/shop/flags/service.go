package flags

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"keyholder/demo/shop/control"
)

// Config is what the flags service needs.
type Config struct {
	Dir    string
	Listen string
	Broken func() control.PartBreaks
	Holds  *control.Holds
	Ready  func()
}

// Service is the flags service.
type Service struct {
	cfg    Config
	db     *sql.DB
	ledger *control.Ledger
}

const kept = "flags"

// New checks the configuration.
func New(cfg Config) (*Service, error) {
	if cfg.Dir == "" || cfg.Listen == "" || cfg.Broken == nil || cfg.Holds == nil {
		return nil, errors.New("flags: a folder, an address, its breaks and holds are needed")
	}
	return &Service{cfg: cfg}, nil
}

// Run serves until ctx ends.
func (s *Service) Run(ctx context.Context) (err error) {
	if s.db, err = control.OpenFile(ctx, filepath.Join(s.cfg.Dir, "flags.db"), tableOf(kept)); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	if s.ledger, err = control.NewLedger(ctx, s.db); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	return control.Serve(ctx, "flags", s.cfg.Listen, s.routes(), s.cfg.Ready)
}

func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /flags", s.list)
	mux.HandleFunc("GET /flags/{name}", s.show)
	mux.HandleFunc("PUT /flags/{name}", s.unknown)
	for _, name := range Names() {
		mux.HandleFunc("PUT /flags/"+name, s.orLie(name, s.ledger.Handle(s.set(name))))
	}
	mux.HandleFunc("GET /effects", s.effects)
	mux.HandleFunc("GET /healthz", s.healthz)
	return s.cfg.Holds.Middleware(control.Late(func() bool { return s.cfg.Broken().Slow }, mux))
}

// List is what GET /flags answers.
type List struct {
	Flags []Flag `json:"flags"`
}

func (s *Service) list(w http.ResponseWriter, r *http.Request) {
	all, err := read(r.Context(), s.db, kept)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, List{Flags: all})
}

func (s *Service) show(w http.ResponseWriter, r *http.Request) {
	all, err := read(r.Context(), s.db, kept)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	i := slices.Index(Names(), r.PathValue("name"))
	if i < 0 {
		s.unknown(w, r)
		return
	}
	control.WriteJSON(w, http.StatusOK, all[i])
}

func (s *Service) unknown(w http.ResponseWriter, r *http.Request) {
	control.Refuse(w, http.StatusNotFound, fmt.Sprintf("there is no flag %q", r.PathValue("name")))
}

// wish is what PUT /flags/{name} takes.
type wish struct {
	On    *bool  `json:"on"`
	Scope string `json:"scope"` // All if empty
	By    string `json:"by"`    // who wants it; may be empty
}

func wishOf(body []byte) (w wish, problem string) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&w); err != nil || w.On == nil {
		return w, `the request must be {"on": true or false, "scope": "all" or "test"}`
	}
	if w.Scope == "" {
		w.Scope = All
	}
	if w.Scope != All && w.Scope != Test {
		return w, fmt.Sprintf("there is no scope %q", w.Scope)
	}
	return w, ""
}

// switched is the flag as wished; really tells whether anything in the shop behaves otherwise for it.
func (f Flag) switched(w wish, now time.Time) (next Flag, really bool) {
	really = f.On != *w.On || (f.On && f.Scope != w.Scope)
	if !really && f.Scope == w.Scope {
		return f, false
	}
	next = f
	next.On, next.Scope, next.ChangedAt, next.ChangedBy = *w.On, w.Scope, &now, w.By
	if *w.On && !f.On {
		next.Period, next.OnSince = f.Period+1, &now
	}
	return next, really
}

func (s *Service) set(name string) control.Effect {
	return func(ctx context.Context, tx *sql.Tx, body []byte) (control.Answer, error) {
		wanted, problem := wishOf(body)
		if problem != "" {
			return control.Refusal(http.StatusUnprocessableEntity, problem), nil
		}
		all, err := read(ctx, tx, kept)
		if err != nil {
			return control.Answer{}, err
		}
		next, really := all[slices.Index(Names(), name)].switched(wanted, time.Now().UTC())
		if really {
			if err := control.Count(ctx, tx, name); err != nil {
				return control.Answer{}, err
			}
		}
		return control.Answer{Status: http.StatusOK, Body: next}, write(ctx, tx, kept, next)
	}
}

// orLie answers as if it had switched. The lie is not remembered, so that the same key switches once the service is honest
// again.
func (s *Service) orLie(name string, honest http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.cfg.Broken().Lying {
			honest(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<10))
		if err != nil {
			control.Refuse(w, http.StatusBadRequest, "the request cannot be read")
			return
		}
		wanted, problem := wishOf(body)
		if problem != "" {
			control.Refuse(w, http.StatusUnprocessableEntity, problem)
			return
		}
		told, _ := Flag{Name: name}.switched(wanted, time.Now().UTC())
		control.WriteJSON(w, http.StatusOK, told)
	}
}

// effects tells how often each flag was really switched: on, off, or to another scope while on.
func (s *Service) effects(w http.ResponseWriter, r *http.Request) {
	counts, err := s.ledger.Effects(r.Context(), Names()...)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, counts)
}

func (s *Service) healthz(w http.ResponseWriter, r *http.Request) {
	if _, err := read(r.Context(), s.db, kept); err != nil {
		control.Refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
