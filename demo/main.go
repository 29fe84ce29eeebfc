package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is the demo's command line.
type commands struct {
	Run    runCommand    `cmd:"" default:"withargs" help:"Start everything, in the foreground."`
	Part   partCommand   `cmd:"" help:"Run one part by itself: temporal, provider, mailbox, shop, identity, reporting or portal."`
	Forget forgetCommand `cmd:"" help:"Forget everything the demo knows."`
}

func main() {
	var c commands
	line := kong.Parse(&c, kong.Name("keyholder-demo"), kong.Description("Keyholder with everything it needs, and a shop to fail over."), kong.UsageOnError())
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	line.BindTo(ctx, (*context.Context)(nil))
	line.Bind(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	err := line.Run()
	cancel()
	line.FatalIfErrorf(err)
}
