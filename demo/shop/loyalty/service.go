package loyalty

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"keyholder/demo/shop/book"
	"keyholder/demo/shop/control"
)

// Config is what the loyalty service needs.
type Config struct {
	Dir    string
	Listen string
	Broken func() control.PartBreaks
	Holds  *control.Holds
	Ready  func()
}

// Service is the loyalty service.
type Service struct {
	cfg  Config
	book *book.Book
}

// New checks the configuration.
func New(cfg Config) (*Service, error) {
	if cfg.Dir == "" || cfg.Listen == "" || cfg.Broken == nil || cfg.Holds == nil {
		return nil, errors.New("loyalty: a folder, an address, its breaks and holds are needed")
	}
	return &Service{cfg: cfg}, nil
}

// Run serves until ctx ends.
func (s *Service) Run(ctx context.Context) (err error) {
	if s.book, err = book.Open(ctx, filepath.Join(s.cfg.Dir, "loyalty.db")); err != nil {
		return fmt.Errorf("loyalty: %w", err)
	}
	defer func() { err = errors.Join(err, s.book.Close()) }()
	return control.Serve(ctx, "loyalty", s.cfg.Listen, s.routes(), s.cfg.Ready)
}

func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /points", s.credit)
	mux.HandleFunc("GET /points", s.points)
	mux.HandleFunc("GET /status", s.status)
	mux.HandleFunc("GET /healthz", s.healthz)
	return s.cfg.Holds.Middleware(control.Late(func() bool { return s.cfg.Broken().Slow }, mux))
}

// Credit is points for an order, which is known by its purchase's key.
type Credit struct {
	Order  string `json:"order"`
	Points int64  `json:"points"`
	Repeat bool   `json:"repeat"` // they had been credited before
}

func (s *Service) credit(w http.ResponseWriter, r *http.Request) {
	var c Credit
	if err := control.ReadJSON(r, &c); err != nil {
		control.Refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if c.Order == "" || c.Points < 0 {
		control.Refuse(w, http.StatusUnprocessableEntity, "an order and its points, not fewer than 0, are needed")
		return
	}
	repeated, err := s.book.Take(r.Context(), book.Entry{Order: c.Order, Amount: c.Points})
	switch {
	case errors.Is(err, book.ErrOther):
		control.Refuse(w, http.StatusUnprocessableEntity, err.Error())
	case err != nil:
		control.Refuse(w, http.StatusInternalServerError, err.Error())
	case repeated > 0:
		control.WriteJSON(w, http.StatusOK, Credit{Order: c.Order, Points: c.Points, Repeat: true})
	default:
		control.WriteJSON(w, http.StatusCreated, Credit{Order: c.Order, Points: c.Points})
	}
}

// points answers GET /points?order=, with 404 for an order that was not credited.
func (s *Service) points(w http.ResponseWriter, r *http.Request) {
	order := r.FormValue("order")
	points, known, err := s.book.Of(r.Context(), order)
	switch {
	case err != nil:
		control.Refuse(w, http.StatusInternalServerError, err.Error())
	case !known:
		control.Refuse(w, http.StatusNotFound, "no points were credited for this order")
	default:
		control.WriteJSON(w, http.StatusOK, Credit{Order: order, Points: points})
	}
}

// Status is what GET /status answers.
type Status struct {
	Credited int64 `json:"credited"` // orders
	Points   int64 `json:"points"`
	Repeats  int64 `json:"repeats"` // refused
}

func (s *Service) status(w http.ResponseWriter, r *http.Request) {
	t, err := s.book.Totals(r.Context())
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, Status{Credited: t.Orders, Points: t.Amount, Repeats: t.Repeats})
}

func (s *Service) healthz(w http.ResponseWriter, r *http.Request) {
	if _, _, err := s.book.Of(r.Context(), ""); err != nil {
		control.Refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
