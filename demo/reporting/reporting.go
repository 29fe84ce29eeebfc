package reporting

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Config is what the reporting database needs.
type Config struct {
	Dir      string // of the demo; where its data are follows from it
	Listen   string
	Password string // of the administrator
	Ready    func()
}

const (
	administrator = "keyholder"
	database      = "reporting"
	stopWithin    = 5 * time.Second
)

// URL is how the administrator signs in.
func (c Config) URL() string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(administrator, c.Password), Host: c.Listen, Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Find is the folder of PostgreSQL's programs, or an error that says why there can be none here.
func Find() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, lookErr := exec.LookPath("initdb"); lookErr == nil {
		if real, realErr := filepath.EvalSymlinks(path); realErr == nil {
			found = append(found, real)
		}
	}
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL's server programs are not installed (Debian: postgresql)")
	}
	if os.Geteuid() == 0 {
		if _, err := user.Lookup("postgres"); err != nil {
			return "", errors.New("PostgreSQL does not run as root, and there is no user postgres")
		}
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// server is one cluster.
type server struct {
	cfg  Config
	bin  string
	data string
	cred *syscall.Credential
}

// Run runs the database until ctx ends. Its data stay for the next start.
func Run(ctx context.Context, c Config) error {
	bin, err := Find()
	if err != nil {
		return err
	}
	s := &server{cfg: c, bin: bin}
	if err := s.place(); err != nil {
		return err
	}
	if err := s.initialise(ctx); err != nil {
		return err
	}
	return s.serve(ctx)
}

// Forget removes the data.
func Forget(c Config) error {
	s := &server{cfg: c}
	if err := s.place(); err != nil {
		return err
	}
	return os.RemoveAll(s.data)
}

// place chooses the data's folder. A demo of root's is run as the user postgres, who may not get at root's own folders.
func (s *server) place() error {
	s.data = filepath.Join(s.cfg.Dir, "reporting")
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
	s.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	s.data = filepath.Join(os.TempDir(), fmt.Sprintf("keyholder-reporting-%x", sha256.Sum256([]byte(s.cfg.Dir)))[:36])
	if err := os.Mkdir(s.data, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.own(int(uid), int(gid))
}

// own makes sure that the folder is a folder, and nobody's but ours or PostgreSQL's.
func (s *server) own(uid, gid int) error {
	info, err := os.Lstat(s.data)
	if err != nil {
		return err
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(of.Uid) != uid && of.Uid != 0 {
		return fmt.Errorf("%s is somebody else's", s.data)
	}
	return os.Lchown(s.data, uid, gid)
}

func (s *server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...) //nolint:gosec // PostgreSQL's own programs
	cmd.Dir = os.TempDir()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// initialise makes the cluster at the first start. What was begun and not finished, or belongs to a demo that was removed, is begun anew.
func (s *server) initialise(ctx context.Context) error {
	made, owner := filepath.Join(s.data, "made"), fmt.Sprintf("%x", sha256.Sum256([]byte(s.cfg.Password)))
	if by, err := os.ReadFile(made); err == nil && string(by) == owner { //nolint:gosec // one of the demo's own files
		return nil
	}
	entries, err := os.ReadDir(s.data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(s.data, e.Name())); err != nil {
			return err
		}
	}
	password, err := s.passwordFile()
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(password) }()
	cmd := s.command(ctx, "initdb", "-D", s.data, "-U", administrator, "-E", "UTF8", "--locale=C", "--no-sync", "-A", "scram-sha-256", "--pwfile", password)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, said)
	}
	return os.WriteFile(made, []byte(owner), 0o600)
}

// passwordFile has the administrator's password for the moment in which initdb reads it, for PostgreSQL's user alone.
func (s *server) passwordFile() (string, error) {
	f, err := os.CreateTemp("", "keyholder-reporting-*") // of mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(s.cfg.Password + "\n")
	if s.cred != nil {
		err = errors.Join(err, f.Chown(int(s.cred.Uid), int(s.cred.Gid)))
	}
	return f.Name(), errors.Join(err, f.Close())
}

func (s *server) serve(ctx context.Context) error {
	_, port, err := net.SplitHostPort(s.cfg.Listen)
	if err != nil {
		return err
	}
	running, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	cmd := s.command(running, "postgres", "-D", s.data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "logging_collector=on", "-c", "log_destination=stderr,jsonlog", "-c", "log_filename=reporting-%Y-%m-%d.log", "-c", "log_timezone=UTC", "-c", "log_connections=on", "-c", "log_disconnections=on", "-c", "max_connections=60", "-c", "shared_buffers=16MB")
	log, err := os.OpenFile(filepath.Join(s.cfg.Dir, "reporting.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	var last error
	ended := make(chan struct{})
	go func() { last = cmd.Wait(); close(ended) }()
	if err := s.prepare(ctx); err != nil {
		kill()
		<-ended
		return errors.Join(err, last)
	}
	s.cfg.Ready()
	select {
	case <-ended:
		return fmt.Errorf("PostgreSQL ended: %w; its last words are in %s", last, log.Name())
	case <-ctx.Done():
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	select {
	case <-ended:
	case <-time.After(stopWithin):
		kill()
		<-ended
	}
	return nil
}

// prepare makes the reports, and the roles that one may be given, where they are not there.
func (s *server) prepare(ctx context.Context) error {
	at, err := url.Parse(s.cfg.URL())
	if err != nil {
		return err
	}
	at.Path = "postgres"
	first, err := dial(ctx, at.String())
	if err != nil {
		return err
	}
	defer func() { _ = first.Close(context.WithoutCancel(ctx)) }()
	var there bool
	if err := first.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database).Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := first.Exec(ctx, "CREATE DATABASE "+database); err != nil {
			return err
		}
	}
	reports, err := dial(ctx, s.cfg.URL())
	if err != nil {
		return err
	}
	defer func() { _ = reports.Close(context.WithoutCancel(ctx)) }()
	_, err = reports.Exec(ctx, schema)
	return err
}

const schema = `
CREATE TABLE IF NOT EXISTS orders_by_day (day date PRIMARY KEY, orders integer NOT NULL, revenue numeric NOT NULL);
INSERT INTO orders_by_day SELECT current_date - n, 1800 + n * 7 % 311, 61000 + n * 131 % 9000 FROM generate_series(1, 60) n ON CONFLICT DO NOTHING;
DO $$ BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reporting_reader') THEN CREATE ROLE reporting_reader NOLOGIN; END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reporting_repair') THEN CREATE ROLE reporting_repair NOLOGIN; END IF;
END $$;
GRANT SELECT ON orders_by_day TO reporting_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON orders_by_day TO reporting_repair;
`

// dial waits until the server lets one in.
func dial(ctx context.Context, at string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, at)
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("sign in to PostgreSQL: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
