package tax

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync/atomic"

	"keyholder/demo/shop/book"
	"keyholder/demo/shop/control"
)

// Config is what the tax engine needs.
type Config struct {
	Dir    string
	Listen string
	Broken func() control.PartBreaks
	Holds  *control.Holds
	Ready  func()
}

// Service is the tax engine.
type Service struct {
	cfg      Config
	book     *book.Book // of the orders that were recalculated
	answered atomic.Int64
	nonsense atomic.Int64
}

// New checks the configuration.
func New(cfg Config) (*Service, error) {
	if cfg.Dir == "" || cfg.Listen == "" || cfg.Broken == nil || cfg.Holds == nil {
		return nil, errors.New("tax: a folder, an address, its breaks and holds are needed")
	}
	return &Service{cfg: cfg}, nil
}

// Run serves until ctx ends.
func (s *Service) Run(ctx context.Context) (err error) {
	if s.book, err = book.Open(ctx, filepath.Join(s.cfg.Dir, "tax.db")); err != nil {
		return fmt.Errorf("tax: %w", err)
	}
	defer func() { err = errors.Join(err, s.book.Close()) }()
	return control.Serve(ctx, "tax", s.cfg.Listen, s.routes(), s.cfg.Ready)
}

func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tax", s.compute)
	mux.HandleFunc("GET /recalculations", s.recalculation)
	mux.HandleFunc("GET /status", s.status)
	mux.HandleFunc("GET /healthz", s.healthz)
	return s.cfg.Holds.Middleware(control.Late(func() bool { return s.cfg.Broken().Slow }, s.orGarbage(mux)))
}

// garbage is none of it JSON that says ok, nor a tax that can be.
func garbage() []string {
	return []string{
		`{"tax_minor":-4200,"status":"fine?"}`, `<html>502 Bad Gateway`, `{"tax_minor":99999999999,"status":"?"}`,
		`{"tax_minor":"a lot","status":7}`, `{"status":{}}`, ``,
	}
}

// orGarbage has everything answered with 200 and nonsense, of each kind in turn, and on the questions after the engine's
// health with what is no JSON at all.
func (s *Service) orGarbage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.cfg.Broken().Garbage {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		kinds := garbage()
		nonsense := kinds[s.nonsense.Add(1)%int64(len(kinds))]
		if r.Method == http.MethodGet {
			nonsense = "\x00\x1f{status: ok"
		}
		_, _ = w.Write([]byte(nonsense))
	})
}

// Question is what POST /tax takes. With an order, which is known by its purchase's key, the answer is remembered: the
// order has been recalculated.
type Question struct {
	SKU      string `json:"sku"`
	NetMinor int64  `json:"net_minor"`
	Order    string `json:"order,omitempty"`
}

// Answer has no TaxMinor if the engine did not say it.
type Answer struct {
	TaxMinor *int64 `json:"tax_minor"`
}

func (s *Service) compute(w http.ResponseWriter, r *http.Request) {
	var q Question
	if err := control.ReadJSON(r, &q); err != nil {
		control.Refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if q.SKU == "" || q.NetMinor < 0 {
		control.Refuse(w, http.StatusUnprocessableEntity, "sku and net_minor, not less than 0, are needed")
		return
	}
	due := at(rateOf(q.SKU), q.NetMinor)
	if q.Order != "" {
		_, err := s.book.Take(r.Context(), book.Entry{Order: q.Order, Amount: due})
		if errors.Is(err, book.ErrOther) {
			control.Refuse(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		if err != nil {
			control.Refuse(w, http.StatusInternalServerError, err.Error())
			return
		}
	}
	s.answered.Add(1)
	control.WriteJSON(w, http.StatusOK, Answer{TaxMinor: &due})
}

// recalculation answers GET /recalculations?order=, with 404 for an order that was not recalculated.
func (s *Service) recalculation(w http.ResponseWriter, r *http.Request) {
	due, known, err := s.book.Of(r.Context(), r.FormValue("order"))
	switch {
	case err != nil:
		control.Refuse(w, http.StatusInternalServerError, err.Error())
	case !known:
		control.Refuse(w, http.StatusNotFound, "this order was not recalculated")
	default:
		control.WriteJSON(w, http.StatusOK, Answer{TaxMinor: &due})
	}
}

// Status is what GET /status answers.
type Status struct {
	Answered     int64 `json:"answered"`     // questions, since the engine started
	Recalculated int64 `json:"recalculated"` // orders
	Repeats      int64 `json:"repeats"`      // of recalculations
}

func (s *Service) status(w http.ResponseWriter, r *http.Request) {
	t, err := s.book.Totals(r.Context())
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, Status{Answered: s.answered.Load(), Recalculated: t.Orders, Repeats: t.Repeats})
}

func (s *Service) healthz(w http.ResponseWriter, r *http.Request) {
	if _, _, err := s.book.Of(r.Context(), ""); err != nil {
		control.Refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
