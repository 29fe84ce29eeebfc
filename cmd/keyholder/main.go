// Command keyholder is the one program of the product.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"keyholder/internal/app"
	"keyholder/internal/config"
)

// commands is the command line.
type commands struct {
	Config string `help:"YAML file of settings; the environment (KEYHOLDER_...) goes before it." type:"existingfile"`

	Serve   serve   `cmd:"" help:"Serve the portal."`
	Worker  worker  `cmd:"" help:"Carry out failovers and watch signals."`
	Migrate migrate `cmd:"" help:"Bring the database to the newest schema."`
	Catalog struct {
		Validate validate `cmd:"" help:"Read files and say what is wrong with them."`
		Plan     plan     `cmd:"" help:"Say what applying files would change."`
		Apply    apply    `cmd:"" help:"Put files in force, all or nothing."`
		Export   export   `cmd:"" help:"Write all that is in force as one file."`
		Schema   schema   `cmd:"" help:"Write the JSON Schema of a record, for editors."`
	} `cmd:"" help:"What the retailer has, and who may do what."`
	Plan struct {
		Publish publish `cmd:"" help:"Put a plan file in force; votes on open requests of older versions are void."`
	} `cmd:"" help:"Recipes of recoveries."`
	Version version `cmd:"" help:"Say which version this is."`
}

func main() {
	var c commands
	line := kong.Parse(&c, kong.Name("keyholder"), kong.Description("Failovers that need approval, carried out durably, on a record that can be proved."), kong.UsageOnError())
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, line, &c)
	cancel()
	line.FatalIfErrorf(err)
}

func run(ctx context.Context, line *kong.Context, c *commands) error {
	settings, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	level, err := settings.Level()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	line.BindTo(ctx, (*context.Context)(nil))
	return line.Run(settings, log)
}

type serve struct {
	WithWorker bool `help:"Run the worker in the same process."`
}

// Run serves the portal.
func (s serve) Run(ctx context.Context, c config.Config, log *slog.Logger) error {
	ready := func() { log.Info("keyholder is up", "open", c.PublicURL) }
	return app.Run(ctx, c, app.Parts{Portal: true, Worker: s.WithWorker, Ready: ready}, log)
}

type worker struct{}

// Run runs the worker.
func (worker) Run(ctx context.Context, c config.Config, log *slog.Logger) error {
	return app.Run(ctx, c, app.Parts{Worker: true}, log)
}

type migrate struct{}

// Run migrates the database.
func (migrate) Run(ctx context.Context, c config.Config) error {
	return app.Migrate(ctx, c)
}

type publish struct {
	Files []string `arg:"" help:"Files or folders of plans." type:"existing"`
}

// Run publishes plans.
func (p publish) Run(ctx context.Context, c config.Config) error {
	return say(app.PublishPlans(ctx, c, p.Files))
}

type version struct{}

// Run says the version.
func (version) Run() error {
	_, err := fmt.Println("keyholder", app.Version)
	return err
}
