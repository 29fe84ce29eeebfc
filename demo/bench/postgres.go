package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"keyholder/demo/reporting"
	"keyholder/demo/stack"
	"keyholder/demo/temporal"
)

// The databases on the bench's PostgreSQL, and who may do everything there.
const (
	productDatabase    = "keyholder"
	temporalDatabase   = "temporal"
	visibilityDatabase = "temporal_visibility"
	superuser          = "keyholder"
)

// durable is a PostgreSQL of the bench's own that waits for the disk with each commit, which those of tests do not.
type durable struct {
	bin, dir string
	port     int
	cred     *syscall.Credential // of the user postgres, where the bench is root
	ended    chan error
	end      context.CancelFunc
}

// startDurable starts one with the databases in it. Where there can be none it is skipped.
func startDurable(ctx context.Context) (*durable, error) {
	bin, err := reporting.Find()
	if err != nil {
		return nil, skipped(err.Error())
	}
	d := &durable{bin: bin, ended: make(chan error, 1)}
	if d.dir, err = os.MkdirTemp("", "keyholder-bench-pg-"); err != nil {
		return nil, err
	}
	if err := d.start(ctx); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

func (d *durable) start(ctx context.Context) (err error) {
	if err := d.dropRoot(); err != nil {
		return err
	}
	data := filepath.Join(d.dir, "data")
	made := d.command(ctx, "initdb", "-D", data, "-U", superuser, "-E", "UTF8", "--locale=C", "--no-sync", "-A", "trust")
	if said, err := made.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, said)
	}
	if d.port, err = stack.FreePort(ctx, nil); err != nil {
		return err
	}
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	// Memory as a small server of one's own is given; all else, and what is safe with it, as PostgreSQL comes.
	serves := d.command(running, "postgres", "-D", data, "-p", strconv.Itoa(d.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "max_connections=150", "-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB")
	serves.Cancel = func() error { return serves.Process.Signal(syscall.SIGQUIT) } // it is thrown away
	if err := serves.Start(); err != nil {
		end()
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	d.end = end
	go func() { d.ended <- serves.Wait() }()
	return d.createDatabases(ctx)
}

// dropRoot has PostgreSQL, which does not run as root, run as the user postgres.
func (d *durable) dropRoot() error {
	if os.Geteuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, errU := strconv.ParseUint(account.Uid, 10, 32)
	gid, errG := strconv.ParseUint(account.Gid, 10, 32)
	if err := errors.Join(errU, errG); err != nil {
		return err
	}
	d.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(d.dir, int(uid), int(gid))
}

func (d *durable) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(d.bin, name), args...) //nolint:gosec // PostgreSQL's own programs
	cmd.Dir = d.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: d.cred, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// createDatabases waits until the server lets one in, and makes them.
func (d *durable) createDatabases(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var conn *pgx.Conn
	for {
		var err error
		if conn, err = pgx.Connect(ctx, d.url("postgres")); err == nil {
			break
		}
		select {
		case ended := <-d.ended:
			d.ended <- ended
			return fmt.Errorf("PostgreSQL ended: %w", ended)
		case <-ctx.Done():
			return fmt.Errorf("sign in to PostgreSQL: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	var err error
	for _, name := range []string{productDatabase, temporalDatabase, visibilityDatabase} {
		_, one := conn.Exec(ctx, "CREATE DATABASE "+name)
		err = errors.Join(err, one)
	}
	return errors.Join(err, conn.Close(ctx))
}

func (d *durable) address() string { return "127.0.0.1:" + strconv.Itoa(d.port) }

func (d *durable) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Host: d.address(), Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}

func (d *durable) temporal() *temporal.Postgres {
	return &temporal.Postgres{Address: d.address(), User: superuser, State: temporalDatabase, Visibility: visibilityDatabase}
}

// stop ends the server and removes all it kept.
func (d *durable) stop() error {
	if d.end != nil {
		d.end()
		<-d.ended //nolint:errcheck // it was told to; how it went matters no more
	}
	return os.RemoveAll(d.dir)
}
