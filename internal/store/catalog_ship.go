package store

import (
	"context"
	"encoding/json"
	"fmt"

	"keyholder/ent"
	"keyholder/ent/catalogrecord"
	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
)

// Ship gives an empty database what every retailer begins with, and puts into today's form what an earlier build has kept.
func (s *Store) Ship(ctx context.Context) error {
	return s.act(ctx, audit.Worker, func(t *tx) error {
		newest, err := newestCatalog(t.ctx, t.Client())
		if err != nil {
			return err
		}
		if newest > 0 {
			return s.rolesAsAssignments(t)
		}
		var rows []newRecord
		for e := range catalog.Shipped().Entries() {
			row, err := recordOf(catalog.Change{Ref: e.Ref, Record: e.Record})
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		_, err = s.changeCatalog(t, "catalog.ship", CatalogChange{Why: "What Keyholder ships with"}, rows)
		return err
	})
}

// rolesAsAssignments makes assignments of the roles that the settings gave to groups before there were assignments.
func (s *Store) rolesAsAssignments(t *tx) error {
	stood, err := t.CatalogRecord.Query().Where(catalogrecord.Kind(string(catalog.KindSettings)), catalogrecord.UntilIsNil()).Only(t.ctx)
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load the settings: %w", err)
	}
	var old struct {
		Roles []struct {
			Group string      `json:"group"`
			Role  access.Role `json:"role"`
		} `json:"roles"`
	}
	if err := json.Unmarshal(stood.Body, &old); err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	if len(old.Roles) == 0 {
		return nil
	}
	settings, err := entryOf(stood)
	if err != nil {
		return err
	}
	changes := []catalog.Change{{Ref: settings.Ref, Record: settings.Record}}
	for i, claim := range old.Roles {
		a := catalog.Assignment{Slug: fmt.Sprintf("%s-%d", claim.Role, i+1), Name: claim.Role.Title() + ": " + claim.Group, Role: claim.Role, Group: claim.Group}
		changes = append(changes, catalog.Change{Ref: catalog.Ref{Kind: catalog.KindAssignment, Slug: a.Slug}, Record: a})
	}
	rows := make([]newRecord, len(changes))
	for i, c := range changes {
		if rows[i], err = recordOf(c); err != nil {
			return err
		}
		rows[i].stood, rows[i].managed, rows[i].locked = i == 0, stood.Managed, stood.Locked
	}
	_, err = s.changeCatalog(t, "catalog.upgrade", CatalogChange{Why: "Roles are records of their own"}, rows)
	return err
}
