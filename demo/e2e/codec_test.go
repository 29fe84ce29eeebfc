package e2e_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"keyholder/demo/temporal"
	"keyholder/workflows"
)

// engine is a Temporal in this process.
func engine(t *testing.T) (address string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	config := temporal.Config{
		Dir: t.TempDir(), Namespace: "codec", Log: slog.New(slog.DiscardHandler), Ready: func() { close(ready) },
		Ports: temporal.Ports{Frontend: freePort(t), History: freePort(t), Matching: freePort(t)},
	}
	go func() { ended <- temporal.Run(ctx, config) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("Temporal is not ready: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return config.Address()
}

func reach(t *testing.T, o client.Options, namespace string) client.Client {
	t.Helper()
	o.Namespace, o.Logger = namespace, sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	c, err := client.DialContext(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// historyOf is what Temporal keeps of a process, event by event.
func historyOf(t *testing.T, c client.Client, id string) *history.History {
	t.Helper()
	all := &history.History{}
	events := c.GetWorkflowHistory(t.Context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		all.Events = append(all.Events, event)
	}
	return all
}

// shows says whether a text stands in a history, however it is spelt.
func shows(t *testing.T, h *history.History, text string) bool {
	t.Helper()
	raw, err := proto.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := protojson.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	all := string(raw) + string(asJSON)
	return slices.ContainsFunc(spellings(text), func(s string) bool { return strings.Contains(all, s) })
}

// The texts that a small process is told, hears and fails with.
const (
	toldText   = "told: the plan for Leeds"
	saidText   = "said: Ines approves it"
	failedText = "failed: the panel at leeds.example said no"
	endedText  = "ended: as Ines asked"
)

// retell hears an update, has an activity fail with a text, and ends with another.
func retell(ctx workflow.Context, told string) (string, error) {
	var heard string
	if err := workflow.SetUpdateHandler(ctx, "say", func(_ workflow.Context, said string) (string, error) { heard = said; return said, nil }); err != nil {
		return "", err
	}
	if err := workflow.Await(ctx, func() bool { return heard != "" && workflow.AllHandlersFinished(ctx) }); err != nil {
		return "", err
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
	err := workflow.ExecuteActivity(ctx, "fail", told).Get(ctx, nil)
	var why *sdk.ApplicationError
	if !errors.As(err, &why) || why.Message() != failedText || told != toldText || heard != saidText {
		return "", fmt.Errorf("read %q and %q, and the activity ended with %w", told, heard, err)
	}
	return endedText, nil
}

func fail(context.Context, string) error {
	return sdk.NewNonRetryableApplicationError(failedText, "refused", nil, failedText)
}

// tell runs the small process through a client and answers with what Temporal keeps of it.
func tell(t *testing.T, c client.Client, id string) *history.History {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	w := worker.New(c, id, worker.Options{})
	w.RegisterWorkflow(retell)
	w.RegisterActivity(fail)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: id}, retell, toldText)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: "say", Args: []any{saidText}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		t.Fatal(err)
	}
	var heard, ended string
	if err := handle.Get(ctx, &heard); err != nil || heard != saidText {
		t.Errorf("the update answered %q: %v", heard, err)
	}
	if err := run.Get(ctx, &ended); err != nil || ended != endedText {
		t.Errorf("the process ended with %q: %v", ended, err)
	}
	return historyOf(t, c, id)
}

func TestTemporalKeepsNothingThatItCouldRead(t *testing.T) {
	t.Parallel()
	address := engine(t)
	codec, err := workflows.NewCodec(workflows.Key{Name: "one", Value: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	encrypted := tell(t, reach(t, codec.Through(client.Options{HostPort: address}), "codec"), "encrypted")
	plain := tell(t, reach(t, client.Options{HostPort: address}, "codec"), "plain")
	for _, text := range []string{toldText, saidText, failedText, endedText, "codec_test.go"} {
		if shows(t, encrypted, text) {
			t.Errorf("Temporal can read %q", text)
		}
		if text != "codec_test.go" && !shows(t, plain, text) {
			t.Errorf("without a key %q is not found: the test looks in the wrong place", text)
		}
	}
}

// codec is the one of this demo, by the key in its folder.
func (w *world) codec() *workflows.Codec {
	w.t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.dir, "temporal-key"))
	if err != nil {
		w.t.Fatal(err)
	}
	value, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := workflows.NewCodec(workflows.Key{Name: "demo", Value: value})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}
