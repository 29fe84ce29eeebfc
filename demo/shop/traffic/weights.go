package traffic

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
)

const schema = `CREATE TABLE IF NOT EXISTS weights (
	id INTEGER PRIMARY KEY CHECK (id = 1), weights TEXT NOT NULL, version INTEGER NOT NULL)`

// weights is who gets how much; its version grows with each effective change.
type weights struct {
	Weights map[string]int `json:"weights"`
	Version int            `json:"version"`
}

// only sends everything to one of the sites.
func only(sites map[string]string, chosen string) map[string]int {
	all := make(map[string]int, len(sites))
	for slug := range sites {
		all[slug] = 0
	}
	all[chosen] = 100
	return all
}

// change is what an admin asks for: every site's weight, or one site to send everything to.
type change struct {
	Weights map[string]int `json:"weights"`
	Only    string         `json:"only"`
}

// of resolves the change to a weight for each site.
func (c change) of(sites map[string]string) (map[string]int, error) {
	if (c.Only == "") == (c.Weights == nil) {
		return nil, fmt.Errorf(`give either "weights" or "only"`)
	}
	if c.Only != "" {
		if _, known := sites[c.Only]; !known {
			return nil, fmt.Errorf("there is no site %q", c.Only)
		}
		return only(sites, c.Only), nil
	}
	for slug, weight := range c.Weights {
		if _, known := sites[slug]; !known {
			return nil, fmt.Errorf("there is no site %q", slug)
		}
		if weight < 0 || weight > 100 {
			return nil, fmt.Errorf("the weight of %s must be from 0 to 100, not %d", slug, weight)
		}
	}
	if len(c.Weights) != len(sites) {
		return nil, fmt.Errorf("every site needs a weight")
	}
	return c.Weights, nil
}

// row is satisfied by a database and by a transaction.
type row interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func load(ctx context.Context, from row) (weights, error) {
	var w weights
	var text string
	if err := from.QueryRowContext(ctx, `SELECT weights, version FROM weights WHERE id = 1`).Scan(&text, &w.Version); err != nil {
		return w, fmt.Errorf("read the weights: %w", err)
	}
	if err := json.Unmarshal([]byte(text), &w.Weights); err != nil {
		return w, fmt.Errorf("read the weights: %w", err)
	}
	return w, nil
}

// begin keeps the weights of a shop that has none yet.
func begin(ctx context.Context, db *sql.DB, first map[string]int) error {
	text, err := json.Marshal(first)
	if err != nil {
		return fmt.Errorf("write the first weights: %w", err)
	}
	_, err = db.ExecContext(ctx, `INSERT OR IGNORE INTO weights (id, weights, version) VALUES (1, ?, 1)`, string(text))
	if err != nil {
		return fmt.Errorf("keep the first weights: %w", err)
	}
	return nil
}

// put changes the weights within tx, and tells whether that changed anything.
func put(ctx context.Context, tx *sql.Tx, wanted map[string]int) (weights, bool, error) {
	now, err := load(ctx, tx)
	if err != nil || maps.Equal(now.Weights, wanted) {
		return now, false, err
	}
	text, err := json.Marshal(wanted)
	if err != nil {
		return now, false, fmt.Errorf("write the weights: %w", err)
	}
	next := weights{Weights: wanted, Version: now.Version + 1}
	if _, err = tx.ExecContext(ctx, `UPDATE weights SET weights = ?, version = ?`, string(text), next.Version); err != nil {
		return now, false, fmt.Errorf("keep the weights: %w", err)
	}
	return next, true, nil
}
