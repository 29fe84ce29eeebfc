package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"keyholder/demo/provider"
	"keyholder/demo/reporting"
	"keyholder/demo/stack"
	"keyholder/internal/config"
)

type runCommand struct {
	Parts bool `help:"Run each part in a process of its own, so that one can be killed and the others live."`
}

// Run starts everything and stays in the foreground until it is told to stop.
func (r runCommand) Run(ctx context.Context, log *slog.Logger) (err error) {
	d, err := open(ctx)
	if err != nil {
		return err
	}
	unlock, err := d.folder.Lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := d.portsFree(ctx); err != nil {
		return err
	}
	parts := d.parts(log)
	if r.Parts {
		if parts, err = d.children(log); err != nil {
			return err
		}
	}
	return stack.Group{Parts: parts, Ready: func() { d.greet(os.Stdout) }}.Run(ctx)
}

// children are the parts as processes of their own.
func (d demo) children(log *slog.Logger) ([]stack.Part, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	processes := &stack.Processes{
		Folder: d.folder, Executable: self, Out: os.Stderr, Log: log,
		Args: func(part string) []string { return []string{"part", part, "--adopted"} },
	}
	var parts []stack.Part
	for _, p := range d.parts(log) {
		parts = append(parts, processes.Part(p.Name, p.After...))
	}
	return parts, nil
}

// greet says what to open and whom to be.
func (d demo) greet(out io.Writer) {
	lines := fmt.Sprintf("\nKeyholder is up.\n\n  Open      %s\n  The shop  http://%s   (break it here)\n  Messages  http://%s   (what people are told)\n\nSign in as:\n", d.settings.PublicURL, d.ports.Address(partPanel), d.ports.Address(partMailbox))
	for _, p := range provider.People() {
		lines += fmt.Sprintf("  %-7s %s\n", p.Username, p.Title)
	}
	if d.unable != nil {
		lines += fmt.Sprintf("\nThere is no reporting database to get access to: %v.\n", d.unable)
	}
	lines += fmt.Sprintf("\nPrograms get their tokens for %s/api/ at %s (docs/api.md says how).\n", d.settings.PublicURL, d.settings.OIDCIssuer)
	lines += fmt.Sprintf("\nState is kept in %s. Ctrl-C stops; the next start goes on from there.\n", d.folder.Path())
	if _, err := io.WriteString(out, lines); err != nil {
		slog.Error("greet", "error", err)
	}
}

type partCommand struct {
	Name    string `arg:"" enum:"temporal,provider,mailbox,shop,identity,reporting,portal" help:"The part."`
	Adopted bool   `hidden:"" help:"Started by run --parts."`
}

// Run runs one part in the foreground.
func (p partCommand) Run(ctx context.Context, log *slog.Logger) error {
	ready := func() {}
	if p.Adopted {
		ctx, ready = stack.Adopted(ctx)
	}
	d, err := open(ctx)
	if err != nil {
		return err
	}
	for _, part := range d.parts(log) {
		if part.Name == p.Name {
			return part.Run(ctx, ready)
		}
	}
	return fmt.Errorf("there is no part %q", p.Name)
}

type forgetCommand struct{}

// Run removes the demo's folder, unless a demo is running on it.
func (forgetCommand) Run(ctx context.Context) error {
	settings, err := config.Load("")
	if err != nil {
		return err
	}
	if _, err := os.Stat(settings.DemoDir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	d, err := open(ctx)
	if err != nil {
		return err
	}
	unlock, err := d.folder.Lock()
	if err != nil {
		return err
	}
	return errors.Join(unlock(), reporting.Forget(d.reporting(nil)), os.RemoveAll(d.folder.Path()))
}
