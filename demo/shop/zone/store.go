package zone

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/miekg/dns"

	"keyholder/demo/shop/control"
)

const schema = `
CREATE TABLE IF NOT EXISTS records (line TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS zone (id INTEGER PRIMARY KEY CHECK (id = 1), serial INTEGER NOT NULL, changes INTEGER NOT NULL);`

// content is all that the zone's file holds.
type content struct {
	records records
	serial  uint32
	changes int // that had an effect, since the shop was made
}

// load reads the zone; a new file gets what a new shop serves.
func load(ctx context.Context, db *sql.DB, fresh records) (content, error) {
	var c content
	err := db.QueryRowContext(ctx, `SELECT serial, changes FROM zone WHERE id = 1`).Scan(&c.serial, &c.changes)
	if errors.Is(err, sql.ErrNoRows) {
		c = content{records: fresh, serial: 1}
		return c, save(ctx, db, c)
	}
	if err != nil {
		return c, fmt.Errorf("read the zone: %w", err)
	}
	rows, err := db.QueryContext(ctx, `SELECT line FROM records ORDER BY line`)
	if err != nil {
		return c, fmt.Errorf("read the zone's records: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return c, fmt.Errorf("read a record: %w", err)
		}
		rr, err := dns.NewRR(line)
		if err != nil {
			return c, fmt.Errorf("read the record %q: %w", line, err)
		}
		c.records = append(c.records, rr)
	}
	return c, rows.Err()
}

// save replaces the zone as a whole: what was acknowledged before a kill is there after it, and nothing of a half.
func save(ctx context.Context, db *sql.DB, c content) error {
	return control.InTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM records`); err != nil {
			return fmt.Errorf("empty the zone: %w", err)
		}
		for _, line := range c.records.text() {
			if _, err := tx.ExecContext(ctx, `INSERT INTO records (line) VALUES (?)`, line); err != nil {
				return fmt.Errorf("write the record %q: %w", line, err)
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO zone (id, serial, changes) VALUES (1, ?, ?)
			ON CONFLICT (id) DO UPDATE SET serial = excluded.serial, changes = excluded.changes`, c.serial, c.changes)
		if err != nil {
			return fmt.Errorf("write the zone's serial: %w", err)
		}
		return nil
	})
}
