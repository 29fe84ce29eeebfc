package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/incident"
	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// Incident is what went wrong, as people stated it and signals showed it.
type Incident struct {
	ID           string
	Code         string // IN-4X2P
	Title        string
	Cause        failover.Cause
	Services     []string
	ImpactAt     time.Time
	ImpactSource string // the signal that it was taken from, or the person who stated it
	Commander    access.Person
	OpenedAt     time.Time
	ClosedAt     *time.Time
}

func incidentOf(row *ent.Incident) Incident {
	return Incident{
		ID: row.ID, Code: row.Code, Title: row.Title, Cause: row.Cause, Services: row.Services, ImpactAt: row.ImpactAt.UTC(),
		ImpactSource: row.ImpactSource, Commander: access.Person{ID: row.CommanderID, Name: row.CommanderName},
		OpenedAt: row.OpenedAt.UTC(), ClosedAt: utc(row.ClosedAt),
	}
}

// OpenIncident records a new incident under its act's id, so that a doubled click opens one.
func (s *Store) OpenIncident(ctx context.Context, by access.Principal, in Incident) (Incident, error) {
	var opened Incident
	err := s.personal(ctx, by.Person(), "incident.open", "incident", func(t *tx) error {
		if row, err := t.Incident.Get(ctx, in.ID); err == nil {
			opened = incidentOf(row)
			return nil
		} else if !ent.IsNotFound(err) {
			return fmt.Errorf("look up incident: %w", err)
		}
		row, err := t.Incident.Create().SetID(in.ID).SetCode(newCode("IN")).SetTitle(in.Title).SetCause(in.Cause).
			SetServices(in.Services).SetImpactAt(in.ImpactAt).SetImpactSource(in.ImpactSource).
			SetCommanderID(by.ID).SetCommanderName(by.Name).SetOpenedAt(t.now).Save(ctx)
		if err != nil {
			return fmt.Errorf("save incident: %w", err)
		}
		opened = incidentOf(row)
		t.record(audit.Event{
			Action: "incident.open", Object: opened.Code, Detail: detail(opened),
			Text: fmt.Sprintf("%s opened %s: %s. Impact since %s, from %s.", by.Name, opened.Code, opened.Title, opened.ImpactAt.Format(time.RFC3339), opened.ImpactSource),
		})
		return nil
	})
	return opened, err
}

// CloseIncident ends an incident that has nothing open any more.
func (s *Store) CloseIncident(ctx context.Context, by access.Principal, code string) error {
	return s.personal(ctx, by.Person(), "incident.close", code, func(t *tx) error {
		row, err := t.Incident.Query().Where(incident.Code(code)).Only(ctx)
		if ent.IsNotFound(err) {
			return fault.Missing("incident", code)
		}
		if err != nil {
			return fmt.Errorf("load incident %s: %w", code, err)
		}
		if row.ClosedAt != nil {
			return fault.Late("state", "%s was closed at %s.", code, row.ClosedAt.UTC().Format("15:04:05 UTC"))
		}
		if err := t.nothingOpen(code); err != nil {
			return err
		}
		n, err := t.Incident.Update().Where(incident.ID(row.ID), incident.Revision(row.Revision)).
			SetClosedAt(t.now).SetRevision(row.Revision + 1).Save(ctx)
		if err != nil {
			return fmt.Errorf("close incident %s: %w", code, err)
		}
		if n == 0 {
			return errStale
		}
		t.record(audit.Event{Action: "incident.close", Object: code, Text: fmt.Sprintf("%s closed %s.", by.Name, code)})
		return nil
	})
}

// Incident loads one incident by its code.
func (s *Store) Incident(ctx context.Context, code string) (Incident, error) {
	return readOnce(ctx, "incident "+code, func() (Incident, error) {
		row, err := s.client.Incident.Query().Where(incident.Code(code)).Only(ctx)
		if ent.IsNotFound(err) {
			return Incident{}, fault.Missing("incident", code)
		}
		if err != nil {
			return Incident{}, fmt.Errorf("load incident %s: %w", code, err)
		}
		return incidentOf(row), nil
	})
}

// OpenIncidents loads the incidents that are not closed, newest first.
func (s *Store) OpenIncidents(ctx context.Context) ([]Incident, error) {
	return readOnce(ctx, "open incidents", func() ([]Incident, error) {
		rows, err := s.client.Incident.Query().Where(incident.ClosedAtIsNil()).Order(incident.ByOpenedAt(sql.OrderDesc())).Limit(50).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load incidents: %w", err)
		}
		incidents := make([]Incident, len(rows))
		for i, row := range rows {
			incidents[i] = incidentOf(row)
		}
		return incidents, nil
	})
}

// codeLetters are those that nobody mistakes for another when they are read out.
const codeLetters = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

// newCode makes a short code to read out on a call, such as FO-7Q4M9K. A unique key in the database catches the rare
// code that is taken, and the act starts over with another.
func newCode(prefix string) string {
	var raw [6]byte
	_, _ = rand.Read(raw[:]) // never fails, says its documentation
	code := make([]byte, len(raw))
	for i, b := range raw {
		code[i] = codeLetters[int(b)%len(codeLetters)]
	}
	return prefix + "-" + string(code)
}
