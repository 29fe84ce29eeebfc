package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sqlite "modernc.org/sqlite"
)

// meteredSQLite is the name of a driver that tells the meter of the request.
var meteredSQLite = sync.OnceValue(func() string { //nolint:gochecknoglobals // a driver is registered once
	const name = "sqlite-metered"
	sql.Register(name, metered{&sqlite.Driver{}})
	return name
})

// meter counts the queries of one request and the time they take.
type meter struct {
	queries atomic.Int64
	nanos   atomic.Int64
	decides atomic.Int64 // those of the queries that load who may decide by what: people, and which catalogue is in force
}

type meterKey struct{}

func meterOf(ctx context.Context) *meter {
	m, _ := ctx.Value(meterKey{}).(*meter)
	return m
}

func (m *meter) since(began time.Time) {
	if m != nil {
		m.nanos.Add(time.Since(began).Nanoseconds())
	}
}

func (m *meter) query(text string) {
	if m == nil {
		return
	}
	m.queries.Add(1)
	for _, table := range []string{"FROM `persons`", "FROM `catalog_versions`", "FROM `catalog_records`"} {
		if strings.Contains(text, table) {
			m.decides.Add(1)
		}
	}
}

// metered is a database driver that tells the meter of the request.
type metered struct{ driver.Driver }

func (d metered) Open(name string) (driver.Conn, error) {
	c, err := d.Driver.Open(name)
	if err != nil {
		return nil, err
	}
	inner, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.New("the driver is not what the bench wraps")
	}
	return meteredConn{inner}, nil
}

// sqliteConn is what the wrapped driver can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
}

type meteredConn struct{ sqliteConn }

func (c meteredConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	m := meterOf(ctx)
	m.query(query)
	defer m.since(time.Now())
	rows, err := c.sqliteConn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return meteredRows{rows, m}, nil
}

func (c meteredConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	m := meterOf(ctx)
	m.query(query)
	defer m.since(time.Now())
	return c.sqliteConn.ExecContext(ctx, query, args)
}

type meteredRows struct {
	driver.Rows
	meter *meter
}

func (r meteredRows) Next(into []driver.Value) error {
	defer r.meter.since(time.Now())
	return r.Rows.Next(into)
}

func (r meteredRows) Close() error {
	defer r.meter.since(time.Now())
	return r.Rows.Close()
}
