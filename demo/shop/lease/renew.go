package lease

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"time"

	"keyholder/demo/shop/control"
)

// Renewal is what POST /lease/renew answers. A site that may not write is told 403 and who may.
type Renewal struct {
	Granted   bool      `json:"granted"`
	Allowed   string    `json:"allowed"`
	Epoch     int64     `json:"epoch"`
	ExpiresAt time.Time `json:"expires_at"`
	TTLMS     int64     `json:"ttl_ms"`
}

func (s *Service) renew(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<10))
	if err != nil {
		control.Refuse(w, http.StatusBadRequest, "the request cannot be read")
		return
	}
	site, problem := s.order(body)
	if problem != "" {
		control.Refuse(w, http.StatusUnprocessableEntity, problem)
		return
	}
	var renewal Renewal
	err = control.InTx(r.Context(), s.db, func(tx *sql.Tx) (err error) {
		renewal, err = s.renewIn(r.Context(), tx, site)
		return err
	})
	switch {
	case err != nil:
		control.Refuse(w, http.StatusInternalServerError, fmt.Sprintf("renew the lease of %s: %v", site, err))
	case !renewal.Granted:
		control.WriteJSON(w, http.StatusForbidden, renewal)
	default:
		control.WriteJSON(w, http.StatusOK, renewal)
	}
}

// renewIn takes the time after the write lock was won, so that no lease begins earlier than a grant it depends on.
func (s *Service) renewIn(ctx context.Context, tx *sql.Tx, site string) (Renewal, error) {
	p, err := readPermission(ctx, tx)
	if err != nil {
		return Renewal{}, err
	}
	renewal := Renewal{Granted: p.allowed == site, Allowed: p.allowed, Epoch: p.epoch, TTLMS: s.cfg.TTL.Milliseconds()}
	if !renewal.Granted {
		return renewal, nil
	}
	now := s.now()
	renewal.ExpiresAt = now.Add(s.cfg.TTL)
	return renewal, extend(ctx, tx, site, p.epoch, now, renewal.ExpiresAt)
}
