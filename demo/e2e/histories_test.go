package e2e_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"

	"keyholder/internal/store"
	"keyholder/workflows"
)

// temporal is a client of the demo's Temporal, if it lets one in.
func (w *world) temporal(ctx context.Context) (client.Client, error) {
	return client.DialContext(ctx, client.Options{HostPort: fmt.Sprintf("127.0.0.1:%d", w.ports["temporal-frontend"]), Namespace: "keyholder"})
}

// temporalAnswers says whether Temporal is at work: its history knows a process, and its matching hands out what is to be done.
func (w *world) temporalAnswers(process string) bool {
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
	defer cancel()
	c, err := w.temporal(ctx)
	if err != nil {
		return false
	}
	defer c.Close()
	if _, err := c.DescribeWorkflowExecution(ctx, process, ""); err != nil {
		return false
	}
	_, err = c.DescribeTaskQueue(ctx, "keyholder", enums.TASK_QUEUE_TYPE_WORKFLOW)
	return err == nil
}

// keepHistory looks that Temporal cannot read a process. It writes its history, decrypted, into the folder that KEYHOLDER_HISTORIES
// names, for the replay tests of package workflows.
func (w *world) keepHistory(name, code string) {
	w.t.Helper()
	temporal, err := w.temporal(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	defer temporal.Close()
	id := workflows.FailoverID(code)
	if strings.HasPrefix(code, store.ModeCode) {
		id = workflows.DegradedID(code)
	}
	all := historyOf(w.t, temporal, id)
	told := fmt.Sprintf(`{"code":%q}`, code)
	readable := shows(w.t, all, told)
	err = proxy.VisitPayloads(w.t.Context(), all, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true,
		Visitor: func(_ *proxy.VisitPayloadsContext, p []*common.Payload) ([]*common.Payload, error) {
			return w.codec().Decode(p)
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if readable || !shows(w.t, all, told) {
		w.t.Errorf("%s: Temporal can read it, or it cannot be read at all", code)
	}
	dir := os.Getenv("KEYHOLDER_HISTORIES")
	if dir == "" {
		return
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
