package connector

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyholder/internal/fault"
)

func TestFill(t *testing.T) {
	vars := map[string]string{
		"from.site": "leeds", "to.site": "dublin", "n": "80", "quote": `a"b\c`, "self": "${self}", "empty": "",
		"markup": "<b>&</b>", "two words": "x",
	}
	for _, c := range []struct{ name, in, want string }{
		{"inside text", `{"url":"http://x/${from.site}/${to.site}"}`, `{"url":"http://x/leeds/dublin"}`},
		{"a string stays a string", `{"v":"${n}"}`, `{"v":"80"}`},
		{"in lists and deeper", `[["${n}",{"a":["${empty}"]}]]`, `[["80",{"a":[""]}]]`},
		{"keys are left alone", `{"${from.site}":1}`, `{"${from.site}":1}`},
		{"values cannot break out", `{"v":"${quote}"}`, `{"v":"a\"b\\c"}`},
		{"no expansion of what was filled in", `{"v":"${self}"}`, `{"v":"${self}"}`},
		{"markup stays itself", `{"v":"${markup}"}`, `{"v":"<b>&</b>"}`},
		{"numbers keep every digit", `{"v":90071992547409930001.50}`, `{"v":90071992547409930001.50}`},
		{"a lone dollar and brace", `{"v":"$5 } {$ $"}`, `{"v":"$5 } {$ $"}`},
		{"dollar before a variable", `{"v":"$${n}}"}`, `{"v":"$80}"}`},
		{"any name", `{"v":"${two words}"}`, `{"v":"x"}`},
		{"other values", `{"a":null,"b":true,"c":[]}`, `{"a":null,"b":true,"c":[]}`},
	} {
		got, err := Fill(json.RawMessage(c.in), vars)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestFillRefusesWhatItCannotFillWhole(t *testing.T) {
	vars := map[string]string{"x": strings.Repeat("x", 60<<10), "bad": "\xff", "nul": "\x00", "n": "1"}
	for _, c := range []struct{ name, in, says string }{
		{"unknown name", `{"v":"a ${from.host} b"}`, "${from.host} is not a known variable"},
		{"empty name", `{"v":"${}"}`, "${} is not a known variable"},
		{"not closed", `{"v":"${n} ${n"}`, "without a closing }"},
		{"only the opening", `{"v":"${"}`, "without a closing }"},
		{"nested", `{"v":"${a${n}}"}`, "${a${n} is not a known variable"},
		{"grows too large", `{"v":"${x}${x}"}`, "too large"},
		{"grows too large in many places", `[` + strings.Repeat(`"${x}",`, 4000) + `1]`, "too large"},
		{"a value that is no text", `{"v":"${bad}"}`, "not valid text"},
		{"a value with NUL", `{"v":"${nul}"}`, "not valid text"},
		{"no JSON", `{"v":`, "not valid JSON"},
		{"nothing", ``, "not valid JSON"},
		{"invalid UTF-8", "{\"v\":\"\xff\"}", "not valid UTF-8"},
		{"NUL", `{"v":"\u0000"}`, "NUL"},
		{"deep", strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000), "nested deeper"},
		{"deeper than any reader", strings.Repeat(`[`, 30000) + strings.Repeat(`]`, 30000), "not valid JSON"},
		{"huge", `"` + strings.Repeat("a", 1<<20) + `"`, "more than 65536 bytes"},
		{"a key twice", `{"url":"a","url":"b"}`, `"url" is there twice`},
		{"a number out of all bounds", `{"n":1e99999999999}`, "out of all bounds"},
		{"a number too long", `{"n":1` + strings.Repeat("0", 2000) + `}`, "digits"},
	} {
		got, err := Fill(json.RawMessage(c.in), vars)
		if err == nil || got != nil {
			t.Errorf("%s: filled to %.100s", c.name, got)
			continue
		}
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.says)
		}
	}
}

func TestVariables(t *testing.T) {
	in := `{"a":"${to.b} ${from.a}","k${no}":["${to.b}",{"c":"${from.c}${"}]}`
	if diff := cmp.Diff([]string{"from.a", "from.c", "to.b"}, Variables(json.RawMessage(in))); diff != "" {
		t.Error(diff)
	}
	if got := Variables(json.RawMessage(`{`)); len(got) != 0 {
		t.Errorf("of no document: %v", got)
	}
}

// Filling exactly the variables that were listed works or refuses for the text's own sake; with one of them missing it
// never works; and what comes out has the shape that went in.
func FuzzFill(f *testing.F) {
	f.Add([]byte(`{"a":"${x}","b":["${y} ${x}",1e5,null]}`), "value")
	f.Add([]byte(`{"a":"${"}`), "${x}")
	f.Add([]byte("{\"a\":\"\xf0\x28${}\"}"), "\xff")
	f.Add([]byte(`"\ud800${x}"`), `"},"evil":{"`)
	f.Fuzz(func(t *testing.T, doc []byte, value string) {
		names := Variables(doc)
		vars := map[string]string{}
		for _, name := range names {
			vars[name] = value
		}
		filled, err := Fill(doc, vars)
		if err == nil {
			if got, want := shape(t, filled), shape(t, doc); got != want {
				t.Errorf("shape %s became %s", want, got)
			}
		}
		if len(names) == 0 {
			return
		}
		delete(vars, names[0])
		if _, err := Fill(doc, vars); err == nil {
			t.Errorf("filled without %q", names[0])
		}
	})
}

// shape is a document with its strings emptied.
func shape(t *testing.T, doc []byte) string {
	t.Helper()
	v, err := decodeAny(doc)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := encode(emptied(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func emptied(v any) any {
	switch v := v.(type) {
	case string:
		return ""
	case map[string]any:
		for key := range v {
			v[key] = emptied(v[key])
		}
	case []any:
		for i := range v {
			v[i] = emptied(v[i])
		}
	}
	return v
}
