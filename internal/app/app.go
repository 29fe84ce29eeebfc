package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"keyholder/internal/catalog"
	"keyholder/internal/config"
	"keyholder/internal/connector"
	"keyholder/internal/connector/dnsc"
	"keyholder/internal/connector/httpc"
	"keyholder/internal/connector/pgrole"
	"keyholder/internal/fault"
	"keyholder/internal/notify"
	"keyholder/internal/signin"
	"keyholder/internal/store"
	"keyholder/internal/watch"
	"keyholder/web"
	"keyholder/workflows"
)

// Version is what this program calls itself; the linker sets it.
var Version = "dev" //nolint:gochecknoglobals // set by -ldflags

// Connectors are all kinds of real system that the product can look at, act on, and give access to.
func Connectors() connector.All {
	secrets := connector.NewSecrets(config.Lookup)
	return connector.All{
		Acts:   connector.NewSet(httpc.New(secrets), dnsc.New(secrets)),
		Access: connector.NewGranters(pgrole.New(secrets), httpc.NewAccess(secrets)),
		Logs:   connector.NewActivityLogs(pgrole.NewLog(secrets), httpc.NewActivity(secrets)),
	}
}

// Told says what is wrong with what a record tells the connectors that there are.
func Told(in catalog.Catalog, e catalog.Entry) fault.Wrong {
	return workflows.Told(Connectors(), in, e)
}

// Parts says which parts of the product a process runs.
type Parts struct {
	Portal bool
	Worker bool
	Ready  func() // called once when all parts are up; may be nil
}

// Run runs the parts until ctx ends.
func Run(ctx context.Context, c config.Config, parts Parts, log *slog.Logger) error {
	if err := check(c, parts); err != nil {
		return err
	}
	codec, err := codec(c)
	if err != nil {
		return err
	}
	if !codec.Encrypts() {
		log.WarnContext(ctx, "KEYHOLDER_TEMPORAL_KEYS is not set: Temporal keeps what processes are told and answer unencrypted")
	}
	kept, err := store.Open(ctx, c.Database, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err := kept.Close(); err != nil {
			log.Error("close the database", "error", err)
		}
	}()
	if err := kept.CheckSchema(ctx); err != nil {
		return err
	}
	temporal, err := client.NewLazyClient(codec.Through(client.Options{
		HostPort: c.TemporalAddress, Namespace: c.TemporalNamespace, Logger: sdklog.NewStructuredLogger(quiet(log)),
		ConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{grpc.WithConnectParams(soon)}},
	}))
	if err != nil {
		return fmt.Errorf("prepare the way to Temporal: %w", err)
	}
	defer temporal.Close()
	return run(ctx, c, parts, kept, temporal, codec, log)
}

// soon finds a Temporal that is back within a second, whatever it was away for: by itself a client comes to look each ten seconds only, and
// access that should be gone waits for it.
var soon = grpc.ConnectParams{ //nolint:gochecknoglobals // a constant
	Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
	MinConnectTimeout: 5 * time.Second,
}

func check(c config.Config, parts Parts) error {
	if parts.Portal {
		return c.CheckPortal()
	}
	return c.CheckDatabase()
}

func run(ctx context.Context, c config.Config, parts Parts, kept *store.Store, temporal client.Client, codec *workflows.Codec, log *slog.Logger) error {
	processes := workflows.NewClient(temporal, c.TemporalTaskQueue)
	group, ctx := errgroup.WithContext(ctx)
	if parts.Worker {
		kinds := Connectors()
		activities := workflows.NewActivities(kept, kinds.Acts, kinds.Access, c.CallsAtOnce)
		mail, err := mailer(c)
		if err != nil {
			return err
		}
		watcher := &watch.Watch{
			Store: kept, Connectors: kinds, Start: processes.Start, SeeWrites: activities.SeeWrites, Modes: activities, Mail: mail, Channels: poster(), PublicURL: c.PublicURL, Log: log,
		}
		group.Go(func() error { return watcher.Run(ctx) })
		group.Go(func() error { return work(ctx, temporal, c.TemporalTaskQueue, activities, log) })
	}
	if parts.Portal {
		server, listener, err := portal(ctx, c, kept, processes, codec, log)
		if err != nil {
			return err
		}
		group.Go(func() error { return server.Run(ctx) })
		group.Go(func() error { return serve(ctx, listener, server.Handler()) })
	}
	if parts.Ready != nil {
		parts.Ready()
	}
	return group.Wait()
}

