package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"keyholder/ent"
	"keyholder/ent/catalogrecord"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
)

// Ship gives an empty database what every retailer begins with, and puts into today's form what an earlier build has kept.
// Where nobody administers it, the first administrator is whoever the settings name by mail address.
func (s *Store) Ship(ctx context.Context, first string) error {
	for _, step := range []func(*tx) error{s.shipAll, s.rolesAsAssignments, s.tiersWithoutApprovals, s.shipPolicies, func(t *tx) error { return s.appoint(t, first) }} {
		if err := s.act(ctx, audit.Worker, step); err != nil {
			return err
		}
	}
	return nil
}

// shipAll begins an empty catalogue.
func (s *Store) shipAll(t *tx) error {
	newest, err := newestCatalog(t.ctx, t.Client())
	if err != nil || newest > 0 {
		return err
	}
	return s.ship(t, "catalog.ship", "What Keyholder ships with", slices.Collect(catalog.Shipped().Entries()))
}

func (s *Store) ship(t *tx, action, why string, entries []catalog.Entry) error {
	rows := make([]newRecord, len(entries))
	for i, e := range entries {
		rows[i] = newRecord{Change: catalog.Change{Ref: e.Ref, Record: e.Record}}
	}
	_, err := s.changeCatalog(t, action, CatalogChange{Why: why}, rows)
	return err
}

// tiersWithoutApprovals takes the number of approvals out of tiers, where it stood before there were policies.
func (s *Store) tiersWithoutApprovals(t *tx) error {
	now, err := s.Catalog(t.ctx)
	if err != nil {
		return err
	}
	var rows []newRecord
	for _, tier := range now.Tiers {
		if tier.Approvals == 0 {
			continue
		}
		ref := catalog.Ref{Kind: catalog.KindTier, Slug: tier.Slug}
		stood, err := standing(t.ctx, t.Client(), ref)
		if err != nil {
			return err
		}
		tier.Approvals = 0
		rows = append(rows, newRecord{Change: catalog.Change{Ref: ref, Record: tier}, stood: true, managed: stood.Managed, locked: stood.Locked})
	}
	if len(rows) > 0 {
		_, err = s.changeCatalog(t, "catalog.upgrade", CatalogChange{Why: "How many approve is said by policies"}, rows)
	}
	return err
}

// shipPolicies are for a catalogue from before there were policies in it.
func (s *Store) shipPolicies(t *tx) error {
	now, err := s.Catalog(t.ctx)
	if err != nil || len(now.Policies) > 0 {
		return err
	}
	return s.ship(t, "catalog.upgrade", "Who decides is part of the catalogue", slices.Collect(catalog.Shipped().Of(catalog.KindPolicy)))
}

// firstAdministrator is the short name of the assignment that the settings ask for.
const firstAdministrator = "first-administrator"

// appoint makes somebody the administrator where nobody who has signed in is one: an assignment to a group says nothing of who is in it.
func (s *Store) appoint(t *tx, mail string) error {
	now, err := s.Catalog(t.ctx)
	if err != nil || mail == "" {
		return err
	}
	people, err := t.known(now.Catalog)
	if err != nil || slices.ContainsFunc(people, approval.Administers) {
		return err
	}
	a := catalog.Assignment{Slug: firstAdministrator, Name: "First administrator", Role: access.Administrator, Person: mail}
	ref := catalog.Ref{Kind: catalog.KindAssignment, Slug: a.Slug}
	row := newRecord{Change: catalog.Change{Ref: ref, Record: a}}
	stands, stood := now.Entry(ref)
	if row.stood = stood; stood && reflect.DeepEqual(stands.Record, row.Record) {
		return nil // it was done before, and they have not signed in yet
	}
	_, err = s.changeCatalog(t, "catalog.appoint", CatalogChange{Why: "Named by the settings, since nobody who has signed in administers this"}, []newRecord{row})
	return err
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
