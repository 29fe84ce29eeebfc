package store

import (
	"context"
	"database/sql"
	"errors"
	"runtime"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"golang.org/x/sync/errgroup"

	"keyholder/ent"
	"keyholder/ent/catalogrecord"
	"keyholder/migrations"
)

// open begins a transaction. On PostgreSQL it is on a connection that it names, so that rows can be copied in.
func (s *Store) open(ctx context.Context) (inner *ent.Tx, conn *sql.Conn, err error) {
	if s.dialect != migrations.Postgres {
		inner, err = s.client.Tx(ctx)
		return inner, nil, err
	}
	if conn, err = s.db.Conn(ctx); err != nil {
		return nil, nil, err
	}
	if inner, err = ent.NewClient(ent.Driver(onConn{entsql.Conn{ExecQuerier: conn}, conn})).Tx(ctx); err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return inner, conn, nil
}

// onConn is ent's driver on one connection.
type onConn struct {
	entsql.Conn
	conn *sql.Conn
}

func (d onConn) Dialect() string { return dialect.Postgres }

func (d onConn) Close() error { return d.conn.Close() }

func (d onConn) Tx(ctx context.Context) (dialect.Tx, error) {
	begun, err := d.conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &entsql.Tx{Conn: entsql.Conn{ExecQuerier: begun}, Tx: begun}, nil
}

// insertRecords writes rows of the catalogue, thousands at once: by COPY where there is one.
func (t *tx) insertRecords(version int, rows []*newRecord) error {
	if t.conn != nil {
		return t.conn.Raw(func(driver any) error {
			_, err := driver.(*stdlib.Conn).Conn().CopyFrom(t.ctx, pgx.Identifier{catalogrecord.Table}, recordColumns,
				pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) { return rows[i].values(version) }))
			return err
		})
	}
	for len(rows) > 0 {
		some := rows[:min(len(rows), rowsAtOnce)]
		rows = rows[len(some):]
		insert := entsql.Dialect(dialect.SQLite).Insert(catalogrecord.Table).Columns(recordColumns...)
		for _, row := range some {
			values, err := row.values(version)
			if err != nil {
				return err
			}
			insert.Values(values...)
		}
		query, args := insert.Query()
		if _, err := t.ExecContext(t.ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

var recordColumns = []string{
	catalogrecord.FieldKind, catalogrecord.FieldSlug, catalogrecord.FieldBody, catalogrecord.FieldSince,
	catalogrecord.FieldManaged, catalogrecord.FieldLocked,
}

func (r *newRecord) values(version int) ([]any, error) {
	if err := r.write(); err != nil {
		return nil, err
	}
	return []any{string(r.Kind), r.Slug, r.body, version, r.managed, r.locked}, nil
}

// rowsAtOnce bounds one statement: a database takes so many parameters.
const rowsAtOnce = 1000

// inParallel does something for each of n things on all cores, and ends with the first failure.
func inParallel(n int, do func(i int) error) error {
	var all errgroup.Group
	workers := min(n, runtime.GOMAXPROCS(0))
	for w := range workers {
		all.Go(func() error {
			for i := w; i < n; i += workers {
				if err := do(i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return all.Wait()
}
