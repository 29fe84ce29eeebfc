package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"keyholder/internal/testkit/loopback"
)

// Server is a running PostgreSQL with nothing in it.
type Server struct {
	URL  string // of the database "postgres"
	dir  string
	bin  string
	cred *syscall.Credential
	made atomic.Int64 // databases

	password string // of its administrative login; empty: it trusts everybody
}

// Find is the folder of the PostgreSQL programs, or an error that names what to install.
func Find() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(real), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("no initdb on this machine: install PostgreSQL's server programs (Debian: postgresql)")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// Start makes a new cluster in a temporary folder and starts it on a free loopback port. PostgreSQL refuses to run as
// root, so root runs it as the user postgres.
func Start(ctx context.Context) (*Server, error) { return launch(ctx, "") }

// StartLocked is Start, but whoever signs in needs a password (SCRAM-SHA-256), and the log is kept in JSON beside text, where the server
// itself can read it. The URL holds the password of the administrative login.
func StartLocked(ctx context.Context) (*Server, error) { return launch(ctx, rand.Text()) }

func launch(ctx context.Context, password string) (*Server, error) {
	bin, err := Find()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "keyholder-pg-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	s := &Server{dir: dir, bin: bin, password: password}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	if err := s.dropRoot(); err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	signIn, who := []string{"-A", "trust"}, url.User("keyholder")
	if s.password != "" {
		file := filepath.Join(s.dir, "password")
		if err := os.WriteFile(file, []byte(s.password), 0o644); err != nil { // in a folder that is only PostgreSQL's
			return fmt.Errorf("write a password for PostgreSQL: %w", err)
		}
		signIn, who = []string{"-A", "scram-sha-256", "--pwfile", file}, url.UserPassword("keyholder", s.password)
	}
	args := append([]string{"-D", data, "-U", "keyholder", "-E", "UTF8", "--locale=C", "--no-sync"}, signIn...)
	if err := s.run(ctx, "initdb", args...); err != nil {
		return err
	}
	port, err := loopback.FreePort(ctx)
	if err != nil {
		return err
	}
	options := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off", port)
	if s.password != "" {
		options += " -c logging_collector=on -c log_destination=stderr,jsonlog -c log_directory=" + s.dir + " -c log_filename=server.log"
	}
	if err := s.run(ctx, "pg_ctl", "-D", data, "-l", filepath.Join(s.dir, "log"), "-w", "-t", "30", "-o", options, "start"); err != nil {
		return err
	}
	s.URL = fmt.Sprintf("postgres://%s@127.0.0.1:%d/postgres?sslmode=disable", who, port)
	return nil
}

func (s *Server) dropRoot() error {
	if os.Geteuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("run PostgreSQL as root's stand-in: %w", err)
	}
	uid, errU := strconv.ParseUint(account.Uid, 10, 32)
	gid, errG := strconv.ParseUint(account.Gid, 10, 32)
	if errU != nil || errG != nil {
		return fmt.Errorf("run PostgreSQL as postgres: uid %q, gid %q", account.Uid, account.Gid)
	}
	s.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.dir, int(uid), int(gid))
}

func (s *Server) run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: s.cred}
	if s.password != "" {
		cmd.Env = append(os.Environ(), "PGPASSWORD="+s.password)
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second // the server that pg_ctl leaves behind keeps the pipe open
	if err := cmd.Run(); err != nil && !bytes.Contains(said.Bytes(), []byte("server started")) {
		return fmt.Errorf("%s: %w: %s", name, err, said.String())
	}
	return nil
}

// NewDatabase makes an empty database on the server and is its URL.
func (s *Server) NewDatabase(ctx context.Context) (string, error) { return s.create(ctx) }

// Copy makes another database that holds what one holds to which nobody is connected, and is its URL.
func (s *Server) Copy(ctx context.Context, where string) (string, error) {
	of, err := url.Parse(where)
	if err != nil {
		return "", err
	}
	return s.create(ctx, "--template", strings.TrimPrefix(of.Path, "/"))
}

func (s *Server) create(ctx context.Context, how ...string) (string, error) {
	name := fmt.Sprintf("test_%d", s.made.Add(1))
	to, err := url.Parse(s.URL)
	if err != nil {
		return "", err
	}
	args := append([]string{"-h", to.Hostname(), "-p", to.Port(), "-U", "keyholder"}, how...)
	if err := s.run(ctx, "createdb", append(args, name)...); err != nil {
		return "", err
	}
	to.Path = "/" + name
	return to.String(), nil
}

// Log is what the server has logged.
func (s *Server) Log() (string, error) {
	said, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil || s.password == "" {
		return string(said), err
	}
	more, err := os.ReadFile(filepath.Join(s.dir, "server.log"))
	return string(said) + string(more), err
}

// Stop ends the server and removes all it kept.
func (s *Server) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err := s.run(ctx, "pg_ctl", "-D", filepath.Join(s.dir, "data"), "-m", "immediate", "-w", "stop")
	if removeErr := os.RemoveAll(s.dir); err == nil {
		err = removeErr
	}
	return err
}
