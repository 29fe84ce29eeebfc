package workflows

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"keyholder/internal/fault"
)

// keyOf is a key whose value follows from its name.
func keyOf(name string) Key {
	return Key{name, bytes.Repeat([]byte(name[:1]), 32)}
}

func codecOf(t *testing.T, names ...string) *Codec {
	t.Helper()
	var keys []Key
	for _, name := range names {
		keys = append(keys, keyOf(name))
	}
	c, err := NewCodec(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const known = "Ines approves"

func knownPayload() *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte("json/plain"), "kind": []byte("vote")}, Data: []byte(`"` + known + `"`)}
}

func sealed(t *testing.T, c *Codec, p *commonpb.Payload) *commonpb.Payload {
	t.Helper()
	all, err := c.Encode([]*commonpb.Payload{p})
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %d payloads", err, len(all))
	}
	return all[0]
}

func opened(t *testing.T, c *Codec, p *commonpb.Payload) *commonpb.Payload {
	t.Helper()
	all, err := c.Decode([]*commonpb.Payload{p})
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %d payloads", err, len(all))
	}
	return all[0]
}

func TestWhatIsEncryptedIsReadBackWhole(t *testing.T) {
	c := codecOf(t, "one")
	for name, p := range map[string]*commonpb.Payload{"a value": knownPayload(), "nothing": {}, "much": {Data: make([]byte, 2<<20)}} {
		kept := sealed(t, c, p)
		raw, err := proto.Marshal(kept)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(known)) || bytes.Contains(raw, []byte("vote")) {
			t.Errorf("%s: it can be read: %q", name, raw)
		}
		if diff := cmp.Diff(p, opened(t, c, kept), protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTheSameContentLooksDifferentEachTime(t *testing.T) {
	c := codecOf(t, "one")
	seen := map[string]bool{}
	for range 1000 {
		seen[string(sealed(t, c, knownPayload()).Data[:12])] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d nonces for 1000 payloads", len(seen))
	}
}

func TestTheFirstKeyEncryptsAndAllDecrypt(t *testing.T) {
	before, after := codecOf(t, "one"), codecOf(t, "two", "one")
	if got := opened(t, after, sealed(t, before, knownPayload())); string(got.Data) != `"`+known+`"` {
		t.Errorf("after the change of keys: %v", got)
	}
	kept := sealed(t, after, knownPayload())
	if got := string(kept.Metadata[metadataKeyID]); got != "two" {
		t.Errorf("encrypted with %s", got)
	}
	if _, err := before.Decode([]*commonpb.Payload{kept}); !errors.Is(err, ErrSealed) || !strings.Contains(err.Error(), `"two"`) {
		t.Errorf("a key that is not there: %v", err)
	}
}

// TestWhatWasChangedIsNotRead: whichever bit of it, and the name of its key. The error names the key and nothing else.
func TestWhatWasChangedIsNotRead(t *testing.T) {
	c, err := NewCodec(keyOf("one"), Key{"other", keyOf("one").Value})
	if err != nil {
		t.Fatal(err)
	}
	kept := sealed(t, c, knownPayload())
	spoilt := map[string]*commonpb.Payload{}
	for i := range kept.Data {
		p := proto.Clone(kept).(*commonpb.Payload)
		p.Data[i] ^= 1
		spoilt[fmt.Sprintf("bit of byte %d", i)] = p
	}
	for _, n := range []int{0, 1, 11, 12, 27, len(kept.Data) - 1} {
		p := proto.Clone(kept).(*commonpb.Payload)
		p.Data = p.Data[:n]
		spoilt[fmt.Sprintf("cut to %d", n)] = p
	}
	renamed := proto.Clone(kept).(*commonpb.Payload)
	renamed.Metadata[metadataKeyID] = []byte("other") // the same key by another name
	spoilt["another name"] = renamed
	for name, p := range spoilt {
		_, err := c.Decode([]*commonpb.Payload{p})
		if !errors.Is(err, ErrSealed) || !strings.Contains(err.Error(), string(p.Metadata[metadataKeyID])) || strings.Contains(err.Error(), "Ines") {
			t.Errorf("%s: %v", name, err)
		}
	}
	nameless := proto.Clone(kept).(*commonpb.Payload)
	delete(nameless.Metadata, metadataKeyID)
	if _, err := c.Decode([]*commonpb.Payload{nameless}); !errors.Is(err, ErrSealed) {
		t.Errorf("without the name of a key: %v", err)
	}
	absurd := proto.Clone(kept).(*commonpb.Payload)
	absurd.Metadata[metadataKeyID] = []byte(strings.Repeat("\n", 1000))
	if _, err := c.Decode([]*commonpb.Payload{absurd}); err == nil || len(err.Error()) > 250 || strings.Contains(err.Error(), "\n") {
		t.Errorf("an absurd name: %v", err)
	}
}

func TestWhatIsNotEncryptedPasses(t *testing.T) {
	for _, c := range []*Codec{codecOf(t, "one"), codecOf(t)} {
		if diff := cmp.Diff(knownPayload(), opened(t, c, knownPayload()), protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
	none := codecOf(t)
	if diff := cmp.Diff(knownPayload(), sealed(t, none, knownPayload()), protocmp.Transform()); diff != "" || none.Encrypts() {
		t.Errorf("without a key: %s", diff)
	}
}

func TestKeysThatCannotBeRightAreRefused(t *testing.T) {
	one := keyOf("one")
	for name, c := range map[string]struct {
		keys []Key
		says string
	}{
		"too short":     {[]Key{{"one", make([]byte, 16)}}, "16 bytes"},
		"the same name": {[]Key{one, one}, "two keys with the name one"},
		"no name":       {[]Key{one, {"", one.Value}}, "name of key 2"},
		"a key as name": {[]Key{{base64.RawStdEncoding.EncodeToString(one.Value), one.Value}}, "name of key 1"},
	} {
		if _, err := NewCodec(c.keys...); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "b29v") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManyEncryptAtOnce(t *testing.T) {
	c := codecOf(t, "two", "one")
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 50 {
				p := &commonpb.Payload{Data: fmt.Appendf(nil, "%d of %d", j, i)}
				kept, err := c.Encode([]*commonpb.Payload{p, p})
				if err != nil {
					t.Error(err)
					return
				}
				if plain, err := c.Decode(kept); err != nil || len(plain) != 2 || !proto.Equal(plain[1], p) {
					t.Errorf("%v %v", err, plain)
				}
			}
		})
	}
	all.Wait()
}

func TestErrorsAreEncryptedToo(t *testing.T) {
	o := codecOf(t, "one").Through(client.Options{})
	failure := o.FailureConverter.ErrorToFailure(temporal.NewApplicationError(known, "kind", known))
	raw, err := proto.Marshal(failure)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("Ines")) {
		t.Errorf("it can be read: %s", raw)
	}
	back := o.FailureConverter.FailureToError(failure)
	var app *temporal.ApplicationError
	var detail string
	if !errors.As(back, &app) || app.Message() != known || app.Type() != "kind" || app.Details(&detail) != nil || detail != known {
		t.Errorf("read back as %v with %q", back, detail)
	}
	plain := codecOf(t).Through(client.Options{})
	if got := plain.FailureConverter.ErrorToFailure(errors.New(known)).Message; got != known {
		t.Errorf("without a key: %q", got)
	}
}

// TestAProcessThatCannotReadWaitsForTheKey: it does not fail, for then nobody would carry on what it began.
func TestAProcessThatCannotReadWaitsForTheKey(t *testing.T) {
	two, one := codecOf(t, "two").converter(), codecOf(t, "one").converter()
	kept, err := two.ToPayloads(known)
	if err != nil {
		t.Fatal(err)
	}
	var said string
	if err := one.FromPayloads(kept, &said); !errors.Is(err, ErrSealed) {
		t.Errorf("outside a process: %v", err)
	}
	inside := one.(workflow.ContextAware).WithWorkflowContext(nil)
	for name, read := range map[string]func() error{
		"values": func() error { return inside.FromPayloads(kept, &said) },
		"one":    func() error { return inside.FromPayload(kept.Payloads[0], &said) },
	} {
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, ErrSealed) || !strings.Contains(err.Error(), `"two"`) {
					t.Errorf("%s: stopped by %v", name, err)
				}
			}()
			t.Errorf("%s: it went on with %v", name, read())
		}()
	}
	var number int
	plain, err := one.ToPayloads(known)
	if err != nil {
		t.Fatal(err)
	}
	if err := inside.FromPayloads(plain, &number); err == nil { // text is no number, whatever the key
		t.Error("text was read as a number")
	}
}

