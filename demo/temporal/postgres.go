package temporal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/schema"
	v12 "go.temporal.io/server/schema/postgresql/v12"
)

const (
	// postgresShards are more than a file's: each commits one thing at a time, and a commit waits for the disk. Kept in the
	// database at its first start.
	postgresShards = 32
	// postgresConnections are how many there are at most to each of the two databases.
	postgresConnections = 40
)

// Postgres is where a server keeps its state in place of a file: two databases on one PostgreSQL. They exist; what is
// empty gets the server's own tables.
type Postgres struct {
	Address        string // host and port
	User, Password string
	State          string // database of the workflows
	Visibility     string // database of the list of workflows
}

func (p Postgres) store(database string) *config.SQL {
	return &config.SQL{
		PluginName: postgresql.PluginNamePGX, ConnectAddr: p.Address, ConnectProtocol: "tcp",
		User: p.User, Password: p.Password, DatabaseName: database,
		MaxConns: postgresConnections, MaxIdleConns: postgresConnections,
	}
}

// createTables runs the server's own schemas where they have not been run. A start that was cut off between them leaves
// databases that have to be made anew.
func (p Postgres) createTables() error {
	return errors.Join(
		p.createTablesIn(p.State, "temporal", v12.Version),
		p.createTablesIn(p.Visibility, "visibility", v12.VisibilityVersion),
	)
}

func (p Postgres) createTablesIn(database, part, version string) (err error) {
	db, err := sql.NewSQLAdminDB(sqlplugin.DbKindUnknown, p.store(database), resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return fmt.Errorf("reach %s: %w", database, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ReadSchemaVersion(database); err == nil {
		return nil
	}
	statements, err := statementsOf(part)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if err := db.Exec(s); err != nil {
			return fmt.Errorf("create temporal's tables in %s: %w", database, err)
		}
	}
	if err := db.CreateSchemaVersionTables(); err != nil {
		return fmt.Errorf("note the version of the tables in %s: %w", database, err)
	}
	return db.UpdateSchemaVersion(database, version, version)
}

// statementsOf are those of one part of the schema that the server's module carries.
func statementsOf(part string) ([]string, error) {
	text, err := fs.ReadFile(schema.Assets(), path.Join("postgresql/v12", part, "schema.sql"))
	if err != nil {
		return nil, fmt.Errorf("read temporal's schema: %w", err)
	}
	return persistence.LoadAndSplitQueryFromReaders([]io.Reader{bytes.NewReader(text)})
}
