package traffic

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/recent"
)

const changed = "weight_changes"

type admin struct {
	manager *Manager
	db      *sql.DB
	ledger  *control.Ledger
	order   sync.Mutex // so that the newest weights are the last to reach the balance
}

func newAdmin(ctx context.Context, m *Manager, db *sql.DB) (*admin, error) {
	ledger, err := control.NewLedger(ctx, db)
	if err != nil {
		return nil, err
	}
	return &admin{manager: m, db: db, ledger: ledger}, nil
}

func (a *admin) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /weights", a.weights)
	mux.HandleFunc("PUT /weights", a.put)
	mux.HandleFunc("GET /stats", a.stats)
	mux.HandleFunc("GET /effects", a.effects)
	for _, pattern := range []string{"GET /exposure/{flag}", "GET /queues", "GET /queues/{name}", "POST /admin/queues/{name}/drain"} {
		mux.Handle(pattern, a.relay())
	}
	return a.manager.cfg.Holds.Middleware(mux)
}

// refresh gives the weights on disk to the balance.
func (a *admin) refresh(ctx context.Context) error {
	a.order.Lock()
	defer a.order.Unlock()
	now, err := load(ctx, a.db)
	if err == nil {
		a.manager.balance.set(now.Weights)
	}
	return err
}

func (a *admin) weights(w http.ResponseWriter, r *http.Request) {
	now, err := load(r.Context(), a.db)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, now)
}

// put answers only once the new weights hold for the next customer. The caller no longer counts: weights that are on
// disk must also be those in use.
func (a *admin) put(w http.ResponseWriter, r *http.Request) {
	effect := a.ledger.Handle(a.change)
	late := &lateWriter{header: w.Header()}
	effect(late, r)
	if err := a.refresh(context.WithoutCancel(r.Context())); err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.WriteHeader(late.status)
	_, _ = w.Write(late.body.Bytes())
}

func (a *admin) change(ctx context.Context, tx *sql.Tx, body []byte) (control.Answer, error) {
	var asked change
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return control.Refusal(http.StatusBadRequest, "the weights cannot be read: "+err.Error()), nil
	}
	wanted, err := asked.of(a.manager.cfg.Sites)
	if err != nil {
		return control.Refusal(http.StatusUnprocessableEntity, err.Error()), nil
	}
	now, effective, err := put(ctx, tx, wanted)
	if err != nil {
		return control.Answer{}, err
	}
	if effective {
		if err := control.Count(ctx, tx, changed); err != nil {
			return control.Answer{}, err
		}
	}
	return control.Answer{Status: http.StatusOK, Body: now}, nil
}

// lateWriter keeps an answer until what it says has become true.
type lateWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (l *lateWriter) Header() http.Header         { return l.header }
func (l *lateWriter) WriteHeader(status int)      { l.status = status }
func (l *lateWriter) Write(p []byte) (int, error) { return l.body.Write(p) }

func (a *admin) effects(w http.ResponseWriter, r *http.Request) {
	counts, err := a.ledger.Effects(r.Context(), changed)
	if err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	control.WriteJSON(w, http.StatusOK, counts)
}

type stats struct {
	WindowSeconds float64                 `json:"window_seconds"`
	Requests      int                     `json:"requests"`
	Succeeded     int                     `json:"succeeded"`
	SuccessRatio  float64                 `json:"success_ratio"`
	PerSecond     float64                 `json:"per_second"`
	BySite        map[string]*siteNumbers `json:"by_site"`
}

type siteNumbers struct {
	Requests  int `json:"requests"`
	Succeeded int `json:"succeeded"`
}

func (a *admin) stats(w http.ResponseWriter, r *http.Request) {
	window, err := recent.Window(r.FormValue("window"))
	if err != nil {
		control.Refuse(w, http.StatusUnprocessableEntity, fmt.Sprintf("%v", err))
		return
	}
	control.WriteJSON(w, http.StatusOK, a.manager.stats(time.Now(), window))
}

func (m *Manager) stats(now time.Time, window time.Duration) stats {
	s := stats{WindowSeconds: window.Seconds(), BySite: map[string]*siteNumbers{}}
	for slug := range m.cfg.Sites {
		s.BySite[slug] = &siteNumbers{}
	}
	m.requests.Since(now.Add(-window), func(each request) {
		s.Requests++
		site := s.BySite[each.site]
		if site != nil {
			site.Requests++
		}
		if each.succeeded {
			s.Succeeded++
			site.Succeeded++
		}
	})
	s.SuccessRatio = recent.Ratio(s.Succeeded, s.Requests)
	s.PerSecond = float64(s.Requests) / window.Seconds()
	return s
}
