package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"keyholder/internal/app"
	"keyholder/internal/config"
	"keyholder/internal/store"
)

// paths are files that commands read.
type paths struct {
	Files []string `arg:"" help:"Files, or folders of YAML files." type:"existing"`
}

// manner is how files are applied.
type manner struct {
	Commit string `help:"The commit that the files come from; it is kept with the change."`
	Why    string `help:"Why the catalogue changes; it is kept with the change."`
	Prune  bool   `help:"Retire what files managed before and do not hold any more."`
	Lock   bool   `help:"Let nothing but files change these records from now on."`
}

func (m manner) manner() store.Manner {
	return store.Manner{Source: m.Commit, Why: m.Why, Prune: m.Prune, Lock: m.Lock}
}

type validate struct{ paths }

// Run reads files against themselves; no database is needed.
func (v validate) Run() error {
	n, err := app.ValidateFiles(v.Files)
	if err != nil {
		return err
	}
	return line(os.Stdout, "%d records are right.", n)
}

type plan struct {
	paths
	manner
}

// Run says what applying would change.
func (p plan) Run(ctx context.Context, c config.Config) error {
	planned, err := app.PlanFiles(ctx, c, p.Files, p.manner.manner())
	if err != nil {
		return err
	}
	for _, change := range planned.Changes {
		if err := sayChange(os.Stdout, change); err != nil {
			return err
		}
	}
	if len(planned.Applied) == 0 {
		return line(os.Stdout, "Nothing would change: all of it is in force already.")
	}
	for _, text := range planned.Applied {
		if err := line(os.Stdout, "%s", text); err != nil {
			return err
		}
	}
	return line(os.Stdout, "This is only what would change. \"keyholder catalog apply\" does it.")
}

func sayChange(w io.Writer, c store.RecordChange) error {
	sign := "~"
	switch {
	case c.Before == nil:
		sign = "+"
	case c.Record == nil:
		sign = "-"
	}
	if err := line(w, "%s %s", sign, c.Ref); err != nil || sign != "~" {
		return err
	}
	for _, d := range c.Differences() {
		if err := line(w, "    %s", d); err != nil {
			return err
		}
	}
	return nil
}

type apply struct {
	paths
	manner
}

// Run puts files in force.
func (a apply) Run(ctx context.Context, c config.Config) error {
	return say(app.ApplyFiles(ctx, c, a.Files, a.manner.manner()))
}

type schema struct{}

// Run writes the JSON Schema of a document.
func (schema) Run() error {
	body, err := app.NewFiles(nil).Schema()
	if err != nil {
		return err
	}
	return line(os.Stdout, "%s", strings.TrimSuffix(string(body), "\n"))
}

type export struct{}

// Run writes everything to the standard output.
func (export) Run(ctx context.Context, c config.Config) error {
	return app.Export(ctx, c, os.Stdout)
}

// say prints what changed, a line each.
func say(applied store.Applied, err error) error {
	if err != nil {
		return err
	}
	if len(applied) == 0 {
		applied = store.Applied{"Nothing changed: all of it is in force already."}
	}
	for _, text := range applied {
		if err := line(os.Stdout, "%s", text); err != nil {
			return err
		}
	}
	return nil
}

func line(w io.Writer, format string, args ...any) error {
	if _, err := fmt.Fprintf(w, format+"\n", args...); err != nil {
		return fmt.Errorf("say what there is to say: %w", err)
	}
	return nil
}
