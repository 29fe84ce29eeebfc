package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

var (
	errForked   = errors.New("the logs have forked")
	errPromoted = errors.New("the site was promoted meanwhile")
)

func noLag() time.Duration { return 0 }

// sourceSeen is how the last look at the source went.
type sourceSeen struct {
	mu        sync.Mutex
	reachable bool
}

func (s *sourceSeen) set(reachable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reachable = reachable
}

func (s *sourceSeen) get() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reachable
}

// keepFollowing copies the writer's log while this site is not the writer.
func (s *Site) keepFollowing(ctx context.Context) {
	for {
		wait := s.pace.Pull
		err := s.followOnce(ctx)
		s.source.set(err == nil)
		if err != nil {
			s.cfg.Log.Debug("replication", "site", s.cfg.Slug, "error", err)
			wait *= 2
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

// followOnce looks at the log of the site that may write, or, while nobody may, of the one followed so far: an old
// writer that was drained or fenced still gives what it has.
func (s *Site) followOnce(ctx context.Context) error {
	if _, live := s.lease.live(time.Now()); live {
		return nil
	}
	me, err := readSelf(ctx, s.db)
	if err != nil {
		return err
	}
	source, _ := s.lease.heard()
	if source == s.cfg.Slug {
		return nil
	}
	if source == "" {
		source = me.following
	}
	if source == "" {
		return errors.New("nobody to follow")
	}
	err = s.pull(ctx, source, me)
	if errors.Is(err, errForked) {
		return s.rejoin(ctx, source, me)
	}
	return err
}

func (s *Site) pull(ctx context.Context, source string, me self) error {
	at, err := head(ctx, s.db)
	if err != nil {
		return err
	}
	piece, err := s.ask(ctx, source, at)
	if err != nil {
		return err
	}
	if piece.nothingNew(me, source) && !s.postedBehind(ctx, piece.PostedThrough) && !s.owedBehind(ctx, piece.Drains) {
		return nil
	}
	return s.write(ctx, func(tx *sql.Tx) error { return s.take(ctx, tx, piece, at, me.epoch) })
}

func (e extract) nothingNew(me self, source string) bool {
	return len(e.Orders) == 0 && me.following == source && me.heardSeq == e.HeadSeq
}

// postedBehind tells whether orders are marked here as not posted that the source has posted.
func (s *Site) postedBehind(ctx context.Context, through int64) bool {
	var behind bool
	err := s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM orders WHERE posted = 0 AND seq <= ?)`, through).
		Scan(&behind)
	return err != nil || behind
}

func (s *Site) ask(ctx context.Context, source string, at position) (extract, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	until := time.Now().Add(-s.cfg.Lag()).UnixNano()
	if s.cfg.Frozen() {
		until = 0
	}
	query := url.Values{
		"after": {strconv.FormatInt(at.seq, 10)},
		"epoch": {strconv.FormatInt(at.epoch, 10)},
		"until": {strconv.FormatInt(until, 10)},
	}
	var piece extract
	status, err := s.call(ctx, http.MethodGet, s.peer(source)+"/replication?"+query.Encode(), nil, &piece)
	switch {
	case err != nil:
		return extract{}, fmt.Errorf("copy from %s: %w", source, err)
	case status == http.StatusConflict:
		return extract{}, errForked
	case status != http.StatusOK:
		return extract{}, fmt.Errorf("copy from %s: it answered %d", source, status)
	}
	return piece, nil
}

func (s *Site) peer(slug string) string { return "http://" + s.cfg.Peers[slug] }

// take appends what was copied. It refuses when this site was promoted, or its log grew, since it asked.
func (s *Site) take(ctx context.Context, tx *sql.Tx, piece extract, asked position, epoch int64) error {
	me, err := s.stillFollower(ctx, tx, asked, epoch)
	if err != nil {
		return err
	}
	for i, o := range piece.Orders {
		if o.Seq != asked.seq+int64(i)+1 {
			return fmt.Errorf("copy from %s: order %d came where %d belongs", piece.Site, o.Seq, asked.seq+int64(i)+1)
		}
		if err := insertOrder(ctx, tx, o); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE orders SET posted = 1 WHERE posted = 0 AND seq <= ?`, piece.PostedThrough)
	if err != nil {
		return fmt.Errorf("mark what was posted: %w", err)
	}
	if err := takeDrains(ctx, tx, piece.Drains, time.Now()); err != nil {
		return err
	}
	if me.following == "" {
		return change(ctx, tx, `following = ?, heard_seq = ?, last_fork = 0`, piece.Site, piece.HeadSeq)
	}
	return change(ctx, tx, `following = ?, heard_seq = ?`, piece.Site, piece.HeadSeq)
}

func (s *Site) stillFollower(ctx context.Context, tx *sql.Tx, asked position, epoch int64) (self, error) {
	me, err := readSelf(ctx, tx)
	if err != nil {
		return self{}, err
	}
	at, err := head(ctx, tx)
	if err != nil {
		return self{}, err
	}
	if _, live := s.lease.live(time.Now()); live || me.epoch != epoch || at.seq != asked.seq || at.epoch != asked.epoch {
		return self{}, errPromoted
	}
	return me, nil
}
