package pgrole

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

// session is one connection of the administrative login, for one call of a Granter.
type session struct {
	*pgx.Conn
	name    string // of the server, in messages
	timeout time.Duration
	wait    time.Duration
	logs    string // what it is to write down of what its logins do; empty: as it does
	admin   string // the name of the login
	version int
}

// settings keep a database in which others may make objects from putting its own in the place of the server's, and let the server
// end what a worker that died has left.
const settings = `SELECT pg_catalog.set_config(name, setting, false) FROM (VALUES
	('search_path', 'pg_catalog, pg_temp'), ('standard_conforming_strings', 'on'),
	('idle_session_timeout', '60s'), ('idle_in_transaction_session_timeout', '60s'), ('tcp_keepalives_idle', '10'),
	('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3'), ('application_name', pg_catalog.left($1::text, 63))
) AS wanted (name, setting) WHERE wanted.name OPERATOR(pg_catalog.=) ANY (SELECT s.name FROM pg_catalog.pg_settings s)`

// open signs in. What it says when that fails holds nothing of the address.
func (g *Granter) open(ctx context.Context, p params, key string) (*session, error) {
	s := &session{name: nameOf(p), timeout: p.Timeout.Or(defaultTimeout), wait: p.Wait.Or(defaultWait), logs: p.Logs}
	secret, err := g.secrets.Resolve(p.Connection)
	if err != nil {
		return nil, err
	}
	address := string(secret.Reveal())
	config, err := pgx.ParseConfig(address)
	if err != nil || !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		message := "What " + p.Connection + " holds is not the address of a PostgreSQL (postgres://…)."
		return nil, &fault.Error{Kind: fault.Unavailable, Message: message} // the cause repeats it
	}
	config.ConnectTimeout = s.timeout
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if s.Conn, err = pgx.ConnectConfig(limited, config); err != nil {
		return nil, s.explain(err)
	}
	if err := s.settle(ctx, key); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) settle(ctx context.Context, key string) error {
	if err := s.exec(ctx, settings, "keyholder "+tidy(key)); err != nil {
		return err
	}
	type self struct {
		Admin   string
		Version int
	}
	me, err := one(ctx, s, pgx.RowToStructByPos[self], `SELECT session_user::text, current_setting('server_version_num')::int`)
	s.admin, s.version = me.Admin, me.Version
	return err
}

func (s *session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	_ = s.Close(ctx) // whatever it says, the server ends the session
}

// exec asks for no rows, within the time for one question.
func (s *session) exec(ctx context.Context, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if _, err := s.Exec(ctx, sql, args...); err != nil {
		return s.explain(err)
	}
	return nil
}

// list asks for rows, within the time for one question.
func list[T any](ctx context.Context, s *session, to pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	rows, err := s.Query(ctx, sql, args...)
	if err != nil {
		return nil, s.explain(err)
	}
	got, err := pgx.CollectRows(rows, to)
	if err != nil {
		return nil, s.explain(err)
	}
	return got, nil
}

// one asks for at most one row; without one the answer is empty.
func one[T any](ctx context.Context, s *session, to pgx.RowToFunc[T], sql string, args ...any) (T, error) {
	var none T
	got, err := list(ctx, s, to, sql, args...)
	if err != nil || len(got) == 0 {
		return none, err
	}
	return got[0], nil
}

// lock lets one call at a time change an account, until the session ends: reading, changing and cutting are one act.
func (s *session) lock(ctx context.Context, account string) error {
	patient := *s
	patient.timeout = 2*s.timeout + s.wait // another call may be cutting sessions
	return patient.exec(ctx, `SELECT pg_advisory_lock(hashtext('keyholder access'), hashtext($1::text))`, account)
}

// quoted is a name as it stands in a statement.
func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// observed puts what was seen into the form that is kept.
func (s *session) observed(what any, err error) connector.Observation {
	o := connector.Observation{Source: s.name, At: time.Now().UTC()}
	if err == nil {
		o.Body, err = document(what)
	}
	if err != nil {
		o.Error = connector.Words(err)
	}
	return o
}

// unseen is the observation where nobody could sign in.
func unseen(p params, err error) connector.Observation {
	return connector.Observation{Source: nameOf(p), At: time.Now().UTC(), Error: connector.Words(err)}
}

func nameOf(p params) string { return "PostgreSQL at " + p.Connection }
