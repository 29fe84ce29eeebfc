package temporal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
	_ "modernc.org/sqlite" // the driver behind "sqlite"
)

// retention is how long a closed workflow can still be looked at.
const retention = 72 * time.Hour

// prepare makes what keeps the state ready for a server: tables and namespace. Each step does nothing where it was done before.
func prepare(ctx context.Context, c Config) error {
	if c.Postgres != nil {
		if err := c.Postgres.createTables(); err != nil {
			return err
		}
	} else if err := prepareFile(ctx, c); err != nil {
		return err
	}
	namespace, err := sqlite.NewNamespaceConfig(clusterName, c.Namespace, false, nil) // it is of any database
	if err != nil {
		return fmt.Errorf("describe namespace %s: %w", c.Namespace, err)
	}
	namespace.Detail.Config.Retention = durationpb.New(retention)
	state, _ := c.stores()
	if err := sqlite.CreateNamespaces(state, namespace); err != nil {
		return fmt.Errorf("create namespace %s: %w", c.Namespace, err)
	}
	return nil
}

// prepareFile makes folder and tables. Each is whole or absent after a kill.
func prepareFile(ctx context.Context, c Config) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("make folder for temporal: %w", err)
	}
	if err := createTables(ctx, c.file()); err != nil {
		return fmt.Errorf("create temporal's tables in %s: %w", c.file(), err)
	}
	return nil
}

// createTables runs the server's own schema in one transaction. The plugin's attribute setup=true would commit
// statement by statement and take the first existing table for a complete schema, so that a kill in between would leave
// a file that never starts again.
func createTables(ctx context.Context, file string) (err error) {
	dsn := url.URL{Scheme: "file", Opaque: file, RawQuery: "_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_txlock=immediate"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	var tables int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table'`).Scan(&tables); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if tables > 0 {
		return tx.Rollback()
	}
	if err := sqlite.SetupSchemaOnDB(execOnly{ctx: ctx, tx: tx}); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// execOnly lets the schema run in a transaction of ours. SetupSchemaOnDB calls Exec and nothing else of AdminDB.
type execOnly struct {
	sqlplugin.AdminDB
	ctx context.Context
	tx  *sql.Tx
}

func (e execOnly) Exec(statement string, args ...any) error {
	_, err := e.tx.ExecContext(e.ctx, statement, args...)
	return err
}
