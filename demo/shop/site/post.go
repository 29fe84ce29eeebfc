package site

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"

	"keyholder/demo/shop/control"
)

// keepPosting hands accepted orders to fulfilment, in their order and at a bounded rate, while this site may write.
func (s *Site) keepPosting(ctx context.Context) {
	for pause(ctx, s.pace.Post) {
		if err := s.post(ctx); err != nil {
			s.cfg.Log.Debug("posting", "site", s.cfg.Slug, "error", err)
		}
	}
}

func (s *Site) post(ctx context.Context) error {
	if _, live := s.lease.live(time.Now()); !live || !s.postedBehind(ctx, 1<<62) {
		return nil
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE orders SET posted = 1
			WHERE seq IN (SELECT seq FROM orders WHERE posted = 0 ORDER BY seq LIMIT ?)`, s.pace.PostsPerTurn)
		if err != nil {
			return fmt.Errorf("post orders: %w", err)
		}
		if _, live := s.lease.live(time.Now()); !live {
			return errNoLease
		}
		return nil
	})
}

func (s *Site) setDraining(draining bool) control.Effect {
	return func(ctx context.Context, tx *sql.Tx, _ []byte) (control.Answer, error) {
		if err := change(ctx, tx, `draining = ?`, draining); err != nil {
			return control.Answer{}, err
		}
		return control.Answer{Status: http.StatusOK, Body: map[string]bool{"draining": draining}}, nil
	}
}
