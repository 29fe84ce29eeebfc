package workflows

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
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
			replayer := worker.NewWorkflowReplayer()
			replayer.RegisterWorkflowWithOptions(Failover, workflow.RegisterOptions{Name: failoverWorkflow})
			replayer.RegisterWorkflowWithOptions(Degraded, workflow.RegisterOptions{Name: degradedWorkflow})
			if err := replayer.ReplayWorkflowHistory(nil, history); err != nil {
				t.Error(err)
			}
		})
	}
}
