package workflows

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"

	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	rules "keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// Activities are what the processes do: one transaction in the record each, and acts on real systems through
// connectors between two of them.
type Activities struct {
	store      *store.Store
	connectors connector.Set
	granters   connector.Granters
	crowd      crowd
	rooms      *connector.Rooms // for what is switched, given and taken by the hundred
}

// NewActivities acts through the given connectors. Of degraded modes and of people's access so many act on one system at once; a
// failover waits for none.
func NewActivities(s *store.Store, c connector.Set, g connector.Granters, callsAtOnce int) *Activities {
	return &Activities{store: s, connectors: c, granters: g, rooms: connector.NewRooms(callsAtOnce)}
}

// Stand is where a process stands by the record.
type Stand struct {
	Next    rules.Directive `json:"next"`
	Expires time.Time       `json:"expires"`
}

// Stand reads off the record where a process stands: its run, or its request where there is no run yet.
func (a *Activities) Stand(ctx context.Context, code string) (Stand, error) {
	request, err := a.store.Request(ctx, code)
	if fault.KindOf(err) == fault.NotFound {
		return Stand{Next: rules.Directive{Do: rules.DoEnd}}, nil // somebody posted to an address that they made up
	}
	if err != nil {
		return Stand{}, fmt.Errorf("see where %s stands: %w", code, err)
	}
	stand := Stand{Next: request.Next(), Expires: request.ExpiresAt}
	run, err := a.store.Run(ctx, code)
	switch {
	case err == nil:
		stand.Next = run.Next()
	case fault.KindOf(err) != fault.NotFound:
		return Stand{}, fmt.Errorf("see where %s stands: %w", code, err)
	}
	return stand, nil
}

// Decide counts a vote.
func (a *Activities) Decide(ctx context.Context, v store.Vote) (store.Outcome, error) {
	return a.store.Decide(ctx, v)
}

// Withdraw takes a request back.
func (a *Activities) Withdraw(ctx context.Context, in store.Amend) (store.Outcome, error) {
	return a.store.Withdraw(ctx, in)
}

// Confirm reopens the voting.
func (a *Activities) Confirm(ctx context.Context, in store.Amend) (store.Outcome, error) {
	return a.store.ConfirmAnew(ctx, in)
}

// Expire closes a request that nobody decided in time.
func (a *Activities) Expire(ctx context.Context, code string) (rules.Directive, error) {
	return a.store.Expire(ctx, code)
}

// Claim makes the run of an approved request.
func (a *Activities) Claim(ctx context.Context, code string) (rules.Directive, error) {
	return a.store.Claim(ctx, code)
}

// Command does to a run what a person asked for. An abort after promotion looks at the target first.
func (a *Activities) Command(ctx context.Context, c store.Command) (store.Outcome, error) {
	if c.Steer == rules.SteerAbort {
		run, err := a.store.Run(ctx, c.Code)
		if err == nil {
			c.WriteSeen, c.WriteUnknown = a.written(ctx, run)
		} else if fault.KindOf(err) != fault.NotFound { // which the store refuses, on record
			return store.Outcome{}, err
		}
	}
	return a.store.Command(ctx, c)
}

// written looks whether the target has accepted a write. Where that cannot be seen it may have.
func (a *Activities) written(ctx context.Context, run rules.Run) (seen, unknown bool) {
	if !run.TargetMayWrite() {
		return false, false
	}
	seen, observation, err := a.lookForWrite(ctx, run)
	return seen, err != nil || observation.Error != ""
}

func (a *Activities) lookForWrite(ctx context.Context, run rules.Run) (bool, connector.Observation, error) {
	plan, err := a.store.Plan(ctx, run.Terms.Plan, run.Terms.PlanVersion)
	if err != nil {
		return false, connector.Observation{}, err
	}
	vars, err := a.variables(ctx, run)
	if err != nil {
		return false, connector.Observation{}, err
	}
	seen, _, observation := a.check(ctx, plan.What.WriteSeen, vars)
	return seen, observation, nil
}

// SeeWrites notes the point of no return of every run whose target may write, whatever the run is doing.
func (a *Activities) SeeWrites(ctx context.Context) error {
	runs, err := a.store.OpenRuns(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if !run.TargetMayWrite() || run.Times.FirstWrite != nil {
			continue
		}
		seen, observation, err := a.lookForWrite(ctx, run)
		if err != nil {
			return err
		}
		if !seen {
			continue
		}
		if _, err := a.store.SawWrite(ctx, run.Code, observation); err != nil {
			return err
		}
	}
	return nil
}

// ground is the catalogue that the run was approved on: an address that is changed meanwhile is not where it was to act.
func (a *Activities) ground(ctx context.Context, run rules.Run) (store.CatalogVersion, error) {
	return a.store.CatalogAt(ctx, run.Terms.Catalog)
}

// variables are what a plan's parameters may refer to: the sites' addresses and the run.
func (a *Activities) variables(ctx context.Context, run rules.Run) (map[string]string, error) {
	version, err := a.ground(ctx, run)
	if err != nil {
		return nil, err
	}
	return Variables(version.Catalog, run.Terms.From, run.Terms.To, run.Code), nil
}

// Variables are what a plan's parameters may refer to when it moves between two sites.
func Variables(c catalog.Catalog, from, to, code string) map[string]string {
	vars := map[string]string{"run.code": code}
	for name, slug := range map[string]string{"from": from, "to": to} {
		site, _ := c.Site(slug)
		vars[name+".slug"] = slug
		for address, value := range site.Addresses {
			vars[name+"."+address] = value
		}
	}
	return vars
}

// checkWithin bounds how long one look at a condition may take.
const checkWithin = 3 * time.Second

// check looks whether a condition holds. What cannot be seen does not.
func (a *Activities) check(ctx context.Context, c rules.Check, vars map[string]string) (holds bool, why string, seen connector.Observation) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	var want []connector.Expectation
	params, err := connector.Fill(c.Params, vars)
	if err == nil {
		want, err = connector.Condition(c.Expect, vars)
	}
	var kind connector.Connector
	if err == nil {
		kind, err = a.connectors.Get(c.Connector)
	}
	if err == nil {
		seen, err = kind.Observe(ctx, params)
	}
	if err != nil {
		seen.Error = connector.Words(err)
		return false, seen.Error, seen
	}
	holds, why = connector.Holds(seen, want)
	return holds, why, seen
}

// alive heartbeats until the activity ends, so that a worker that dies is noticed.
func alive(ctx context.Context) (stop func()) { return aliveEvery(ctx, 400*time.Millisecond) }

func aliveEvery(ctx context.Context, rhythm time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		tick := time.NewTicker(rhythm)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return cancel
}

// pause waits, or ends early with the activity.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
