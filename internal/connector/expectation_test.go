package connector

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"keyholder/internal/fault"
)

func seen(body string) Observation {
	return Observation{Source: "GET http://lease/lease", At: time.Unix(1, 0), Body: json.RawMessage(body)}
}

const leaseBody = `{"allowed":"dublin","epoch":3,"ratio":0.990,"big":90071992547409930001,"zero":-0,
	"none":null,"flag":false,"list":[1,"two",{"a/b":{"m~n":7}}],"sites":{"leeds":{"state":"expiring"}},"":"empty key","5":"5"}`

func TestHolds(t *testing.T) {
	for _, c := range []struct {
		name, pointer, is string
		value             any
		want              bool
		why               string
	}{
		{"the words of the design", "/sites/leeds/state", "eq", "fenced", false, "/sites/leeds/state is expiring, wanted fenced"},
		{"met", "/allowed", "eq", "dublin", true, "/allowed is dublin"},
		{"ne", "/allowed", "ne", "dublin", false, "/allowed is dublin, wanted anything but dublin"},
		{"numbers written differently are equal", "/ratio", "eq", 0.99, true, "/ratio is 0.990"},
		{"at least, at its edge", "/ratio", "ge", json.Number("0.99"), true, "/ratio is 0.990"},
		{"more than, at its edge", "/ratio", "gt", 0.99, false, "/ratio is 0.990, wanted more than 0.99"},
		{"minus zero is zero", "/zero", "eq", 0, true, "/zero is -0"},
		{"no float surprise", "/big", "eq", json.Number("90071992547409930000"), false, "/big is 90071992547409930001, wanted 90071992547409930000"},
		{"integers beyond a float are ordered", "/big", "gt", json.Number("90071992547409930000"), true, "/big is 90071992547409930001"},
		{"an exponent", "/epoch", "lt", json.Number("1e1"), true, "/epoch is 3"},
		{"a filled variable is text, and orders as a number", "/epoch", "ge", "2.5", true, "/epoch is 3"},
		{"text is not equal to a number", "/epoch", "eq", "3", false, `/epoch is 3, wanted "3"`},
		{"seen text is never ordered", "/5", "le", 9, false, `/5 is "5" and cannot be put in order with 9`},
		{"a bool is not a number", "/flag", "lt", 1, false, "/flag is false and cannot be put in order with 1"},
		{"a bool", "/flag", "eq", false, true, "/flag is false"},
		{"absent never satisfies eq", "/nothing", "eq", nil, false, "/nothing is not there, wanted null"},
		{"absent never satisfies ne", "/nothing", "ne", "x", false, "/nothing is not there, wanted anything but x"},
		{"absent never satisfies lt", "/nothing", "lt", 1, false, "/nothing is not there, wanted less than 1"},
		{"absent never satisfies gt", "/nothing", "gt", 1, false, "/nothing is not there, wanted more than 1"},
		{"absent", "/nothing", "absent", nil, true, "/nothing is not there"},
		{"absent in a document of another shape", "/nowhere/nothing", "absent", nil, false, "there is no place for /nowhere/nothing in what was seen, wanted nothing there"},
		{"absent in text", "/allowed/x", "absent", nil, false, "there is no place for /allowed/x in what was seen, wanted nothing there"},
		{"null is absent", "/none", "absent", nil, true, "/none is null"},
		{"null is not present", "/none", "present", nil, false, "/none is null, wanted something there"},
		{"null equals null", "/none", "eq", nil, true, "/none is null"},
		{"false is present", "/flag", "present", nil, true, "/flag is false"},
		{"array element", "/list/1", "eq", "two", true, "/list/1 is two"},
		{"escapes", "/list/2/a~1b/m~0n", "eq", 7, true, "/list/2/a~1b/m~0n is 7"},
		{"leading zero is no index", "/list/01", "present", nil, false, "/list/01 is not there, wanted something there"},
		{"minus is no element", "/list/-", "present", nil, false, "/list/- is not there, wanted something there"},
		{"signed index", "/list/+1", "present", nil, false, "/list/+1 is not there, wanted something there"},
		{"beyond the end", "/list/3", "present", nil, false, "/list/3 is not there, wanted something there"},
		{"index out of all bounds", "/list/99999999999999999999", "present", nil, false, "/list/99999999999999999999 is not there, wanted something there"},
		{"empty key", "/", "eq", "empty key", true, "/ is empty key"},
		{"whole document", "", "present", nil, true, ""},
		{"composites", "/list", "eq", []any{1.0, "two", map[string]any{"a/b": map[string]any{"m~n": 7}}}, true, ""},
		{"composites differ", "/list", "eq", []any{1, "two"}, false, ""},
		{"object against list", "/sites", "eq", []any{}, false, ""},
		{"list against text", "/allowed", "eq", []any{"dublin"}, false, `/allowed is dublin, wanted ["dublin"]`},
		{"a pointer without slash", "allowed", "eq", "dublin", false, "the condition on allowed cannot be understood"},
		{"a bad escape", "/a~2", "absent", nil, false, "the condition on /a~2 cannot be understood"},
		{"unknown word", "/allowed", "matches", "dublin", false, "the condition on /allowed cannot be understood"},
		{"value that is no JSON", "/allowed", "ne", func() {}, false, "the condition on /allowed cannot be understood"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ok, why := Holds(seen(leaseBody), []Expectation{{Pointer: c.pointer, Is: c.is, Value: c.value}})
			if ok != c.want {
				t.Errorf("holds = %v (%s), want %v", ok, why, c.want)
			}
			if c.why != "" && why != c.why {
				t.Errorf("why = %s\nwant  %s", why, c.why)
			}
		})
	}
}

