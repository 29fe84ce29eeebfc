package migrations_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	entmigrate "keyholder/ent/migrate"
	"keyholder/internal/testkit/postgres"
	"keyholder/migrations"
)

type database struct {
	dialect migrations.Dialect
	ent     string
	db      *sql.DB
}

func eachDatabase(t *testing.T, test func(t *testing.T, d database)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, database{migrations.SQLite, dialect.SQLite, open(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "k.db")+"?_pragma=foreign_keys(0)")})
	})
	t.Run("postgres", func(t *testing.T) {
		if _, err := postgres.Find(); err != nil && os.Getenv("KEYHOLDER_TEST_REQUIRE") == "" {
			t.Skip(err)
		}
		server, err := postgres.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := server.Stop(); err != nil {
				t.Error(err)
			}
		})
		test(t, database{migrations.Postgres, dialect.Postgres, open(t, "pgx", server.URL)})
	})
}

func open(t *testing.T, driver, where string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestMigrationsRunOnEmptyAndOnPopulatedDatabases(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		if err := migrations.Check(t.Context(), d.db, d.dialect); err == nil {
			t.Error("a server would start on an empty database")
		}
		if err := migrations.Up(t.Context(), d.db, d.dialect); err != nil {
			t.Fatal(err)
		}
		if _, err := d.db.ExecContext(t.Context(), `INSERT INTO outcomes (id, body, at) VALUES ('a', '{}', '2026-03-01 02:11:00')`); err != nil {
			t.Fatal(err)
		}
		if err := migrations.Up(t.Context(), d.db, d.dialect); err != nil {
			t.Fatal(err)
		}
		if err := migrations.Check(t.Context(), d.db, d.dialect); err != nil {
			t.Error(err)
		}
		var outcomes, heads int
		if err := d.db.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM outcomes), (SELECT COUNT(*) FROM heads)`).Scan(&outcomes, &heads); err != nil || outcomes != 1 || heads != 1 {
			t.Errorf("%d outcomes, %d heads, %v", outcomes, heads, err)
		}
	})
}

func TestAServerRefusesASchemaItDoesNotKnow(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		if err := migrations.Up(t.Context(), d.db, d.dialect); err != nil {
			t.Fatal(err)
		}
		if _, err := d.db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99990101000000, true)`); err != nil {
			t.Fatal(err)
		}
		for name, refuse := range map[string]func(context.Context, *sql.DB, migrations.Dialect) error{"check": migrations.Check, "up": migrations.Up} {
			if err := refuse(t.Context(), d.db, d.dialect); err == nil || !strings.Contains(err.Error(), "newer keyholder") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestMigrationsEqualTheSchema(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		dir := t.TempDir()
		source, err := os.ReadDir(string(d.dialect))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range source {
			body, err := os.ReadFile(filepath.Join(string(d.dialect), f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, f.Name()), body, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		folder, err := sqltool.NewGooseDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := migrate.Validate(folder); err != nil {
			t.Errorf("a merged migration was edited: %v", err)
		}
		scratch := d.db
		if d.dialect == migrations.SQLite { // ent insists on what migrating itself must not have
			scratch = open(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "s.db")+"?_pragma=foreign_keys(1)")
		}
		m, err := schema.NewMigrate(entsql.OpenDB(d.ent, scratch), schema.WithDir(folder), schema.WithDialect(d.ent),
			schema.WithMigrationMode(schema.ModeReplay), schema.WithDropColumn(true), schema.WithDropIndex(true), schema.WithFormatter(sqltool.GooseFormatter))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.NamedDiff(t.Context(), "unwritten", entmigrate.Tables...); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(after) != len(source) {
			t.Errorf("the schema has changed without a migration: %d files, then %d", len(source), len(after))
		}
	})
}
