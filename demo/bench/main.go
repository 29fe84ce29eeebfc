package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"
)

// figure is one measured number. A limit of 0 only reports.
type figure struct {
	name  string
	value float64
	unit  string
	limit float64
}

func (f figure) line() (text string, short bool) {
	verdict := "ok"
	if f.limit > 0 && f.value > f.limit {
		verdict, short = "short", true
	}
	limit := "-"
	if f.limit > 0 {
		limit = fmt.Sprintf("%g", f.limit)
	}
	return fmt.Sprintf("%-28s %10.3f %-6s %6s %s", f.name, f.value, f.unit, limit, verdict), short
}

// bench is one measurement, which yields some figures. One that takes many minutes is run only where its whole name is given.
type bench struct {
	name string
	run  func(ctx context.Context, o options) ([]figure, error)
	long bool
}

func (b bench) meant(only string) bool {
	return b.name == only || !b.long && strings.Contains(b.name, only)
}

// skipped says why a bench cannot be run on this machine, which is no failure.
type skipped string

func (s skipped) Error() string { return "skipped: " + string(s) }

// options are what the command line says.
type options struct {
	demo   string // the demo's binary
	grants int    // that end within a minute on PostgreSQL
}

func benches() []bench {
	return []bench{
		{name: "step", run: stepCost},
		{name: "decision", run: decisionToGate},
		{name: "deciding", run: deciding},
		{name: "pages", run: pages},
		{name: "start", run: startToReady},
		{name: "impact", run: impactOfASite},
		{name: "catalog", run: catalogPages},
		{name: "apply", run: applying},
		{name: "degraded", run: nowDegraded},
		{name: "switching", run: switchingOn},
		{name: "access", run: accessEnds},
		{name: "access-postgres", run: accessEndsOnPostgres, long: true},
	}
}

func main() {
	demo := flag.String("demo", "../bin/keyholder-demo", "the demo's binary")
	only := flag.String("only", "", "run only the benches whose name holds this; access-postgres takes many minutes and is run only by its whole name")
	grants := flag.Int("grants", 10_000, "so many grants end within a minute in access-postgres; a multiple of 100")
	profile := flag.String("profile", "", "write a CPU profile to this file")
	flag.Parse()
	stop, err := profiled(*profile)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	short, err := run(ctx, options{demo: *demo, grants: *grants}, *only)
	cancel()
	err = errors.Join(err, stop())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || short {
		os.Exit(1)
	}
}

// profiled profiles this process until it is told to stop; no file, no profile.
func profiled(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path) //nolint:gosec // where whoever runs this wants it
	if err != nil {
		return nil, fmt.Errorf("make the profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("start the profile: %w", err), f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

func run(ctx context.Context, o options, only string) (anyShort bool, err error) {
	for _, b := range benches() {
		if !b.meant(only) {
			continue
		}
		figures, err := b.run(ctx, o)
		if why, cannot := errors.AsType[skipped](err); cannot {
			fmt.Printf("%-28s %s\n", b.name, why.Error())
			continue
		}
		for _, f := range figures {
			text, short := f.line()
			anyShort = anyShort || short
			fmt.Println(text)
		}
		if err != nil {
			return anyShort, fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return anyShort, nil
}

func median(of []float64) float64 {
	of = slices.Clone(of)
	slices.Sort(of)
	return of[len(of)/2]
}
