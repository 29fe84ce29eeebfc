package connector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyholder/internal/fault"
)

// longestWait bounds every duration in params: a step that needs longer needs a person.
const longestWait = 10 * time.Minute

// Duration is written as in Go ("2s", "500ms"), more than nothing and at most ten minutes.
type Duration time.Duration

// UnmarshalJSON reads the text form.
func (d *Duration) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return errors.New(`a duration must be text such as "2s"`)
	}
	v, err := time.ParseDuration(s)
	if err != nil || v <= 0 || v > longestWait {
		return fmt.Errorf(`%q is not a duration between 1ns and 10m, such as "2s"`, brief(s))
	}
	*d = Duration(v)
	return nil
}

// MarshalJSON writes the text form.
func (d Duration) MarshalJSON() ([]byte, error) {
	raw, err := json.Marshal(time.Duration(d).String())
	if err != nil {
		return nil, fmt.Errorf("write duration: %w", err)
	}
	return raw, nil
}

// Or gives the duration, or another where none was given.
func (d Duration) Or(other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return time.Duration(d)
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