func TestHoldsFailsClosed(t *testing.T) {
	present := []Expectation{{Pointer: "", Is: "present"}}
	failed := seen(`{}`)
	failed.Error = "GET http://lease/lease did not answer within 2s."
	for name, o := range map[string]Observation{
		"nothing observed": {},
		"an error":         failed,
		"no body":          seen(``),
		"no JSON":          seen(`{"a":`),
		"two documents":    seen(`{} {}`),
		"invalid UTF-8":    seen("{\"a\":\"\xff\"}"),
		"too large":        seen(`"` + strings.Repeat("x", MaxDocument) + `"`),
		"too deep":         seen(strings.Repeat("[", 200) + strings.Repeat("]", 200)),
		"a key twice":      seen(`{"state":"fenced","state":"holds"}`),
	} {
		if ok, why := Holds(o, present); ok || why == "" {
			t.Errorf("%s: holds = %v (%q), want a no with its reason", name, ok, why)
		}
	}
	if ok, _ := Holds(failed, nil); ok {
		t.Error("a failed look without expectations holds")
	}
	if ok, _ := Holds(Observation{}, nil); ok {
		t.Error("no look without expectations holds")
	}
	if ok, why := Holds(seen(`{}`), nil); !ok || why != "GET http://lease/lease answered" {
		t.Errorf("an answer without expectations: %v, %s", ok, why)
	}
}

func TestAllExpectationsMustHold(t *testing.T) {
	want := []Expectation{{Pointer: "/allowed", Is: "eq", Value: "dublin"}, {Pointer: "/epoch", Is: "ge", Value: 3}}
	if ok, why := Holds(seen(leaseBody), want); !ok || why != "/allowed is dublin; /epoch is 3" {
		t.Errorf("both: %v, %s", ok, why)
	}
	want[1].Value = 4
	if ok, why := Holds(seen(leaseBody), want); ok || why != "/epoch is 3, wanted at least 4" {
		t.Errorf("one: %v, %s", ok, why)
	}
}

func TestCheckExpectationsNamesTheField(t *testing.T) {
	wrong := fault.Wrong{}
	CheckExpectations(wrong, "done_when", []Expectation{
		{Pointer: "/fine", Is: "eq", Value: "x"},
		{Pointer: "no slash", Is: "eq"},
		{Pointer: "", Is: "equals"},
		{Pointer: "", Is: "lt", Value: "soon"},
		{Pointer: "", Is: "present", Value: 1},
		{Pointer: "", Is: "lt", Value: "12"},
		{Pointer: "", Is: "eq", Value: "\x00"},
	})
	for _, field := range []string{"done_when[1].pointer", "done_when[2].is", "done_when[3].value", "done_when[4].value", "done_when[6].value"} {
		if wrong[field] == "" {
			t.Errorf("nothing is said about %s", field)
		}
	}
	if len(wrong) != 5 {
		t.Errorf("noted: %v", wrong)
	}
}

// Every ordering agrees with exact arithmetic, and lt, eq, gt exclude one another.
func FuzzHoldsOrdersLikeArithmetic(f *testing.F) {
	for _, s := range [][2]string{{"0.1", "0.10"}, {"1e3", "1000"}, {"-1", "1"}, {"9007199254740993", "9007199254740992"}, {"1e-400", "0"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okX := exact(a)
		y, okY := exact(b)
		if !okX || !okY {
			t.Skip()
		}
		is := func(word string) bool {
			ok, _ := Holds(seen(`{"n":`+a+`}`), []Expectation{{Pointer: "/n", Is: word, Value: json.Number(b)}})
			return ok
		}
		c := x.Cmp(y)
		for word, want := range map[string]bool{
			"lt": c < 0, "le": c <= 0, "eq": c == 0, "ne": c != 0, "ge": c >= 0, "gt": c > 0,
		} {
			if got := is(word); got != want {
				t.Errorf("%s %s %s = %v", a, word, b, got)
			}
		}
	})
}

// exact reads numbers short enough to be exact in 512 bits.
func exact(s string) (*big.Rat, bool) {
	if len(s) > 20 || !json.Valid([]byte(s)) || strings.ContainsAny(s, " \t\r\n\"tfn{[") {
		return nil, false
	}
	if _, exponent, found := strings.Cut(strings.ToLower(s), "e"); found && len(exponent) > 3 {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// Whatever comes, Holds answers, in words that can be shown, and never yes to both a condition and its opposite.
func FuzzHoldsIsTotal(f *testing.F) {
	f.Add([]byte(leaseBody), "/sites/leeds/state", "fenced")
	f.Add([]byte("{\"\x00\":\"\xff\"}"), "/~", "\xff")
	f.Add([]byte(strings.Repeat(`{"a":`, 5000)), "/a/a/a", "")
	f.Add([]byte(`{"n":1e999999999999}`), "/n", "1e999999999")
	f.Add([]byte(`[{"\ud800":1}]`), "/0", "${x}")
	f.Add([]byte(`{"":1}`), "\xff", "\u202e\u0085")
	f.Fuzz(func(t *testing.T, body []byte, pointer, value string) {
		for _, pair := range [][2]string{{"eq", "ne"}, {"lt", "ge"}, {"gt", "le"}, {"present", "absent"}} {
			var both [2]bool
			for i, word := range pair {
				ok, why := Holds(seen(string(body)), []Expectation{{Pointer: pointer, Is: word, Value: value}})
				if both[i] = ok; why == "" || !utf8.ValidString(why) || strings.ContainsAny(why, "\x00\n\r\x1b\u0085\u202e\x7f") {
					t.Errorf("why = %q", why)
				}
			}
			if both[0] && both[1] {
				t.Errorf("%s holds %s and %s %q", body, pair[0], pair[1], value)
			}
		}
	})
}
