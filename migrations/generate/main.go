// Command generate writes the next migration of both dialects from what ent/schema says now: nothing, where nothing
// changed. It needs the programs of PostgreSQL, for a throw-away server.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	entmigrate "keyholder/ent/migrate"
	"keyholder/internal/testkit/postgres"
)

func main() {
	name := flag.String("name", "change", "what the migration does, in a_few_words")
	dir := flag.String("dir", "migrations", "the folder of the migrations")
	sum := flag.Bool("sum", false, "only write the sums anew, after a migration that nobody has yet was completed by hand")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	do := func() error { return run(ctx, *name, *dir) }
	if *sum {
		do = func() error { return errors.Join(seal(*dir+"/sqlite"), seal(*dir+"/postgres")) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		cancel()
		os.Exit(1) //nolint:gocritic // cancel has run
	}
}

func run(ctx context.Context, name, dir string) (err error) {
	if err := diff(ctx, dialect.SQLite, "sqlite", "file:scratch?mode=memory&cache=shared&_pragma=foreign_keys(1)", dir+"/sqlite", name); err != nil {
		return err
	}
	server, err := postgres.Start(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := server.Stop(); err == nil {
			err = stopErr
		}
	}()
	return diff(ctx, dialect.Postgres, "pgx", server.URL, dir+"/postgres", name)
}

// seal writes the sums of a folder's migrations.
func seal(dir string) error {
	folder, err := sqltool.NewGooseDir(dir)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	sums, err := folder.Checksum()
	if err != nil {
		return fmt.Errorf("sum up %s: %w", dir, err)
	}
	return migrate.WriteSumFile(folder, sums)
}

func diff(ctx context.Context, kind, driver, url, dir, name string) error {
	folder, err := sqltool.NewGooseDir(dir)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		return fmt.Errorf("open scratch %s: %w", kind, err)
	}
	m, err := schema.NewMigrate(entsql.OpenDB(kind, db), schema.WithDir(folder), schema.WithDialect(kind),
		schema.WithMigrationMode(schema.ModeReplay), schema.WithDropColumn(true), schema.WithDropIndex(true),
		schema.WithFormatter(sqltool.GooseFormatter))
	if err != nil {
		return fmt.Errorf("prepare the difference for %s: %w", kind, err)
	}
	if err := m.NamedDiff(ctx, name, entmigrate.Tables...); err != nil {
		return fmt.Errorf("write the difference for %s: %w", kind, err)
	}
	return db.Close()
}