// postWithin bounds one conversation with a service.
const postWithin = 20 * time.Second

// poster posts to chats, pagers and programs, whose addresses are secrets.
func poster() notify.Services {
	http.DefaultClient.Timeout = postWithin // shoutrrr's services post by it, and it would wait for ever
	secrets := connector.NewSecrets(config.Lookup)
	return notify.Services{Resolve: func(reference string) (string, error) {
		secret, err := secrets.Resolve(reference)
		return string(secret.Reveal()), err
	}}
}

// mailer sends mail; nil where no mail server is set.
func mailer(c config.Config) (watch.Mailer, error) {
	if c.MailServer == "" {
		return nil, nil //nolint:nilnil // there is no mail, which is no failure
	}
	secrets := connector.NewSecrets(config.Lookup)
	by, err := notify.NewMail(c.MailServer, c.MailFrom, func() (string, error) {
		secret, err := secrets.Resolve(c.MailPassword)
		return string(secret.Reveal()), err
	})
	if err != nil {
		return nil, fmt.Errorf("KEYHOLDER_MAIL_SERVER and KEYHOLDER_MAIL_FROM: %w", err)
	}
	return by, nil
}

// work runs the worker as soon as Temporal answers, and again when it comes back after having been away too long.
func work(ctx context.Context, temporal client.Client, queue string, a *workflows.Activities, log *slog.Logger) error {
	for {
		w := workflows.NewWorkers(temporal, queue, a)
		if err := w.Start(); err == nil {
			<-ctx.Done()
			w.Stop()
			return nil
		} else if ctx.Err() == nil {
			log.WarnContext(ctx, "the worker waits for Temporal", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func portal(ctx context.Context, c config.Config, kept *store.Store, processes *workflows.Client, codec *workflows.Codec, log *slog.Logger) (*web.Server, net.Listener, error) {
	proxies, err := c.Proxies()
	if err != nil {
		return nil, nil, err
	}
	secrets := connector.NewSecrets(config.Lookup)
	in := signin.New(signin.Config{
		Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, RolesClaim: c.OIDCRolesClaim, PublicURL: c.PublicURL, APIAudience: c.APIAudience,
		ClientSecret: func() (string, error) {
			secret, err := secrets.Resolve(c.OIDCClientSecret)
			return string(secret.Reveal()), err
		},
	}, kept)
	server, err := web.New(web.Config{
		PublicURL: c.PublicURL, Issuer: c.OIDCIssuer, Version: Version, TrustedProxies: proxies, Mail: c.MailServer != "", Files: NewFiles(kept), Told: Told,
		Decode: codec.DecodeJSON,
	}, kept, processes, in, log)
	if err != nil {
		return nil, nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("the portal cannot listen on %s (KEYHOLDER_LISTEN): %w", c.Listen, err)
	}
	return server, listener, nil
}

// The patience of the server.
const (
	headerWithin = 10 * time.Second
	idleFor      = 2 * time.Minute
	stopWithin   = 3 * time.Second
)

// serve answers until ctx ends; open streams are cut then.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerWithin, IdleTimeout: idleFor,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		ended <- server.Shutdown(stopping)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the portal: %w", err)
	}
	if err := <-ended; err != nil {
		return errors.Join(fmt.Errorf("stop the portal: %w", err), server.Close())
	}
	return nil
}

// quiet leaves Temporal's own chatter out of the log.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(atLeast{log.Handler(), slog.LevelError}) }

// atLeast passes on only what is at least as bad as a level.
type atLeast struct {
	slog.Handler
	level slog.Level
}

// Enabled says whether a level is bad enough.
func (h atLeast) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// WithAttrs keeps the level.
func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(attrs), h.level}
}

// WithGroup keeps the level.
func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.Handler.WithGroup(name), h.level}
}
