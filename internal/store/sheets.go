package store

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/decision"
	"keyholder/ent/factsheet"
	"keyholder/ent/reading"
	"keyholder/internal/approval"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// sheetKept is how long a fact sheet that nobody voted on can still be voted on.
const sheetKept = 30 * time.Minute

// situation gathers what a fact sheet is made from.
func (s *Store) situation(ctx context.Context, c *ent.Client, terms failover.Terms, impact, now time.Time) (failover.Situation, error) {
	catalog, err := s.Catalog(ctx)
	if err != nil {
		return failover.Situation{}, err
	}
	plan, err := s.Plan(ctx, terms.Plan, terms.PlanVersion)
	if err != nil {
		return failover.Situation{}, err
	}
	readings, err := readingsOf(ctx, c)
	if err != nil {
		return failover.Situation{}, err
	}
	return failover.Situation{Catalog: catalog.Catalog, Plan: plan.What, Terms: terms, Readings: readings, Impact: impact, Now: now}, nil
}

// Situation gathers what a fact sheet about these terms is made from, as of now.
func (s *Store) Situation(ctx context.Context, terms failover.Terms, impact time.Time) (failover.Situation, error) {
	return s.situation(ctx, s.client, terms, impact, s.Now())
}

func (t *tx) saveSheet(requestID string, sheet failover.FactSheet) error {
	body, digest, err := sheet.Bytes()
	if err != nil {
		return err
	}
	err = t.FactSheet.Create().SetRequestID(requestID).SetDigest(digest).SetBody(body).SetMadeAt(t.now).Exec(t.ctx)
	if err != nil {
		return fmt.Errorf("save fact sheet: %w", err)
	}
	return nil
}

// RefreshSheet makes a new fact sheet for an open request, where something but the time has changed or the last is
// older than a few seconds, and drops old sheets that nobody voted on.
func (s *Store) RefreshSheet(ctx context.Context, r failover.Request) error {
	situation, err := s.Situation(ctx, r.Terms, r.Impact)
	if err != nil {
		return err
	}
	return s.act(ctx, nobody, func(t *tx) error {
		t.changed = true
		if err := t.saveSheet(r.ID, situation.Facts(r.Code)); err != nil {
			return err
		}
		return t.dropSheets(r.ID, t.now.Add(-sheetKept))
	})
}

// dropSheets drops the sheets of a request from before a moment that nobody voted on.
func (t *tx) dropSheets(requestID string, before time.Time) error {
	voted, err := t.Decision.Query().Where(decision.RequestID(requestID)).Select(decision.FieldSheet).Strings(t.ctx)
	if err != nil {
		return fmt.Errorf("find sheets that were voted on: %w", err)
	}
	_, err = t.FactSheet.Delete().Where(
		factsheet.RequestID(requestID), factsheet.MadeAtLT(before), factsheet.DigestNotIn(voted...)).Exec(t.ctx)
	if err != nil {
		return fmt.Errorf("drop old sheets: %w", err)
	}
	return nil
}

// KeptSheet is a fact sheet as it was kept, with the digest that votes name.
type KeptSheet struct {
	failover.FactSheet
	Digest string
	Body   []byte
}

// NewestSheet loads the sheet that approvers are shown now.
func (s *Store) NewestSheet(ctx context.Context, requestID string) (KeptSheet, error) {
	return readOnce(ctx, "newest sheet "+requestID, func() (KeptSheet, error) {
		row, err := s.client.FactSheet.Query().Where(factsheet.RequestID(requestID)).
			Order(factsheet.ByMadeAt(sql.OrderDesc())).First(ctx)
		if ent.IsNotFound(err) {
			return KeptSheet{}, fault.Missing("fact sheet of request", requestID)
		}
		if err != nil {
			return KeptSheet{}, fmt.Errorf("load fact sheet: %w", err)
		}
		return keptSheet(row)
	})
}

// SheetOf loads a sheet that was voted on, by its digest.
func (s *Store) SheetOf(ctx context.Context, requestID, digest string) (KeptSheet, error) {
	row, err := s.client.FactSheet.Query().Where(factsheet.RequestID(requestID), factsheet.Digest(digest)).Only(ctx)
	if ent.IsNotFound(err) {
		return KeptSheet{}, fault.Missing("fact sheet", digest)
	}
	if err != nil {
		return KeptSheet{}, fmt.Errorf("load fact sheet: %w", err)
	}
	return keptSheet(row)
}

func keptSheet(row *ent.FactSheet) (KeptSheet, error) {
	sheet, err := failover.ReadSheet(row.Body)
	if err != nil {
		return KeptSheet{}, err
	}
	if failover.SheetDigest(row.Body) != row.Digest {
		return KeptSheet{}, fmt.Errorf("fact sheet %s: its bytes do not have its digest", row.Digest)
	}
	return KeptSheet{FactSheet: sheet, Digest: row.Digest, Body: bytes.Clone(row.Body)}, nil
}

func sheetBy(ctx context.Context, c *ent.Client, requestID, digest string) (failover.FactSheet, error) {
	row, err := c.FactSheet.Query().Where(factsheet.RequestID(requestID), factsheet.Digest(digest)).Only(ctx)
	if ent.IsNotFound(err) {
		return failover.FactSheet{}, fault.Late(approval.RuleBound, "What you were shown is too old to vote on. The facts are shown again below.")
	}
	if err != nil {
		return failover.FactSheet{}, fmt.Errorf("load fact sheet: %w", err)
	}
	return failover.ReadSheet(row.Body)
}

func joined(lines []string) string { return strings.Join(lines, "; ") }

// Readings loads all that was last seen.
func (s *Store) Readings(ctx context.Context) (failover.Readings, error) {
	return readOnce(ctx, "readings", func() (failover.Readings, error) { return readingsOf(ctx, s.client) })
}

func readingsOf(ctx context.Context, c *ent.Client) (failover.Readings, error) {
	rows, err := c.Reading.Query().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load readings: %w", err)
	}
	readings := failover.Readings{}
	for _, row := range rows {
		readings[row.ID] = row.Body
	}
	return readings, nil
}

// SaveReadings keeps what was seen, where it is newer than what is there. Pages are told only where something turned
// good or bad, or a source began or ceased to answer: a number that moves is not news.
func (s *Store) SaveReadings(ctx context.Context, seen []failover.Reading) error {
	return s.act(ctx, nobody, func(t *tx) error {
		t.read = true
		kept, err := readingsOf(ctx, t.Client())
		if err != nil {
			return err
		}
		for _, r := range seen {
			before, there := kept[r.Key]
			t.changed = t.changed || !there || before.Bad != r.Bad || before.Stale() != r.Stale()
			if there && r.At.Before(before.At) {
				continue
			}
			err := t.Reading.Create().SetID(r.Key).SetBody(r).OnConflictColumns(reading.FieldID).UpdateNewValues().Exec(ctx)
			if err != nil {
				return fmt.Errorf("save reading %s: %w", r.Key, err)
			}
		}
		return nil
	})
}
