package erp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"keyholder/demo/shop/book"
	"keyholder/demo/shop/control"
)

// Config is what the ERP needs.
type Config struct {
	Dir    string
	Listen string
	Broken func() control.PartBreaks
	Holds  *control.Holds
	Ready  func()
}

// Service is the ERP.
type Service struct {
	cfg  Config
	book *book.Book
}

// New checks the configuration.
func New(cfg Config) (*Service, error) {
	if cfg.Dir == "" || cfg.Listen == "" || cfg.Broken == nil || cfg.Holds == nil {
		return nil, errors.New("erp: a folder, an address, its breaks and holds are needed")
	}
	return &Service{cfg: cfg}, nil
}

// Run serves until ctx ends.
func (s *Service) Run(ctx context.Context) (err error) {
	if s.book, err = book.Open(ctx, filepath.Join(s.cfg.Dir, "erp.db")); err != nil {
		return fmt.Errorf("erp: %w", err)
	}
	defer func() { err = errors.Join(err, s.book.Close()) }()
	return control.Serve(ctx, "erp", s.cfg.Listen, s.routes(), s.cfg.Ready)
}

func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /postings", s.post)
	mux.HandleFunc("GET /postings", s.posting)
	mux.HandleFunc("GET /status", s.status)
	mux.HandleFunc("GET /healthz", s.healthz)
	return s.cfg.Holds.Middleware(control.Late(func() bool { return s.cfg.Broken().Slow }, mux))
}

// Posting is an order, which is known by its purchase's key.
type Posting struct {
	Order       string `json:"order"`
	AmountMinor int64  `json:"amount_minor"`
}

// Postings are booked together or not at all.
type Postings struct {
	Postings []Posting `json:"postings"`
}

// Booked is what POST /postings answers.
type Booked struct {
	Booked  int `json:"booked"`
	Repeats int `json:"repeats"` // had been booked before
}

func (s *Service) post(w http.ResponseWriter, r *http.Request) {
	var p Postings
	if err := control.ReadJSON(r, &p); err != nil {
		control.Refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	entries := make([]book.Entry, len(p.Postings))
	for i, each := range p.Postings {
		if each.Order == "" {
			control.Refuse(w, http.StatusUnprocessableEntity, "a posting names its order")
			return
		}
		entries[i] = book.Entry{Order: each.Order, Amount: each.AmountMinor}
	}
	repeats, err := s.book.Take(r.Context(), entries...)
	switch {
	case errors.Is(err, book.ErrOther):
		control.Refuse(w, http.StatusUnprocessableEntity, err.Error())
	case err != nil:
		control.Refuse(w, http.StatusInternalServerError, err.Error())
	default:
		control.WriteJSON(w, http.StatusOK, Booked{Booked: len(entries) - repeats, Repeats: repeats})
	}
}

// posting answers GET /postings?order=, with 404 for an order that was not posted.
func (s *Service) posting(w http.ResponseWriter, r *http.Request) {
	order := r.FormValue("order")
	amount, known, err := s.book.Of(r.Context(), order)
	switch {
	case err != nil:
		control.Refuse(w, http.StatusInternalServerError, err.Error())
	case !known:
		control.Refuse(w, http.StatusNotFound, "this order was not posted")
	default:
		control.WriteJSON(w, http.StatusOK, Posting{Order: order, AmountMinor: amount})
	}
}

// Status is what GET /status answers.
type Status struct {
	Posted     int64 `json:"posted"` // orders
	MoneyMinor int64 `json:"money_minor"`
	Repeats    int64 `json:"repeats"` // refused
}

func (s *Service) status(w http.ResponseWriter, r *http.Request) {
	t, err := s.book.Totals(r.Context())
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, Status{Posted: t.Orders, MoneyMinor: t.Amount, Repeats: t.Repeats})
}

func (s *Service) healthz(w http.ResponseWriter, r *http.Request) {
	if _, _, err := s.book.Of(r.Context(), ""); err != nil {
		control.Refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
