package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"keyholder/ent"
	"keyholder/migrations"
)

// Store is the database of the product, PostgreSQL or SQLite.
type Store struct {
	modes    modesRead
	client   *ent.Client
	db       *sql.DB
	dialect  migrations.Dialect
	now      func() time.Time
	acting   chan struct{} // one for each transaction that may be open at once; they read on a second connection
	writing  sync.Mutex    // SQLite has one writer; waiting here is fairer than its busy handler
	catalogs catalogs
	found    atomic.Pointer[foundIn]
	saved    sync.Map // the runs that this process changed last, by code: failover.Run
	snapshot atomic.Pointer[snapshot]
	people   atomic.Pointer[roster]
	access   atomic.Pointer[accessRead]
	clock    *accessClock
	plans    sync.Map // published versions never change: "slug/version" -> Published[failover.Plan]
}

// Open connects to a postgres:// URL or a SQLite file. now is the clock; nil is the machine's.
func Open(ctx context.Context, where string, now func() time.Time) (*Store, error) {
	kind, db, err := connect(where)
	if err != nil {
		return nil, err
	}
	return OpenDB(ctx, db, kind, now)
}

// OpenDB is Open for a database that is connected already; the store closes it.
func OpenDB(ctx context.Context, db *sql.DB, kind migrations.Dialect, now func() time.Time) (*Store, error) {
	if now == nil {
		now = time.Now
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	dialects := map[migrations.Dialect]string{migrations.SQLite: dialect.SQLite, migrations.Postgres: dialect.Postgres}
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialects[kind], db)))
	return &Store{clock: &accessClock{machine: now}, client: client, db: db, dialect: kind, now: now, acting: make(chan struct{}, postgresConnections/2)}, nil
}

// postgresConnections is how many connections to PostgreSQL there are at most.
const postgresConnections = 20

func connect(where string) (migrations.Dialect, *sql.DB, error) {
	if strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://") {
		db, err := sql.Open("pgx", where)
		if err != nil {
			return "", nil, fmt.Errorf("open the database: %w", err)
		}
		db.SetMaxOpenConns(postgresConnections)
		db.SetMaxIdleConns(postgresConnections)
		return migrations.Postgres, db, nil
	}
	db, err := openSQLite(where, true)
	return migrations.SQLite, db, err
}

// SQLiteConnections is how many connections to a SQLite file there are: as many as cores. With more, which all do their
// work in this process, some requests wait many times as long as others (measured on two cores: p99 20 times the median
// with eight, 5 times with two). A writer needs a second one to read.
func SQLiteConnections() int { return max(2, runtime.GOMAXPROCS(0)) }

func openSQLite(file string, references bool) (*sql.DB, error) {
	db, err := sql.Open("sqlite", SQLiteName(file, references))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	db.SetMaxOpenConns(SQLiteConnections())
	db.SetMaxIdleConns(SQLiteConnections())
	return db, nil
}

// SQLiteName is how the driver is told to open a file. It knows only keys that the driver knows: it drops all others
// without a word.
func SQLiteName(file string, references bool) string {
	keys := url.Values{
		"_pragma": {"journal_mode(WAL)", "busy_timeout(10000)", "synchronous(FULL)", "foreign_keys(0)"},
		"_txlock": {"immediate"}, "_time_format": {"sqlite"},
	}
	if references {
		keys["_pragma"][3] = "foreign_keys(1)"
	}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + keys.Encode()
}

// Migrate brings the database at a postgres:// URL or in a SQLite file to the newest schema, on a connection of its own.
func Migrate(ctx context.Context, where string) (err error) {
	kind, db, err := connect(where)
	if err != nil {
		return err
	}
	if kind == migrations.SQLite {
		if closeErr := db.Close(); closeErr != nil {
			return closeErr
		}
		if db, err = openSQLite(where, false); err != nil {
			return err
		}
		db.SetMaxOpenConns(1)
	}
	return errors.Join(migrations.Up(ctx, db, kind), db.Close())
}

// CheckSchema refuses a database whose schema is not the one that this program knows.
func (s *Store) CheckSchema(ctx context.Context) error { return migrations.Check(ctx, s.db, s.dialect) }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.PingContext(ctx) }

// Close ends all connections.
func (s *Store) Close() error { return s.client.Close() }

// Now is the store's clock, in UTC and to the microsecond, which is what PostgreSQL keeps.
func (s *Store) Now() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
