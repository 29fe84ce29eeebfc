package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/request"
	"keyholder/ent/run"
	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

func runOf(row *ent.Run) failover.Run {
	return failover.Run{
		ID: row.ID, RequestID: row.RequestID, Code: row.Code, Incident: row.Incident, Terms: row.Terms,
		Requester: access.Person{ID: row.RequesterID, Name: row.RequesterName}, State: row.State, Wait: row.Wait, Why: row.Why,
		PauseWanted: row.PauseWanted, Steps: row.Steps, Loss: row.Loss, Obligations: row.Obligations,
		Exceptions: row.Exceptions, Times: row.Times, Version: row.Revision,
	}
}

// holding are the states in which a run has its data set to itself, from checking gates to verifying.
var holding = []failover.State{
	failover.Checking, failover.Blocked, failover.Running, failover.Paused, failover.Verifying, failover.Undoing,
}

func loadRun(ctx context.Context, c *ent.Client, code string) (failover.Run, error) {
	row, err := c.Run.Query().Where(run.Code(code)).Only(ctx)
	if ent.IsNotFound(err) {
		return failover.Run{}, fault.Missing("run", code)
	}
	if err != nil {
		return failover.Run{}, fmt.Errorf("load run %s: %w", code, err)
	}
	return runOf(row), nil
}

// saveRun writes what can change, guarded by the version that was loaded.
func (t *tx) saveRun(r failover.Run) error {
	update := t.Run.Update().Where(run.ID(r.ID), run.Revision(r.Version)).
		SetState(r.State).SetWait(r.Wait).SetWhy(r.Why).SetPauseWanted(r.PauseWanted).SetSteps(r.Steps).
		SetObligations(r.Obligations).SetExceptions(r.Exceptions).SetTimes(r.Times).SetRevision(r.Version + 1)
	if r.Loss != nil {
		update.SetLoss(r.Loss)
	}
	if !slices.Contains(holding, r.State) {
		update.ClearHolds()
	}
	n, err := update.Save(t.ctx)
	if err != nil {
		return fmt.Errorf("save run %s: %w", r.Code, err)
	}
	if n == 0 {
		return errStale
	}
	t.changed = true
	return nil
}

// Claim makes the run of an approved request, once ever. Asked again it says how the run stands.
func (s *Store) Claim(ctx context.Context, code string) (failover.Directive, error) {
	var next failover.Directive
	err := s.act(ctx, audit.Worker, func(t *tx) error {
		if r, err := loadRun(ctx, t.Client(), code); fault.KindOf(err) != fault.NotFound {
			next = r.Next()
			return err
		}
		request, err := loadRequest(ctx, t.Client(), code)
		if err != nil {
			return err
		}
		request, stands, err := s.orderStands(t, request)
		if err != nil || !stands {
			next = request.Next()
			return err
		}
		plan, err := s.Plan(ctx, request.Terms.Plan, request.Terms.PlanVersion)
		if err != nil {
			return err
		}
		r, err := failover.NewRun(NewID(), request, plan.What, t.now)
		if err != nil {
			return err
		}
		if r.Times.Filed, err = t.firstFiled(request); err != nil {
			return err
		}
		next = r.Next()
		t.record(audit.Event{Action: "run.claim", Object: code, Text: fmt.Sprintf("The run of %s began.", code)})
		return t.createRun(r)
	})
	return next, err
}

// firstFiled is when somebody first asked for a failover since the start of impact: noticing ended then, even where
// that request was rejected.
func (t *tx) firstFiled(r failover.Request) (time.Time, error) {
	if r.Incident == "" {
		return r.FiledAt, nil
	}
	first, err := t.Request.Query().Where(request.Incident(r.Incident), request.FiledAtGTE(r.Impact)).Order(request.ByFiledAt()).First(t.ctx)
	if ent.IsNotFound(err) {
		return r.FiledAt, nil
	}
	if err != nil {
		return r.FiledAt, fmt.Errorf("find the first request of %s: %w", r.Incident, err)
	}
	return first.FiledAt.UTC(), nil
}

