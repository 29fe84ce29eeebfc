package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/catalogversion"
	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// CatalogVersion is the catalogue as it was applied once.
type CatalogVersion struct {
	catalog.Catalog
	Version   int
	AppliedBy string
	AppliedAt time.Time
}

// Catalog loads the catalogue in force; an empty one where none was ever applied. The body is read only when it is new.
func (s *Store) Catalog(ctx context.Context) (CatalogVersion, error) {
	return readOnce(ctx, "catalog", func() (CatalogVersion, error) {
		newest, err := s.client.CatalogVersion.Query().Order(catalogversion.ByVersion(sql.OrderDesc())).
			Select(catalogversion.FieldVersion).First(ctx)
		if ent.IsNotFound(err) {
			return CatalogVersion{}, nil
		}
		if err != nil {
			return CatalogVersion{}, fmt.Errorf("find the catalogue: %w", err)
		}
		return s.CatalogAt(ctx, newest.Version)
	})
}

// CatalogAt loads one version of the catalogue, which never changes.
func (s *Store) CatalogAt(ctx context.Context, version int) (CatalogVersion, error) {
	if kept, ok := s.catalogs.Load(version); ok {
		return kept.(CatalogVersion), nil
	}
	row, err := s.client.CatalogVersion.Query().Where(catalogversion.Version(version)).Only(ctx)
	if ent.IsNotFound(err) {
		return CatalogVersion{}, fault.Missing("catalogue version", strconv.Itoa(version))
	}
	if err != nil {
		return CatalogVersion{}, fmt.Errorf("load the catalogue: %w", err)
	}
	read := CatalogVersion{Version: row.Version, AppliedBy: row.AppliedBy, AppliedAt: row.AppliedAt}
	if err := json.Unmarshal(row.Body, &read.Catalog); err != nil {
		return CatalogVersion{}, fmt.Errorf("read catalogue version %d: %w", row.Version, err)
	}
	s.catalogs.Store(version, read)
	return read, nil
}

// Bundle is what one catalogue file holds.
type Bundle struct {
	Catalog  catalog.Catalog
	Plans    []failover.Plan
	Policies []failover.Policy
}

// Applied says what applying a bundle changed, a line each; nothing where everything was there already.
type Applied []string

// Apply puts a validated bundle in force, all or nothing. What is the same already is left alone, so applying twice
// changes nothing.
func (s *Store) Apply(ctx context.Context, actor failover.Person, b Bundle) (Applied, error) {
	var applied Applied
	err := s.act(ctx, actor, func(t *tx) error {
		applied = nil
		line, err := t.applyCatalog(b.Catalog)
		if err != nil {
			return err
		}
		applied = append(applied, line...)
		for _, p := range b.Policies {
			if line, err = t.publishPolicy(p); err != nil {
				return err
			}
			applied = append(applied, line...)
		}
		for _, p := range b.Plans {
			if line, err = t.publishPlan(p); err != nil {
				return err
			}
			applied = append(applied, line...)
		}
		return nil
	})
	return applied, err
}

func (t *tx) applyCatalog(c catalog.Catalog) (Applied, error) {
	body, err := canonical.JSON(c)
	if err != nil {
		return nil, fmt.Errorf("write the catalogue: %w", err)
	}
	digest := canonical.DigestBytes("keyholder/catalog/1", body)
	version := 1
	switch newest, err := t.CatalogVersion.Query().Order(catalogversion.ByVersion(sql.OrderDesc())).First(t.ctx); {
	case ent.IsNotFound(err):
	case err != nil:
		return nil, fmt.Errorf("find the catalogue: %w", err)
	case newest.Digest == digest:
		return nil, nil
	default:
		version = newest.Version + 1
	}
	err = t.CatalogVersion.Create().SetVersion(version).SetDigest(digest).SetBody(body).
		SetAppliedBy(t.actor.Name).SetAppliedAt(t.now).Exec(t.ctx)
	if err != nil {
		return nil, fmt.Errorf("save catalogue version %d: %w", version, err)
	}
	text := fmt.Sprintf("Catalogue version %d was applied.", version)
	t.record(audit.Event{Action: "catalog.apply", Object: "catalog", Text: text, Detail: detail(map[string]any{"version": version, "digest": digest})})
	return Applied{text}, t.voidVotes(text, func(terms failover.Terms) (bool, error) {
		now, err := terms.On(c, version)
		return now.Ground != terms.Ground, err
	})
}

// RolesOf maps a person's groups by the catalogue in force.
func (c CatalogVersion) RolesOf(groups []string) []access.Role {
	return access.RolesOf(groups, c.Roles)
}
