package web_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"

	"keyholder/internal/store"
	"keyholder/workflows"
)

const decodeAt = "/api/codec/decode"

// keptInTemporal is what a process keeps there, as Temporal's tools send it.
func keptInTemporal(t *testing.T, c *workflows.Codec, said ...string) string {
	t.Helper()
	var all []*commonpb.Payload
	for _, text := range said {
		all = append(all, &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"` + text + `"`)})
	}
	kept, err := c.Encode(all)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(&commonpb.Payloads{Payloads: kept})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestWhoReadsWhatProcessesKeepIsOnRecordAndWhatTheyReadIsNot(t *testing.T) {
	p, provider := serving(t)
	pat := p.program(t, provider, "platform-engineers")
	got := pat.ask(t, "POST", decodeAt, keptInTemporal(t, testCodec(t), "Ines approves", "Ben approves")).want(t, 200)
	var out commonpb.Payloads
	if err := json.Unmarshal([]byte(got.raw), &out); err != nil || len(out.Payloads) != 2 || string(out.Payloads[1].Data) != `"Ben approves"` {
		t.Errorf("answered %s: %v", got.raw, err)
	}
	other, err := workflows.NewCodec(workflows.Key{Name: "lost", Value: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	if lost := pat.ask(t, "POST", decodeAt, keptInTemporal(t, other, "Ines approves")).want(t, 422); !strings.Contains(lost.at("detail"), `"lost"`) {
		t.Errorf("without the key: %s", lost.raw)
	}
	pat.ask(t, "POST", decodeAt, `{"payloads": 1}`).want(t, 422)
	pat.ask(t, "POST", decodeAt, "{").want(t, 400)
	pat.ask(t, "POST", decodeAt, `{"payloads": [{"data": "`+strings.Repeat("A", 3<<20)+`"}]}`).want(t, 200)
	pat.ask(t, "POST", decodeAt, `{"payloads": [{"data": "`+strings.Repeat("A", 5<<20)+`"}]}`).want(t, 413)
	lines, err := p.Record(p.ctx, store.Filter{Action: "process.decode", Limit: 10})
	if err != nil || len(lines) != 3 {
		t.Fatalf("%d lines: %v", len(lines), err)
	}
	first, failed := lines[2], lines[1]
	if first.Actor.Name != "Program of platform-engineers" || first.Outcome != "done" || string(first.Detail) != `{"payloads":2}` || failed.Outcome != "failed" {
		t.Errorf("on record: %+v, then %+v", first, failed)
	}
	if all, err := json.Marshal(lines); err != nil || strings.Contains(string(all), "Ines") || strings.Contains(p.log.String(), "Ines") {
		t.Errorf("what was read is on record or in the log: %s %s", all, p.log)
	}
}

func TestNobodyEncryptsFromOutside(t *testing.T) {
	p, provider := serving(t)
	p.program(t, provider, "administrators").ask(t, "POST", "/api/codec/encode", `{"payloads": []}`).want(t, 404)
}

// testCodec is the codec of every portal here.
func testCodec(t *testing.T) *workflows.Codec {
	t.Helper()
	c, err := workflows.NewCodec(workflows.Key{Name: "test", Value: bytes.Repeat([]byte("t"), 32)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
