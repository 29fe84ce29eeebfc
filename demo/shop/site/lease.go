package site

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"keyholder/demo/shop/lease"
)

// leaseHeld is what the site knows of its lease. It lives in memory only: a site that starts anew has no lease until it
// is granted one.
type leaseHeld struct {
	mu      sync.Mutex
	epoch   int64
	until   time.Time // by the monotonic clock
	allowed string    // who may write, as last heard
	known   int64     // the newest epoch heard of
}

// live tells whether the lease may be used now. Both clocks must agree: the monotonic one does not see a suspended
// machine, the wall clock can be set back.
func (l *leaseHeld) live(now time.Time) (epoch int64, live bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.epoch, l.epoch > 0 && now.Before(l.until) && now.Round(0).Before(l.until.Round(0))
}

func (l *leaseHeld) granted(self string, epoch int64, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch, l.until, l.allowed, l.known = epoch, until, self, max(l.known, epoch)
}

func (l *leaseHeld) refused(allowed string, epoch int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch, l.until, l.allowed, l.known = 0, time.Time{}, allowed, max(l.known, epoch)
}

func (l *leaseHeld) heard() (allowed string, epoch int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.allowed, l.known
}

// keepLease renews the lease three times in its life. A site that has none asks more often, because a promotion waits
// for it.
func (s *Site) keepLease(ctx context.Context) {
	for {
		wait := s.pace.TTL / 6
		if err := s.renew(ctx); err != nil {
			s.cfg.Log.Debug("lease not renewed", "site", s.cfg.Slug, "error", err)
		}
		if _, live := s.lease.live(time.Now()); live {
			wait = s.pace.TTL / 3
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

// renew counts the lease from before it asked, so that it ends here before it ends at the lease service.
func (s *Site) renew(ctx context.Context) error {
	asked := time.Now()
	renewal, err := s.askForLease(ctx)
	if err != nil {
		return err
	}
	if !renewal.Granted {
		s.lease.refused(renewal.Allowed, renewal.Epoch)
		return nil
	}
	if err := s.promote(ctx, renewal.Epoch); err != nil {
		return err
	}
	ttl := time.Duration(renewal.TTLMS) * time.Millisecond
	s.lease.granted(s.cfg.Slug, renewal.Epoch, asked.Add(ttl-s.pace.margin()))
	return nil
}

func (s *Site) askForLease(ctx context.Context) (lease.Renewal, error) {
	ctx, cancel := context.WithTimeout(ctx, s.pace.TTL/3)
	defer cancel()
	body, err := json.Marshal(map[string]string{"site": s.cfg.Slug})
	if err != nil {
		return lease.Renewal{}, fmt.Errorf("ask for the lease: %w", err)
	}
	var renewal lease.Renewal
	status, err := s.call(ctx, http.MethodPost, "http://"+s.cfg.Lease+"/lease/renew", body, &renewal)
	if err != nil {
		return lease.Renewal{}, fmt.Errorf("ask for the lease: %w", err)
	}
	if status != http.StatusOK && status != http.StatusForbidden {
		return lease.Renewal{}, fmt.Errorf("ask for the lease: the lease service answered %d", status)
	}
	return renewal, nil
}

// promote begins a new epoch of this site where its log ends now. Whatever is copied from the old writer after this
// transaction is refused.
func (s *Site) promote(ctx context.Context, epoch int64) error {
	known, err := readSelf(ctx, s.db)
	if err != nil || known.epoch >= epoch {
		return err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		return change(ctx, tx, `epoch = ?, accepted = 0, first_accepted_ns = 0, draining = 0, following = ''`, epoch)
	})
	if err != nil {
		return fmt.Errorf("begin epoch %d: %w", epoch, err)
	}
	s.cfg.Log.Info("site promoted", "site", s.cfg.Slug, "epoch", epoch)
	return nil
}

// call sends JSON and reads the JSON of a 200 or 403; of other answers it tells the status.
func (s *Site) call(ctx context.Context, method, url string, body []byte, answer any) (int, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusForbidden {
		return response.StatusCode, nil
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return 0, fmt.Errorf("read the answer of %s: %w", url, err)
	}
	return response.StatusCode, nil
}

// pause waits, and tells false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
