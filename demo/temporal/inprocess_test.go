package temporal

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// startInProcess runs a server, of which where its state is is given, until the returned function is called or the test ends.
func startInProcess(tb testing.TB, c Config) (ports Ports, stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.Ports, c.Namespace, c.Log = freePorts(tb), namespace, slog.New(slog.DiscardHandler)
	ready, ended := make(chan struct{}), make(chan error, 1)
	c.Ready = func() { close(ready) }
	go func() { ended <- Run(ctx, c) }()
	select {
	case <-ready:
	case err := <-ended:
		tb.Fatalf("not ready: %v", err)
	}
	var stopped bool
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("server ended with %v", err)
		}
	}
	tb.Cleanup(stop)
	return c.Ports, stop
}

// vote ends with the first word that is not empty.
func vote(ctx workflow.Context) (string, error) {
	var word string
	err := workflow.SetUpdateHandlerWithOptions(ctx, "vote",
		func(_ workflow.Context, said string) (int, error) { word = said; return len(said), nil },
		workflow.UpdateHandlerOptions{Validator: func(said string) error {
			if said == "" {
				return errors.New("say something")
			}
			return nil
		}})
	if err != nil {
		return "", err
	}
	err = workflow.Await(ctx, func() bool { return word != "" && workflow.AllHandlersFinished(ctx) })
	return word, err
}

// TestUpdatesWorkWithoutTheWorkerService: the parts that run are enough for all that the product asks of a server.
func TestUpdatesWorkWithoutTheWorkerService(t *testing.T) {
	dir := t.TempDir()
	ports, stop := startInProcess(t, Config{Dir: dir})
	c := dial(t, ports)
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(vote)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "vote", TaskQueue: queue}, vote)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := update(t, c, "u1", ""); err == nil || !strings.Contains(err.Error(), "say something") {
		t.Errorf("an invalid update: %v", err)
	}
	for range 2 { // an update with the same id is the same update
		if got, err := update(t, c, "u2", "yes"); err != nil || got != 3 {
			t.Errorf("update = %d, %v", got, err)
		}
	}
	var word string
	if err := run.Get(t.Context(), &word); err != nil || word != "yes" {
		t.Errorf("workflow = %q, %v", word, err)
	}
	w.Stop()
	stop()

	ports, _ = startInProcess(t, Config{Dir: dir})
	awaitListed(t, dial(t, ports))
}

func update(t *testing.T, c client.Client, id, word string) (int, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: "vote", UpdateID: id, UpdateName: "vote", Args: []any{word},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return 0, err
	}
	var length int
	return length, handle.Get(ctx, &length)
}

// awaitListed returns once the list of workflows, which follows the histories, shows the closed one.
func awaitListed(t *testing.T, c client.Client) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		list, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: namespace, Query: "WorkflowId = 'vote' AND ExecutionStatus = 'Completed'",
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.GetExecutions()) == 1 {
			return
		}
	}
	t.Fatal("the workflow of before the restart is not listed")
}
