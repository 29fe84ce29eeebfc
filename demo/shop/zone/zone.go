package zone

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"

	"github.com/miekg/dns"

	"keyholder/demo/shop/control"
)

// Update is the call by which a hold names an update of the zone.
const Update = "DNS UPDATE"

// Config is what the name server needs.
type Config struct {
	Listen     string // host:port, for UDP and TCP
	Dir        string
	SecretFile string            // base64; made with mode 0600 if it is missing
	Sites      map[string]string // host:port by slug
	Writer     string            // the slug that a new zone points to
	Holds      *control.Holds    // may be nil
	Log        *slog.Logger      // may be nil
	Ready      func()            // called once both ports are open; may be nil
}

// Zone is the name server.
type Zone struct {
	cfg    Config
	secret string
	fresh  records

	mu      sync.RWMutex
	db      *sql.DB // nil while it does not run
	watch   *watchedListener
	content content
}

// New reads the secret, or makes one.
func New(cfg Config) (*Zone, error) {
	key, err := secret(cfg.SecretFile)
	if err != nil {
		return nil, err
	}
	if _, known := cfg.Sites[cfg.Writer]; !known {
		return nil, fmt.Errorf("the zone has no site %q to point to", cfg.Writer)
	}
	if cfg.Holds == nil {
		cfg.Holds = control.NewHolds()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	fresh, err := first(cfg.Sites, cfg.Writer)
	if err != nil {
		return nil, fmt.Errorf("make the first zone: %w", err)
	}
	return &Zone{cfg: cfg, secret: key, fresh: fresh}, nil
}

// Run serves until ctx ends.
func (z *Zone) Run(ctx context.Context) error {
	db, err := control.OpenFile(ctx, filepath.Join(z.cfg.Dir, "zone.db"), schema)
	if err != nil {
		return err
	}
	loaded, err := load(ctx, db, z.fresh)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	z.mu.Lock()
	z.db, z.content = db, loaded
	z.mu.Unlock()
	err = z.serve(ctx)
	z.mu.Lock()
	defer z.mu.Unlock()
	z.db = nil
	return errors.Join(err, db.Close())
}

// Changes counts the updates that had an effect, since the shop was made.
func (z *Zone) Changes() int { return z.now().changes }

func (z *Zone) now() content {
	z.mu.RLock()
	defer z.mu.RUnlock()
	return z.content
}

func (z *Zone) watching() *watchedListener {
	z.mu.RLock()
	defer z.mu.RUnlock()
	return z.watch
}

// update decides and saves under one lock, so of two updates with the same prerequisite one is refused. It returns the
// code to answer with.
func (z *Zone) update(ctx context.Context, m *dns.Msg) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	changed, code := z.content.records.apply(m)
	if code != dns.RcodeSuccess || changed.equal(z.content.records) {
		return code
	}
	next := content{records: changed, serial: z.content.serial + 1, changes: z.content.changes + 1}
	if z.db == nil || ctx.Err() != nil {
		return dns.RcodeServerFailure
	}
	// The caller no longer counts: from here on the effect is decided.
	if err := save(context.WithoutCancel(ctx), z.db, next); err != nil {
		z.cfg.Log.Error("the zone was not saved", "error", err)
		return dns.RcodeServerFailure
	}
	z.content = next
	return code
}

// listen opens the same port for both transports.
func (z *Zone) listen(ctx context.Context) (net.PacketConn, net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", z.cfg.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("the name server cannot listen at %s: %w", z.cfg.Listen, err)
	}
	packets, err := config.ListenPacket(ctx, "udp", z.cfg.Listen)
	if err != nil {
		err = fmt.Errorf("the name server cannot listen at %s: %w", z.cfg.Listen, err)
		return nil, nil, errors.Join(err, listener.Close())
	}
	return packets, listener, nil
}