func TestAProcessRunsByTheCodec(t *testing.T) {
	suite := &testsuite.WorkflowTestSuite{}
	env := suite.NewTestWorkflowEnvironment()
	o := codecOf(t, "one").Through(client.Options{})
	env.SetDataConverter(o.DataConverter)
	env.SetFailureConverter(o.FailureConverter)
	echo := func(_ workflow.Context, said string) (string, error) { return said + "!", nil }
	env.RegisterWorkflow(echo)
	env.ExecuteWorkflow(echo, known)
	var got string
	if err := env.GetWorkflowResult(&got); err != nil || got != known+"!" {
		t.Errorf("%q %v", got, err)
	}
}

func TestToolsAreAnsweredInTheirJSON(t *testing.T) {
	c := codecOf(t, "one")
	kept := sealed(t, c, knownPayload())
	body, err := json.Marshal(&commonpb.Payloads{Payloads: []*commonpb.Payload{kept, knownPayload()}})
	if err != nil {
		t.Fatal(err)
	}
	answer, asked, err := c.DecodeJSON(body)
	if err != nil || asked != 2 {
		t.Fatalf("%d payloads: %v", asked, err)
	}
	var out struct {
		Payloads []struct {
			Metadata map[string][]byte
			Data     []byte
		}
	}
	if err := json.Unmarshal(answer, &out); err != nil || len(out.Payloads) != 2 || string(out.Payloads[0].Data) != `"`+known+`"` || string(out.Payloads[0].Metadata["encoding"]) != "json/plain" {
		t.Errorf("answered %s: %v", answer, err)
	}
	if _, asked, err := codecOf(t, "two").DecodeJSON(body); asked != 2 || fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), `"one"`) {
		t.Errorf("without the key: %d, %v", asked, err)
	}
	for _, body := range []string{"", "[]", "null", `{"payloads":[null]}`, `{"payloads":[{"data":"%"}]}`, `{"other":1}`} {
		if answer, asked, err := c.DecodeJSON([]byte(body)); asked != 0 || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %s, %d, %v", body, answer, asked, err)
		}
	}
}
