package flags

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// The flags there are.
const (
	LoyaltyDeferred = "loyalty-deferred" // points are queued, not credited while the customer waits
	StandardTax     = "standard-tax"     // tax is taken at the standard rate and recalculated later
	ERPQueued       = "erp-queued"       // orders are not posted for the time being
	StoresOffline   = "stores-offline"   // outlets sell from their journals
	SellingStopped  = "selling-stopped"  // neither checkout nor the outlets sell
)

// Names of all flags, in the order in which they are shown.
func Names() []string {
	return []string{LoyaltyDeferred, StandardTax, ERPQueued, StoresOffline, SellingStopped}
}

// Whom a flag is for.
const (
	All  = "all"
	Test = "test" // purchases of the tenant of that name only
)

// Flag is one switch as it stands.
type Flag struct {
	Name      string     `json:"name"`
	On        bool       `json:"on"`
	Scope     string     `json:"scope"`
	ChangedAt *time.Time `json:"changed_at"` // null if it was never changed
	ChangedBy string     `json:"changed_by"`
	Period    int64      `json:"period"`   // how often it has been switched on
	OnSince   *time.Time `json:"on_since"` // when it was last switched on, whether or not it is on
}

// Covers tells whether the flag is on for a tenant's purchases.
func (f Flag) Covers(tenant string) bool { return f.On && (f.Scope == All || f.Scope == tenant) }

const columns = `name, is_on, scope, changed_ns, changed_by, period, on_since_ns`

// tableOf makes the same table for the service and for those who listen to it.
func tableOf(name string) string {
	return `CREATE TABLE IF NOT EXISTS ` + name + ` (
	name TEXT PRIMARY KEY, is_on INTEGER NOT NULL, scope TEXT NOT NULL, changed_ns INTEGER NOT NULL, changed_by TEXT NOT NULL,
	period INTEGER NOT NULL, on_since_ns INTEGER NOT NULL)`
}

type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// read gives every flag, those that were never written as they begin.
func read(ctx context.Context, q queryer, table string) ([]Flag, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM `+table) // #nosec G202 -- table is a constant of this package
	if err != nil {
		return nil, fmt.Errorf("read the flags: %w", err)
	}
	defer func() { _ = rows.Close() }()
	all := make([]Flag, len(Names()))
	for i, name := range Names() {
		all[i] = Flag{Name: name, Scope: All}
	}
	for rows.Next() {
		var f Flag
		var changed, since int64
		if err := rows.Scan(&f.Name, &f.On, &f.Scope, &changed, &f.ChangedBy, &f.Period, &since); err != nil {
			return nil, fmt.Errorf("read a flag: %w", err)
		}
		f.ChangedAt, f.OnSince = timeOf(changed), timeOf(since)
		if i := slices.Index(Names(), f.Name); i >= 0 {
			all[i] = f
		}
	}
	return all, rows.Err()
}

func write(ctx context.Context, e execer, table string, f Flag) error {
	_, err := e.ExecContext(ctx, `INSERT INTO `+table+` (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET is_on = excluded.is_on, scope = excluded.scope, changed_ns = excluded.changed_ns,
			changed_by = excluded.changed_by, period = excluded.period, on_since_ns = excluded.on_since_ns`, // #nosec G202 -- as above
		f.Name, f.On, f.Scope, nsOf(f.ChangedAt), f.ChangedBy, f.Period, nsOf(f.OnSince))
	if err != nil {
		return fmt.Errorf("write flag %s: %w", f.Name, err)
	}
	return nil
}

func timeOf(ns int64) *time.Time {
	if ns == 0 {
		return nil
	}
	t := time.Unix(0, ns).UTC()
	return &t
}

func nsOf(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixNano()
}
