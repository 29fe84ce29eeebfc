package canonical_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"keyholder/internal/canonical"
)

// slowly is the form as it was first written, which every digest on record was made of: decoded into maps, written again.
func slowly(t *testing.T, v any) []byte {
	t.Helper()
	plain, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(plain))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(tree); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func FuzzTheFormStaysAsDigestsOnRecordNeedIt(f *testing.F) {
	for _, seed := range []string{
		`{"b":1,"a":{"d":[3,1,2],"c":null}}`, `{"text":"<a href=\"x\">&\u2028\u2029\u0000\b\f\n\r\t\u001f\u007f é 😀"}`,
		`[1e3,1E400,0.10,-0,1.0,12345678901234567890]`, `"\ud800"`, `{"é":1,"e":2,"":3,"z":{}}`, `[]`, `{"a":"\/"}`, `true`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v any
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		if decoder.Decode(&v) != nil {
			return
		}
		got, err := canonical.JSON(v)
		if err != nil {
			t.Fatal(err)
		}
		if want := slowly(t, v); !bytes.Equal(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
		again, err := canonical.JSON(json.RawMessage(got))
		if err != nil || !bytes.Equal(again, got) {
			t.Errorf("again it is %s, not %s: %v", again, got, err)
		}
	})
}

func TestWhatMeansTheSameHasTheSameDigest(t *testing.T) {
	one, err := canonical.Digest("keyholder/test/1", json.RawMessage(`{"a":1,"b":[{"x":"<","y":2}]}`))
	if err != nil {
		t.Fatal(err)
	}
	other, err := canonical.Digest("keyholder/test/1", json.RawMessage(` { "b" : [ {"y":2, "x":"\u003c"} ], "a" : 1 } `))
	if err != nil {
		t.Fatal(err)
	}
	if one != other {
		t.Error("two ways to write the same have two digests")
	}
	if prefixed, err := canonical.Digest("keyholder/test/2", json.RawMessage(`{"a":1,"b":[{"x":"<","y":2}]}`)); err != nil || prefixed == one {
		t.Errorf("what a digest is of is not part of it: %v", err)
	}
}
