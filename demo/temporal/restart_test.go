package temporal

import (
	"context"
	"os"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

// TestWorkerGoesOnWhileTheServerIsKilledAgainAndAgain keeps one client and one worker through all of it.
func TestWorkerGoesOnWhileTheServerIsKilledAgainAndAgain(t *testing.T) {
	dir, ports := t.TempDir(), freePorts(t)
	s := startServer(t, dir, ports)
	c := dial(t, ports)
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(steps)
	w.RegisterActivity(nothing)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	options := client.StartWorkflowOptions{ID: "long", TaskQueue: queue, WorkflowTaskTimeout: 2 * time.Second}
	if _, err := c.ExecuteWorkflow(t.Context(), options, steps, 300); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		awaitProgress(t, c, "long")
		if err := s.end(os.Kill); err == nil {
			t.Fatal("the server was not killed")
		}
		s = startServer(t, dir, ports)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		options.ID = "after " + began.String()
		run, err := c.ExecuteWorkflow(ctx, options, steps, 1)
		if err == nil {
			err = run.Get(ctx, nil)
		}
		cancel()
		if err != nil {
			t.Fatalf("a new workflow after a restart: %v", err)
		}
		t.Logf("a new workflow ended %s after the restart", time.Since(began))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	if err := c.GetWorkflow(ctx, "long", "").Get(ctx, nil); err != nil {
		t.Fatal(err)
	}
}

// awaitProgress returns once a workflow has made some way from where it is, so that a kill meets it at work.
func awaitProgress(t *testing.T, c client.Client, id string) {
	t.Helper()
	var from int64
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		seen, err := c.DescribeWorkflowExecution(t.Context(), id, "")
		if err != nil {
			t.Fatal(err)
		}
		length := seen.GetWorkflowExecutionInfo().GetHistoryLength()
		if from == 0 {
			from = length
		}
		if length > from+20 {
			return
		}
	}
	t.Fatal("the workflow makes no progress")
}
