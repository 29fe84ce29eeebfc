package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// past1000 gives the database a past: one run that was carried out by the store's own methods, and as many like it as
// are wanted; and a request that waits.
func (s *site) past1000(ctx context.Context, db *sql.DB) error {
	ines, err := someone(ctx, s.store, "Ines")
	if err != nil {
		return err
	}
	bea, err := someone(ctx, s.store, "Bea")
	if err != nil {
		return err
	}
	if s.past, err = s.oneRun(ctx, ines, bea); err != nil {
		return err
	}
	if err := s.copies(ctx, db); err != nil {
		return err
	}
	request, err := s.file(ctx, ines)
	s.code = request.Code
	return err
}

func (s *site) file(ctx context.Context, by access.Principal) (failover.Request, error) {
	terms, err := s.store.TermsNow(ctx, failover.Terms{Plan: planOf(4), From: "leeds", To: "dublin", Mode: failover.Emergency, Cause: failover.CauseSite, Ceiling: failover.Ceiling{Kind: failover.CeilingUnknown}})
	if err != nil {
		return failover.Request{}, err
	}
	situation, err := s.store.Situation(ctx, terms, s.store.Now())
	if err != nil {
		return failover.Request{}, err
	}
	return s.store.FileRequest(ctx, by, store.File{
		ID: store.NewID(), Terms: terms, Reason: "bench", Lifetime: time.Hour, Impact: s.store.Now(), Sheet: situation.Facts(""),
	})
}

// oneRun carries a run to its end, step by step.
func (s *site) oneRun(ctx context.Context, ines, bea access.Principal) (string, error) {
	request, err := s.file(ctx, ines)
	if err != nil {
		return "", err
	}
	sheet, err := s.store.NewestSheet(ctx, request.ID)
	if err != nil {
		return "", err
	}
	if _, err := s.store.Decide(ctx, store.Vote{ID: store.NewID(), Code: request.Code, By: bea, Verdict: failover.Yes, Digest: request.Digest, Sheet: sheet.Digest}); err != nil {
		return "", err
	}
	next, err := s.store.Claim(ctx, request.Code)
	for err == nil && next.Do != failover.DoWatch {
		var attempt store.Attempt
		if attempt, err = s.store.Begin(ctx, request.Code, next.Step); err == nil {
			next, err = s.store.Succeed(ctx, attempt, "done", map[string]string{"seen": "all is well"}, nil)
		}
	}
	for _, kind := range []failover.ObligationKind{failover.Backlog, failover.Protection, failover.Books} {
		if err == nil {
			_, err = s.store.Saw(ctx, request.Code, kind, true, "met", nil, nil)
		}
	}
	return request.Code, err
}

// copies multiplies the run, its request, its votes and its lines of the record.
func (s *site) copies(ctx context.Context, db *sql.DB) error {
	var lines int64
	if err := db.QueryRowContext(ctx, `SELECT audit FROM heads`).Scan(&lines); err != nil {
		return err
	}
	const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?) `
	for table, unique := range map[string][]string{
		"requests": {"id", "code"}, "runs": {"id", "request_id", "code"}, "decisions": {"id", "request_id"}, "audit_events": {"object", "act"},
	} {
		names, values, err := columns(ctx, db, table, unique, lines)
		if err != nil {
			return err
		}
		query := fmt.Sprintf(`INSERT INTO %s (%s) %s SELECT %s FROM %s, n`, table, names, numbers, values, table)
		if _, err := db.ExecContext(ctx, query, pastRuns-1); err != nil {
			return fmt.Errorf("multiply %s: %w", table, err)
		}
	}
	_, err := db.ExecContext(ctx, `UPDATE heads SET audit = audit * ?`, pastRuns)
	return err
}

// columns lists a table's columns and what a copy has in each.
func columns(ctx context.Context, db *sql.DB, table string, unique []string, lines int64) (names, values string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT name FROM pragma_table_info(?)`, table)
	if err != nil {
		return "", "", err
	}
	var all, copied []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", "", err
		}
		value := table + ".`" + name + "`"
		switch {
		case table == "audit_events" && name == "id":
			value += fmt.Sprintf(" + n.i * %d", lines)
		case slices.Contains(unique, name):
			value += " || '-' || n.i"
		}
		all, copied = append(all, "`"+name+"`"), append(copied, value)
	}
	if err := rows.Err(); err != nil {
		return "", "", err
	}
	return strings.Join(all, ", "), strings.Join(copied, ", "), rows.Close()
}
