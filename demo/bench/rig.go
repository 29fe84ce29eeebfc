package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"keyholder/demo/stack"
	"keyholder/demo/temporal"
	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/failover"
	"keyholder/internal/store"
	"keyholder/workflows"
)

// queue is the task queue of the bench.
const queue = "bench"

// rig is the product's engine and a bare peer on one embedded Temporal server.
type rig struct {
	store      *store.Store
	record     *sql.DB // the store's database, for what a bench cannot wait for
	onPostgres bool    // it is a PostgreSQL
	temporal   client.Client
	processes  *workflows.Client
	activities *workflows.Activities
	ines, bea  access.Principal
	stop       func() error
}

// newRig keeps everything in files.
func newRig(ctx context.Context) (*rig, error) { return newRigOn(ctx, nil) }

// newRigOn keeps what the product and Temporal keep on a PostgreSQL; without one, in files.
func newRigOn(ctx context.Context, on *durable) (*rig, error) {
	dir, err := os.MkdirTemp("", "keyholder-bench-")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	address, ended, err := server(ctx, dir, on)
	if err != nil {
		cancel()
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	r := &rig{onPostgres: on != nil}
	if err := r.product(ctx, dir, on, address); err != nil {
		cancel()
		return nil, errors.Join(err, <-ended, os.RemoveAll(dir))
	}
	w := r.workers()
	r.stop = func() error {
		w.Stop()
		r.temporal.Close()
		cancel()
		return errors.Join(r.record.Close(), r.store.Close(), <-ended, os.RemoveAll(dir))
	}
	return r, w.Start()
}

// workers carry out the product's processes and the peers.
func (r *rig) workers() workflows.Workers {
	r.activities = workflows.NewActivities(r.store, connector.NewSet(nothing{}, flags{}), connector.NewGranters(instant{}), callsAtOnce)
	w := workflows.NewWorkers(r.temporal, queue, r.activities)
	also := w.Registry()
	also.RegisterWorkflowWithOptions(bare, workflow.RegisterOptions{Name: "bare"})
	also.RegisterActivity(empty)
	also.RegisterWorkflowWithOptions(bareCalls, workflow.RegisterOptions{Name: "bareCalls"})
	also.RegisterActivity(flagCall)
	also.RegisterWorkflowWithOptions(bareEnd, workflow.RegisterOptions{Name: "bareEnd"})
	also.RegisterActivity(bareGive)
	also.RegisterActivity(bareTake)
	return w
}

// server starts the embedded Temporal and waits until it is ready.
func server(ctx context.Context, dir string, on *durable) (address string, ended chan error, err error) {
	var ports [3]int
	for i := range ports {
		if ports[i], err = stack.FreePort(ctx, nil); err != nil {
			return "", nil, err
		}
	}
	ready := make(chan struct{})
	ended = make(chan error, 1)
	config := temporal.Config{
		Dir: filepath.Join(dir, "temporal"), Namespace: "bench", Ready: func() { close(ready) },
		Ports: temporal.Ports{Frontend: ports[0], History: ports[1], Matching: ports[2]},
		Log:   slog.New(slog.DiscardHandler),
	}
	if on != nil {
		config.Postgres = on.temporal()
	}
	go func() { ended <- temporal.Run(ctx, config) }()
	select {
	case <-ready:
		return config.Address(), ended, nil
	case err := <-ended:
		return "", nil, fmt.Errorf("start Temporal: %w", err)
	}
}

func (r *rig) product(ctx context.Context, dir string, on *durable, address string) (err error) {
	where := filepath.Join(dir, "keyholder.db")
	driver, raw := "sqlite", store.SQLiteName(where, true)
	if on != nil {
		where = on.url(productDatabase)
		driver, raw = "pgx", where
	}
	if err := store.Migrate(ctx, where); err != nil {
		return err
	}
	if r.store, err = store.Open(ctx, where, nil); err != nil {
		return err
	}
	if r.record, err = sql.Open(driver, raw); err != nil {
		return err
	}
	r.temporal, err = client.DialContext(ctx, client.Options{HostPort: address, Namespace: "bench", Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return fmt.Errorf("reach Temporal: %w", err)
	}
	r.processes = workflows.NewClient(r.temporal, queue)
	if _, err := r.store.Apply(ctx, access.Person{ID: "bench", Name: "bench"}, catalogOf(4, 20, 40), store.Manner{}); err != nil {
		return err
	}
	usual := failover.Reading{Key: failover.SignalKey("volume"), Usual: 1, At: r.store.Now()}
	if err := r.store.SaveReadings(ctx, []failover.Reading{usual}); err != nil {
		return err
	}
	if r.ines, err = someone(ctx, r.store, "Ines"); err != nil {
		return err
	}
	r.bea, err = someone(ctx, r.store, "Bea")
	return err
}

// The groups of who commands, which is everybody else here, and of who owns the business.
const (
	commanders = "incident-commanders"
	owners     = "business-owners"
)

func someone(ctx context.Context, s *store.Store, name string) (access.Principal, error) {
	id, err := s.SignIn(ctx, store.Identity{Issuer: "bench", Subject: name, Name: name, Groups: []string{commanders}, SignedInAt: s.Now()})
	if err != nil {
		return access.Principal{}, err
	}
	p, _, err := s.Principal(ctx, id)
	return p, err
}

// planOf is the slug of the plan with some number of steps.
func planOf(steps int) string { return fmt.Sprintf("steps-%d", steps) }

// catalogOf is a catalogue with a plan for each number of steps, whose connectors do nothing.
func catalogOf(sizes ...int) store.Bundle {
	b := store.Bundle{
		Records: slices.Collect(catalog.New(catalog.Catalog{
			Settings: catalog.Settings{Currency: "GBP"},
			Assignments: []catalog.Assignment{
				{Slug: commanders, Name: "Commanders", Role: access.IncidentCommander, Group: commanders},
				{Slug: owners, Name: "Owners", Role: access.BusinessOwner, Group: owners},
			},
			Policies:     catalog.ShippedPolicies(),
			Sites:        []catalog.Site{{Slug: "leeds", Name: "Leeds"}, {Slug: "dublin", Name: "Dublin"}},
			Tiers:        []catalog.Tier{{Slug: "tier-1", Name: "Tier 1", RTO: catalog.Duration(15 * time.Minute)}},
			Capabilities: []catalog.Capability{{Slug: "checkout", Name: "Checkout", RevenuePerHour: 540000}},
			DataSets:     []catalog.DataSet{{Slug: "orders", Name: "Orders", WriterSites: []string{"leeds", "dublin"}, Position: position()}},
			Services:     []catalog.Service{{Slug: "checkout", Name: "Checkout", Tier: "tier-1", Capability: "checkout", DataSets: []string{"orders"}, Pattern: catalog.ActivePassive}},
			Signals:      []catalog.Signal{signalOf("success", catalog.Success), signalOf("volume", catalog.Volume)},
		}).Entries()),
	}
	for _, n := range sizes {
		b.Plans = append(b.Plans, plan(n))
	}
	return b
}

func signalOf(slug string, kind catalog.SignalKind) catalog.Signal {
	return catalog.Signal{Slug: slug, Name: slug, Kind: kind, Service: "checkout", Observe: json.RawMessage(`{}`), Pointer: "/n"}
}

func position() catalog.Position {
	return catalog.Position{Observe: json.RawMessage(`{}`), Newest: "/n", NewestAt: "/t", LagRecords: "/n", LagSeconds: "/n", Writer: "/b"}
}

// plan has fence, loss and promotion, and acts up to the wanted number of steps.
func plan(n int) failover.Plan {
	check := failover.Check{Slug: "c", Name: "c", Connector: "http", Params: json.RawMessage(`{}`), Expect: json.RawMessage(`[]`)}
	act := func(slug string, p failover.Purpose) failover.Step {
		return failover.Step{Slug: slug, Name: slug, Purpose: p, Connector: "http", Params: json.RawMessage(`{}`), Expected: catalog.Duration(time.Second)}
	}
	p := failover.Plan{
		Slug: planOf(n), Name: planOf(n), Recovery: "move", Services: []string{"checkout"}, DataSet: "orders",
		Sites: []string{"leeds", "dublin"}, Gates: []failover.Check{check},
		Steps: []failover.Step{act("fence", failover.FenceStep), {Slug: "loss", Name: "loss", Purpose: failover.LossStep}, act("promote", failover.PromoteStep)},
		Verify: failover.Verify{
			Hold: catalog.Duration(time.Millisecond), Within: catalog.Duration(time.Minute), Success: "success", Volume: "volume", Residual: check,
		},
		WriteSeen: check, Backlog: check, Protection: check, UnsavedKept: "/n",
	}
	for i := len(p.Steps); i < n; i++ {
		p.Steps = append(p.Steps, act(fmt.Sprintf("act-%d", i), failover.ActStep))
	}
	return p
}

// nothing is a connector to a system that is always as it should be.
type nothing struct{}

func (nothing) Kind() string                   { return "http" }
func (nothing) Check(connector.Params) error   { return nil }
func (nothing) System(connector.Params) string { return "nothing" }

func (nothing) Observe(context.Context, connector.Params) (connector.Observation, error) {
	return connector.Observation{Source: "nothing", At: time.Now(), Body: json.RawMessage(`{"n":0,"t":"2026-03-01T02:11:00Z","b":false}`)}, nil
}

func (nothing) Apply(context.Context, string, connector.Params) (connector.Evidence, error) {
	return connector.Evidence{Did: "nothing"}, nil
}

func (nothing) Stands(context.Context, connector.Params) (bool, string, connector.Observation) {
	return true, "", connector.Observation{}
}

func (nothing) Undo(context.Context, string, connector.Params) (connector.Evidence, error) {
	return connector.Evidence{Did: "nothing"}, nil
}

// bare is the peer: as many empty activities, one after another.
func bare(ctx workflow.Context, n int) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Second})
	for range n {
		if err := workflow.ExecuteActivity(ctx, empty).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func empty(context.Context) error { return nil }

func (r *rig) timeBare(ctx context.Context, n int) (time.Duration, error) {
	began := time.Now()
	run, err := r.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: queue}, "bare", n)
	if err != nil {
		return 0, err
	}
	err = run.Get(ctx, nil)
	return time.Since(began), err
}
