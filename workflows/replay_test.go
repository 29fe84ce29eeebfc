package workflows

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"
)

// TestProcessesThatBeganUnderAnOlderProgramGoOn replays histories that were kept from real runs. One that does not
// replay would stand still in production after an upgrade: change the process behind workflow.GetVersion, and keep a
// new history beside the old ones.
func TestProcessesThatBeganUnderAnOlderProgramGoOn(t *testing.T) {
	files, err := filepath.Glob("testdata/histories/*.json.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no histories: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			packed, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			body, err := gzip.NewReader(bytes.NewReader(packed))
			if err != nil {
				t.Fatal(err)
			}
			history, err := client.HistoryFromJSON(body, client.HistoryJSONOptions{})
			if err != nil {
				t.Fatal(err)
			}
			replay(t, client.Options{}, history)
			through := codecOf(t, "two", "one").Through(client.Options{})
			replay(t, through, history) // it began before there was a key
			encrypt(t, codecOf(t, "one"), history)
			replay(t, through, history)
		})
	}
}

func replay(t *testing.T, o client.Options, h *history.History) {
	t.Helper()
	by, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: o.DataConverter, FailureConverter: o.FailureConverter})
	if err != nil {
		t.Fatal(err)
	}
	by.RegisterWorkflowWithOptions(Failover, workflow.RegisterOptions{Name: failoverWorkflow})
	by.RegisterWorkflowWithOptions(Degraded, workflow.RegisterOptions{Name: degradedWorkflow})
	if err := by.ReplayWorkflowHistory(nil, proto.Clone(h).(*history.History)); err != nil {
		t.Error(err)
	}
}

// encrypt makes a history look as if the product had kept it with a key.
func encrypt(t *testing.T, c *Codec, h *history.History) {
	t.Helper()
	found := 0
	err := proxy.VisitPayloads(t.Context(), h, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true,
		Visitor: func(_ *proxy.VisitPayloadsContext, p []*common.Payload) ([]*common.Payload, error) {
			found += len(p)
			return c.Encode(p)
		},
	})
	if err != nil || found == 0 {
		t.Fatalf("%d payloads: %v", found, err)
	}
}
