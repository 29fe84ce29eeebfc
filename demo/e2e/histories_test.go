package e2e_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"

	"keyholder/internal/store"
	"keyholder/workflows"
)

// keepHistory writes the history of a process into the folder that KEYHOLDER_HISTORIES names, for the replay tests of
// package workflows.
func (w *world) keepHistory(name, code string) {
	w.t.Helper()
	dir := os.Getenv("KEYHOLDER_HISTORIES")
	if dir == "" {
		return
	}
	temporal, err := client.DialContext(w.t.Context(), client.Options{
		HostPort: fmt.Sprintf("127.0.0.1:%d", w.ports["temporal-frontend"]), Namespace: "keyholder",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	defer temporal.Close()
	all := &history.History{}
	id := workflows.FailoverID(code)
	if strings.HasPrefix(code, store.ModeCode) {
		id = workflows.DegradedID(code)
	}
	events := temporal.GetWorkflowHistory(w.t.Context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			w.t.Fatal(err)
		}
		all.Events = append(all.Events, event)
	}
	body, err := protojson.Marshal(all)
	if err != nil {
		w.t.Fatal(err)
	}
	body = sticky.ReplaceAll(identity.ReplaceAll(body, []byte(`"identity":"keyholder"`)), []byte(`"name":"sticky"`))
	if err := pack(filepath.Join(dir, name+".json.gz"), body); err != nil {
		w.t.Fatal(err)
	}
	w.t.Logf("%s: %d events", name, len(all.Events))
}

// identity and sticky tell of the machine that a run was on, which is nobody's business later.
var (
	identity = regexp.MustCompile(`"identity":\s*"[^"]*"`)
	sticky   = regexp.MustCompile(`"name":\s*"[^":]*:[0-9a-f-]{36}"`)
)

func pack(path string, body []byte) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	packed := gzip.NewWriter(file)
	if _, err := packed.Write(body); err != nil {
		return err
	}
	return packed.Close()
}
