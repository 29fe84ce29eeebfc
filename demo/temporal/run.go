package temporal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

const (
	readyWithin = 30 * time.Second
	stopWithin  = 3 * time.Second
)

// Run serves until ctx ends and then stops. A state folder that an earlier server left behind, however it ended, is
// taken up where it was.
func Run(ctx context.Context, c Config) error {
	if err := c.validate(); err != nil {
		return err
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return fmt.Errorf("find folder for temporal: %w", err)
	}
	c.Dir = dir
	if err := checkPorts(ctx, c.Ports); err != nil {
		return err
	}
	if err := prepare(ctx, c); err != nil {
		return err
	}
	log := serverLog{to: c.Log, quiet: &atomic.Bool{}}
	server, err := newServer(c, log)
	if err != nil {
		return fmt.Errorf("build temporal server: %w", err)
	}
	if err := server.Start(); err != nil {
		return errors.Join(fmt.Errorf("start temporal server: %w", err), stop(server))
	}
	if err := awaitReady(ctx, c); err != nil {
		return errors.Join(err, stop(server))
	}
	if c.Ready != nil && ctx.Err() == nil {
		c.Ready()
	}
	<-ctx.Done()
	log.quiet.Store(true)
	return stop(server)
}

func newServer(c Config, log log.Logger) (temporal.Server, error) {
	return temporal.NewServer(
		temporal.WithConfig(c.server()),
		temporal.ForServices([]string{
			string(primitives.FrontendService), string(primitives.HistoryService), string(primitives.MatchingService),
		}),
		temporal.WithStaticHosts(c.hosts()),
		temporal.WithLogger(log),
		temporal.WithDynamicConfigClient(settings()),
		// Loopback is the fence: whoever can dial it is on this computer, and the demo keeps no secrets from them.
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper {
			return authorization.NewNoopClaimMapper()
		}),
	)
}

// checkPorts names the part whose port is taken. The server itself would end the whole process over it.
func checkPorts(ctx context.Context, p Ports) error {
	for _, part := range []struct {
		name string
		port int
	}{{"frontend", p.Frontend}, {"history", p.History}, {"matching", p.Matching}} {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", address(part.port))
		if err != nil {
			return fmt.Errorf("temporal %s cannot listen: %w", part.name, err)
		}
		if err := l.Close(); err != nil {
			return fmt.Errorf("release port of temporal %s: %w", part.name, err)
		}
	}
	return nil
}

// stop gives the server a bounded time: everything it holds is committed, so nothing is lost by leaving it behind.
func stop(server temporal.Server) error {
	done := make(chan error, 1)
	go func() { done <- server.Stop() }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("stop temporal server: %w", err)
		}
		return nil
	case <-time.After(stopWithin):
		return fmt.Errorf("temporal server did not stop within %s", stopWithin)
	}
}
