package connector

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"

	"keyholder/internal/fault"
)

// Expectation is a condition over an observation. Is is one of eq, ne, lt, le, gt, ge, present, absent.
//
// Numbers compare as numbers, exactly up to 512 bits. A filled variable is always text, so lt, le, gt and ge also take
// a Value that is a number written as text; eq and ne do not. A null is absent.
type Expectation struct {
	Pointer string `json:"pointer" yaml:"pointer"`
	Is      string `json:"is" yaml:"is"`
	Value   any    `json:"value,omitempty" yaml:"value,omitempty"`
}

var wanted = map[string]string{
	"eq": "wanted ", "ne": "wanted anything but ", "lt": "wanted less than ", "le": "wanted at most ",
	"gt": "wanted more than ", "ge": "wanted at least ", "present": "wanted something there", "absent": "wanted nothing there",
}

func ordering(is string) bool  { return is == "lt" || is == "le" || is == "gt" || is == "ge" }
func existence(is string) bool { return is == "present" || is == "absent" }

// CheckExpectations notes under field what is wrong with the conditions themselves.
func CheckExpectations(wrong fault.Wrong, field string, want []Expectation) {
	for i, e := range want {
		at := fmt.Sprintf("%s[%d]", field, i)
		if _, err := parsePointer(e.Pointer); err != nil {
			wrong.Add(at+".pointer", "%v", err)
		}
		value, err := plain(e.Value)
		switch _, known := wanted[e.Is]; {
		case !known:
			wrong.Add(at+".is", "%q is not one of eq, ne, lt, le, gt, ge, present, absent", brief(e.Is))
		case err != nil:
			wrong.Add(at+".value", "%v", err)
		case existence(e.Is) && e.Value != nil:
			wrong.Add(at+".value", "must not be given with %s", e.Is)
		case ordering(e.Is) && number(value, true) == nil:
			wrong.Add(at+".value", "must be a number, because %s puts things in order", e.Is)
		}
	}
}

// Holds says whether an observation meets all expectations, and why, in words for people: the first that is not met, or
// all that are. It fails closed: where nothing was seen, a pointer leads nowhere, or an expectation makes no sense, it
// does not hold. Without expectations it holds when something was seen at all.
func Holds(o Observation, want []Expectation) (ok bool, why string) {
	if o.Error != "" {
		return false, o.Error
	}
	if o.At.IsZero() {
		return false, "nothing was observed"
	}
	if len(want) == 0 {
		return true, o.Source + " answered"
	}
	clean, err := Document(o.Body)
	if err != nil {
		return false, "the observation cannot be read: " + err.Error()
	}
	doc, err := decodeAny(clean)
	if err != nil {
		return false, "the observation cannot be read: " + err.Error()
	}
	met := make([]string, 0, len(want))
	for _, e := range want {
		holds, words := e.meets(doc)
		if !holds {
			return false, words
		}
		met = append(met, words)
	}
	return true, strings.Join(met, "; ")
}

func (e Expectation) meets(doc any) (bool, string) {
	words, known := wanted[e.Is]
	tokens, err := parsePointer(e.Pointer)
	want, valueErr := plain(e.Value)
	if !known || err != nil || valueErr != nil {
		return false, fmt.Sprintf("the condition on %s cannot be understood", pointerName(e.Pointer))
	}
	if !existence(e.Is) {
		words += show(want)
	}
	found, there, home := lookup(doc, tokens)
	if e.Is == "absent" && !home {
		return false, fmt.Sprintf("there is no place for %s in what was seen, %s", pointerName(e.Pointer), words)
	}
	if !there {
		return e.Is == "absent", fmt.Sprintf("%s is not there%s", pointerName(e.Pointer), unless(e.Is == "absent", ", "+words))
	}
	holds, possible := e.compare(found, want)
	if !possible {
		return false, fmt.Sprintf("%s is %s and cannot be put in order with %s", pointerName(e.Pointer), show(found), show(want))
	}
	return holds, fmt.Sprintf("%s is %s%s", pointerName(e.Pointer), show(found), unless(holds, ", "+words))
}

func unless(condition bool, s string) string {
	if condition {
		return ""
	}
	return s
}

// compare says whether the condition holds, and whether the two can be compared at all.
func (e Expectation) compare(found, want any) (holds, possible bool) {
	switch e.Is {
	case "present":
		return found != nil, true
	case "absent":
		return found == nil, true
	case "eq":
		return equal(found, want), true
	case "ne":
		return !equal(found, want), true
	}
	a, b := number(found, false), number(want, true)
	if a == nil || b == nil {
		return false, false
	}
	c := a.Cmp(b)
	return map[string]bool{"lt": c < 0, "le": c <= 0, "gt": c > 0, "ge": c >= 0}[e.Is], true
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		x, y := number(a, false), number(b, false)
		return x != nil && y != nil && x.Cmp(y) == 0
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for key, member := range a {
			if twin, there := other[key]; !there || !equal(member, twin) {
				return false
			}
		}
		return true
	case []any:
		other, ok := b.([]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for i := range a {
			if !equal(a[i], other[i]) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case map[string]any, []any: // not comparable with ==
		return false
	}
	return a == b
}

// number reads a decoded value as a number, or gives nil. Text counts only where it was filled in.
func number(v any, text bool) *big.Float {
	n, ok := v.(json.Number)
	if s, isText := v.(string); !ok && isText && text && json.Valid([]byte(s)) {
		n, ok = json.Number(s), inspectNumber(json.Number(s)) == nil
	}
	if !ok {
		return nil
	}
	f, _, err := big.ParseFloat(n.String(), 10, 512, big.ToNearestEven)
	if err != nil {
		return nil
	}
	return f
}

// plain brings a value that came from YAML or JSON into the form that decodeAny gives.
func plain(v any) (any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("cannot be written as JSON: %w", err)
	}
	clean, err := Document(raw)
	if err != nil {
		return nil, err
	}
	return decodeAny(clean)
}

// show writes a value for people: plain words bare, everything else as JSON, all of it short.
func show(v any) string {
	if s, ok := v.(string); ok && bare(s) {
		return brief(s)
	}
	raw, err := encode(v)
	if err != nil {
		return "something that cannot be shown"
	}
	return brief(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, string(raw)))
}

// bare says that text can stand in a sentence without being taken for a number, a null, or the sentence itself.
func bare(s string) bool {
	if s == "" || json.Valid([]byte(s)) || strings.TrimSpace(s) != s {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) || r == utf8.RuneError || strings.ContainsRune(`",;`, r)
	})
}
