package mailbox

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Config is where the mailbox listens and keeps what arrives.
type Config struct {
	Mail, Page string // host:port of the mail server, and of the page and the hooks
	Dir        string
	Ready      func() // called once both listen; may be nil
	Log        *slog.Logger
}

type server struct {
	cfg     Config
	box     *box
	page    *template.Template
	mailing func() // called once mail is taken
}

// Run takes messages until ctx ends.
func Run(ctx context.Context, cfg Config) (err error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("make the mailbox's folder: %w", err)
	}
	s := &server{cfg: cfg}
	if s.page, err = parsePage(); err != nil {
		return fmt.Errorf("parse the mailbox's page: %w", err)
	}
	if s.box, err = openBox(filepath.Join(cfg.Dir, "messages.jsonl")); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.box.file.Close()) }()
	group, ctx := errgroup.WithContext(ctx)
	mailing := make(chan struct{})
	s.mailing = sync.OnceFunc(func() { close(mailing) })
	group.Go(func() error { return s.serveMail(ctx) })
	group.Go(func() error { return s.servePage(ctx, mailing) })
	return group.Wait()
}

// servePage serves the page and the hooks; it is ready once mail is taken too.
func (s *server) servePage(ctx context.Context, mailing <-chan struct{}) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.cfg.Page)
	if err != nil {
		return fmt.Errorf("the mailbox cannot be shown at %s: %w", s.cfg.Page, err)
	}
	pages := &http.Server{Handler: s.routes(), ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = pages.Close() }) // it ends either way
	defer stop()
	select {
	case <-mailing:
		if s.cfg.Ready != nil {
			s.cfg.Ready()
		}
	case <-ctx.Done():
	}
	if err := pages.Serve(listener); err != nil && ctx.Err() == nil {
		return fmt.Errorf("the mailbox's page stopped: %w", err)
	}
	return nil
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.show)
	mux.HandleFunc("GET /page.css", style)
	mux.HandleFunc("GET /messages", s.list)
	mux.HandleFunc("POST /hooks/{name}", s.hook)
	return http.NewCrossOriginProtection().Handler(mux)
}