func (t *tx) createRun(r failover.Run) error {
	err := t.Run.Create().SetID(r.ID).SetRequestID(r.RequestID).SetCode(r.Code).SetIncident(r.Incident).
		SetRequesterID(r.Requester.ID).SetRequesterName(r.Requester.Name).SetTerms(r.Terms).SetState(r.State).
		SetWait(r.Wait).SetWhy(r.Why).SetPauseWanted(r.PauseWanted).SetSteps(r.Steps).SetTimes(r.Times).
		SetHolds(r.Terms.DataSet).SetStartedAt(r.Times.Started).Exec(t.ctx)
	if err != nil {
		return fmt.Errorf("save run %s: %w", r.Code, err)
	}
	return nil
}

// Run loads a run by its code.
func (s *Store) Run(ctx context.Context, code string) (failover.Run, error) {
	return readOnce(ctx, "run "+code, func() (failover.Run, error) {
		return loadRun(ctx, s.client, code)
	})
}

// OpenRuns loads the runs that are not over, newest first: those that recovered and still owe something are among them.
func (s *Store) OpenRuns(ctx context.Context) ([]failover.Run, error) {
	return s.runs(ctx, "open runs", s.client.Run.Query().Where(run.StateIn(append(slices.Clone(holding), failover.Recovered)...)).Limit(100))
}

// RunsOf loads an incident's runs, newest first.
func (s *Store) RunsOf(ctx context.Context, incident string) ([]failover.Run, error) {
	return s.runs(ctx, "runs of "+incident, s.client.Run.Query().Where(run.Incident(incident)).Limit(50))
}

// LastRuns loads the newest runs of all.
func (s *Store) LastRuns(ctx context.Context, n int) ([]failover.Run, error) {
	return s.runs(ctx, fmt.Sprint("last runs ", n), s.client.Run.Query().Limit(n))
}

func (s *Store) runs(ctx context.Context, key string, q *ent.RunQuery) ([]failover.Run, error) {
	return readOnce(ctx, key, func() ([]failover.Run, error) {
		rows, err := q.Order(run.ByStartedAt(sql.OrderDesc())).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load runs: %w", err)
		}
		runs := make([]failover.Run, len(rows))
		for i, row := range rows {
			runs[i] = runOf(row)
		}
		return runs, nil
	})
}

// changeRun lets change make another run of the one there is, and saves that with its events.
func (s *Store) changeRun(ctx context.Context, code string, change func(*tx, failover.Run) (failover.Run, error)) (failover.Run, error) {
	var after failover.Run
	err := s.act(ctx, audit.Worker, func(t *tx) (err error) {
		var before failover.Run
		before, after, err = s.changed(t, code, change)
		if err != nil {
			return err
		}
		if before.State != after.State {
			t.record(audit.Event{
				Action: "run.state", Object: code, Detail: detail(map[string]any{"from": before.State, "to": after.State, "why": after.Why}),
				Text: fmt.Sprintf("%s is now %s.%s", code, after.State.Words(), spaced(after.Why)),
			})
		}
		return t.saveRun(after)
	})
	if err == nil && !after.State.Final() {
		saved := after
		saved.Version++
		s.saved.Store(code, saved)
	}
	return after, err
}

// changed tries the run that this process saved last, which saves the loading where nobody else has changed it since:
// saving finds that out. Only what would be saved is decided on it; a refusal is decided on the run in the database.
func (s *Store) changed(t *tx, code string, change func(*tx, failover.Run) (failover.Run, error)) (before, after failover.Run, err error) {
	if last, ok := s.saved.LoadAndDelete(code); ok {
		before = last.(failover.Run)
		if after, err = change(t, before); err == nil {
			return before, after, nil
		}
		t.events = nil
	}
	if before, err = loadRun(t.ctx, t.Client(), code); err != nil {
		return before, after, err
	}
	after, err = change(t, before)
	return before, after, err
}

func spaced(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}
