package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyholder/demo/retailer"
	"keyholder/internal/access"
	"keyholder/internal/app"
	"keyholder/internal/approval"
	"keyholder/internal/bundle"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// incident gives the database the demo's shop, a past, and an incident: one run that was carried out by the store's own
// methods, and as many like it as are wanted; then checkout fails, and a request waits for a decision.
func (s *site) incident(ctx context.Context, db *sql.DB) error {
	if err := s.shop(ctx); err != nil {
		return err
	}
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
	if err := s.collapse(ctx); err != nil {
		return err
	}
	in, err := s.store.OpenIncident(ctx, ines, store.Incident{
		ID: store.NewID(), Title: "Checkout has collapsed", Cause: failover.CauseSite, Services: []string{"checkout"},
		ImpactAt: s.store.Now(), ImpactSource: "Checkout success",
	})
	if err != nil {
		return err
	}
	s.waits, err = s.file(ctx, ines, in.Code)
	return err
}

// shop puts the demo's catalogue in force.
func (s *site) shop(ctx context.Context) error {
	const nowhere = "127.0.0.1:1"
	body, err := retailer.Catalog(retailer.Addresses{
		Leeds: nowhere, Dublin: nowhere, Lease: nowhere, TrafficAdmin: nowhere, DNS: nowhere, Panel: nowhere, TSIGFile: "/nowhere", OperationsRoom: "/nowhere", Flags: nowhere, Loyalty: nowhere, Tax: nowhere, ERP: nowhere, Identity: nowhere,
	})
	if err != nil {
		return err
	}
	b, err := bundle.Read([]bundle.File{{Name: "catalog.yaml", Body: body}}, bundle.Context{Kinds: app.Connectors()})
	if err != nil {
		return err
	}
	_, err = s.store.Apply(ctx, access.Person{ID: "bench", Name: "bench"}, b, store.Manner{})
	return err
}

// collapse is what the signals show of a site that is down.
func (s *site) collapse(ctx context.Context) error {
	now := s.store.Now()
	since := now.Add(-time.Minute)
	signal := func(slug string, value, usual float64) failover.Reading {
		return failover.Reading{Key: failover.SignalKey(slug), Source: "bench", Value: value, Usual: usual, At: now, Bad: true, BadSince: &since}
	}
	copyAt := func(site string, at failover.Position) failover.Reading {
		return failover.Reading{Key: failover.PositionKey("orders", site), Source: "bench", Position: &at, At: now}
	}
	return s.store.SaveReadings(ctx, []failover.Reading{
		signal("checkout-success", 0, 1), signal("checkout-volume", 0, 10),
		copyAt("leeds", failover.Position{Newest: 9001, NewestAt: since, Writer: true}),
		copyAt("dublin", failover.Position{Newest: 8990, NewestAt: since, LagRecords: 11, LagSeconds: 1.1}),
	})
}

// goOn changes what pages show while they are measured, as often as the worker does, until ctx ends.
func (s *site) goOn(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := s.collapse(ctx)
		if err == nil && n%2 == 0 {
			err = s.store.RefreshSheet(ctx, s.waits)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}

func (s *site) file(ctx context.Context, by access.Principal, incident string) (failover.Request, error) {
	return s.filed(ctx, by, incident, "move-checkout")
}

// asks files a request without an incident.
func (s *site) asks(ctx context.Context, by access.Principal, plan string) (failover.Request, error) {
	return s.filed(ctx, by, "", plan)
}

func (s *site) filed(ctx context.Context, by access.Principal, incident, plan string) (failover.Request, error) {
	terms, err := s.store.TermsNow(ctx, failover.Terms{
		Plan: plan, From: "leeds", To: "dublin", Mode: failover.Emergency, Cause: failover.CauseSite,
		Ceiling: failover.Ceiling{Kind: failover.CeilingUnknown},
	}, s.store.Now())
	if err != nil {
		return failover.Request{}, err
	}
	situation, err := s.store.Situation(ctx, terms, s.store.Now())
	if err != nil {
		return failover.Request{}, err
	}
	return s.store.FileRequest(ctx, by, store.File{
		ID: store.NewID(), Incident: incident, Terms: terms, Reason: "bench", Impact: s.store.Now(), Sheet: situation.Facts(""),
	})
}

// oneRun carries a run to its end, step by step.
func (s *site) oneRun(ctx context.Context, ines, bea access.Principal) (string, error) {
	request, err := s.file(ctx, ines, "")
	if err != nil {
		return "", err
	}
	sheet, err := s.store.NewestSheet(ctx, request.ID)
	if err != nil {
		return "", err
	}
	if _, err := s.store.Decide(ctx, store.Vote{ID: store.NewID(), Code: request.Code, By: bea, Verdict: approval.Approve, Digest: request.Digest, Sheet: sheet.Digest}); err != nil {
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
