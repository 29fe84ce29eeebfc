package lease

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"keyholder/demo/shop/control"
)

const schema = `
CREATE TABLE IF NOT EXISTS permission (
	id INTEGER PRIMARY KEY CHECK (id = 1), allowed TEXT NOT NULL, epoch INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS intervals (
	id INTEGER PRIMARY KEY, site TEXT NOT NULL, epoch INTEGER NOT NULL,
	from_ns INTEGER NOT NULL, until_ns INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS intervals_by_site ON intervals (site, id);`

// What is counted as an effect.
const (
	revocations = "revocations"
	promotions  = "promotions"
)

// permission is who may hold the lease. An epoch belongs to one site for ever.
type permission struct {
	allowed string // empty while nobody may
	epoch   int64
}

// Interval is a time in which a site held the lease without a break.
type Interval struct {
	Site  string    `json:"site"`
	Epoch int64     `json:"epoch"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

func readPermission(ctx context.Context, tx *sql.Tx) (permission, error) {
	var p permission
	if err := tx.QueryRowContext(ctx, `SELECT allowed, epoch FROM permission`).Scan(&p.allowed, &p.epoch); err != nil {
		return permission{}, fmt.Errorf("read who may hold the lease: %w", err)
	}
	return p, nil
}

func writePermission(ctx context.Context, tx *sql.Tx, p permission) error {
	if _, err := tx.ExecContext(ctx, `UPDATE permission SET allowed = ?, epoch = ?`, p.allowed, p.epoch); err != nil {
		return fmt.Errorf("write who may hold the lease: %w", err)
	}
	return nil
}

// lastLease is the newest interval of the site; its Until is the zero time if it never had one.
func lastLease(ctx context.Context, tx *sql.Tx, site string) (id int64, last Interval, err error) {
	var from, until int64
	err = tx.QueryRowContext(ctx, `SELECT id, epoch, from_ns, until_ns FROM intervals WHERE site = ? ORDER BY id DESC LIMIT 1`, site).
		Scan(&id, &last.Epoch, &from, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, Interval{Site: site}, nil
	}
	if err != nil {
		return 0, Interval{}, fmt.Errorf("read the last lease of %s: %w", site, err)
	}
	last.Site, last.From, last.Until = site, time.Unix(0, from).UTC(), time.Unix(0, until).UTC()
	return id, last, nil
}

// extend renews the site's lease until the given time. A lease that ran out, or belongs to an earlier epoch, is followed
// by a new one.
func extend(ctx context.Context, tx *sql.Tx, site string, epoch int64, now, until time.Time) error {
	id, last, err := lastLease(ctx, tx, site)
	if err != nil {
		return err
	}
	if last.Epoch == epoch && now.Before(last.Until) {
		_, err = tx.ExecContext(ctx, `UPDATE intervals SET until_ns = ? WHERE id = ?`, until.UnixNano(), id)
	} else {
		_, err = tx.ExecContext(ctx, `INSERT INTO intervals (site, epoch, from_ns, until_ns) VALUES (?, ?, ?, ?)`,
			site, epoch, now.UnixNano(), until.UnixNano())
	}
	if err != nil {
		return fmt.Errorf("extend the lease of %s: %w", site, err)
	}
	return nil
}

// revoke takes the right away from the site, if it has it. Its lease still runs to its end.
func revoke(ctx context.Context, tx *sql.Tx, site string) error {
	p, err := readPermission(ctx, tx)
	if err != nil || p.allowed != site {
		return err
	}
	p.allowed = ""
	if err := writePermission(ctx, tx, p); err != nil {
		return err
	}
	return control.Count(ctx, tx, revocations)
}

// grant gives the right to the site in a new epoch, if it does not have it already. It returns the site that is in the
// way: one that has the right, or whose lease has not certainly run out.
func grant(ctx context.Context, tx *sql.Tx, sites []string, site string, now time.Time) (inTheWay string, err error) {
	p, err := readPermission(ctx, tx)
	if err != nil || p.allowed == site {
		return "", err
	}
	for _, other := range sites {
		if other == site {
			continue
		}
		_, last, err := lastLease(ctx, tx, other)
		if err != nil {
			return "", err
		}
		if p.allowed == other || now.Before(last.Until) {
			return other, nil
		}
	}
	if err := writePermission(ctx, tx, permission{allowed: site, epoch: p.epoch + 1}); err != nil {
		return "", err
	}
	return "", control.Count(ctx, tx, promotions)
}
