package store_test

import (
	"database/sql"
	"testing"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

// TestWhatAnEarlierBuildKeptIsPutIntoTodaysForm: roles in the settings, approvals in tiers, and no policies.
func TestWhatAnEarlierBuildKeptIsPutIntoTodaysForm(t *testing.T) {
	where := testkit.NewFile(t)
	w := newWorld(t, where)
	db, err := sql.Open("sqlite", where)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO catalog_versions (version, digest, changes, why, source, applied_by, applied_at) VALUES (1, 'd', 2, '', '', 'cli', '2026-02-01 00:00:00+00:00')`,
		`INSERT INTO catalog_records (kind, slug, body, since, managed, locked) VALUES ('settings', 'settings', '{"currency":"GBP","roles":[{"group":"owners","role":"business-owner"},{"group":"root","role":"administrator"}]}', 1, true, false)`,
		`INSERT INTO catalog_records (kind, slug, body, since, managed, locked) VALUES ('tier', 'tier-1', '{"slug":"tier-1","name":"Tier 1","rto":"15m","rpo":"1m","approvals":2}', 1, true, true)`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.SignIn(w.ctx, store.Identity{Issuer: "i", Subject: "ada", Name: "Ada", Groups: []string{"root"}, SignedInAt: w.Now()}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Ship(w.ctx, "eve@example.com"); err != nil {
			t.Fatal(err)
		}
	}
	now, err := w.Catalog(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(now.Roles) != 0 || now.Tiers[0].Approvals != 0 || len(now.Assignments) != 2 || len(now.Policies) != len(catalog.Actions()) || now.Version != 4 {
		t.Errorf("version %d: roles %v, approvals %d, %d assignments, %d policies", now.Version, now.Roles, now.Tiers[0].Approvals, len(now.Assignments), len(now.Policies))
	}
	if err := now.Validate(); err != nil {
		t.Error(err)
	}
	if bea := w.known(t, "bea", "owners"); !bea.Has(access.BusinessOwner) {
		t.Errorf("bea is %v", bea.Roles)
	}
	if eve := w.known(t, "eve"); len(eve.Roles) != 0 {
		t.Error("there was an administrator already")
	}
	then, err := w.CatalogAt(w.ctx, 1)
	if err != nil || len(then.Roles) != 2 || then.Tiers[0].Approvals != 2 {
		t.Errorf("the old version can no longer be read as it was: %+v, %v", then.Settings, err)
	}
	tier, err := w.Standing(w.ctx, catalog.Ref{Kind: catalog.KindTier, Slug: "tier-1"})
	if err != nil || !tier.Locked || !tier.Managed {
		t.Errorf("it is not locked to files any more: %+v, %v", tier, err)
	}
}
