package connector

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"keyholder/internal/fault"
)

// longestWait bounds every duration in params: a step that needs longer needs a person.
const longestWait = 10 * time.Minute

// Duration is text as in Go ("2s", "500ms"), more than nothing and at most ten minutes; or empty.
type Duration string

// Check notes under field what is wrong.
func (d Duration) Check(wrong fault.Wrong, field string) {
	if v, err := time.ParseDuration(string(d)); d != "" && (err != nil || v <= 0 || v > longestWait) {
		wrong.Add(field, `%q is not a duration of at most 10m, such as "2s"`, brief(string(d)))
	}
}

// Or gives the duration, or another where none that passes Check was given.
func (d Duration) Or(other time.Duration) time.Duration {
	if v, err := time.ParseDuration(string(d)); err == nil && v > 0 && v <= longestWait {
		return v
	}
	return other
}

// Decode reads params into a struct of one kind: unknown fields, wrong types and ambiguous documents are fault.Invalid.
func Decode(p Params, into any) error {
	clean, err := Document(p)
	if err != nil {
		return invalid("", err.Error())
	}
	if len(clean) == 0 || clean[0] != '{' {
		return invalid("", "the parameters must be a mapping")
	}
	dec := json.NewDecoder(bytes.NewReader(clean))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err = dec.Decode(into); err == nil {
		return nil
	}
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return invalid(wrongType.Field, "must not be a "+wrongType.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return invalid(brief(strings.Trim(name, `"`)), "is not a known parameter")
	}
	return invalid("", err.Error())
}

func invalid(field, problem string) error {
	e := &fault.Error{Kind: fault.Invalid, Message: "The parameters cannot be used: " + strings.TrimSpace(field+" "+problem) + "."}
	if field != "" {
		e.Fields = map[string]string{field: problem}
	}
	return e
}
