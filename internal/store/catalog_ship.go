package store

import (
	"context"
	"fmt"

	"keyholder/ent"
	"keyholder/ent/catalogrecord"
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
			rows = append(rows, newRecord{Change: catalog.Change{Ref: e.Ref, Record: e.Record}})
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
	e, err := entryOf(stood)
	if err != nil {
		return err
	}
	settings, ok := e.Record.(catalog.Settings)
	if !ok || len(settings.Roles) == 0 {
		return nil
	}
	claims := settings.Roles
	settings.Roles = nil
	changes := []catalog.Change{{Ref: e.Ref, Record: settings}}
	for i, claim := range claims {
		a := catalog.Assignment{Slug: fmt.Sprintf("%s-%d", claim.Role, i+1), Name: claim.Role.Title() + ": " + claim.Group, Role: claim.Role, Group: claim.Group}
		changes = append(changes, catalog.Change{Ref: catalog.Ref{Kind: catalog.KindAssignment, Slug: a.Slug}, Record: a})
	}
	rows := make([]newRecord, len(changes))
	for i, c := range changes {
		rows[i] = newRecord{Change: c, stood: i == 0, managed: stood.Managed, locked: stood.Locked}
	}
	_, err = s.changeCatalog(t, "catalog.upgrade", CatalogChange{Why: "Roles are records of their own"}, rows)
	return err
}
