package connector

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"keyholder/internal/fault"
)

const opening = "${"

// Fill replaces ${name} by its variable in every string of a JSON document, keys excepted. What is filled in is not
// expanded again, and a string stays a string. An unknown name, or ${ without its }, is an error: a step that would act
// on half an address must not start.
func Fill(p json.RawMessage, vars map[string]string) (json.RawMessage, error) {
	clean, err := Document(p)
	if err != nil {
		return nil, fillError("", err.Error())
	}
	v, err := decodeAny(clean)
	if err != nil {
		return nil, err
	}
	f := filler{vars: vars, left: MaxDocument}
	if v, err = f.value(v); err != nil {
		return nil, err
	}
	filled, err := encode(v)
	if err != nil {
		return nil, err
	}
	if len(filled) > MaxDocument {
		return nil, fillError("", fmt.Sprintf("with its variables filled in, the document has more than %d bytes", MaxDocument))
	}
	return filled, nil
}

// Variables lists the names that Fill would look up, sorted, each once; none where the document cannot be read.
func Variables(p json.RawMessage) []string {
	clean, err := Document(p)
	if err != nil {
		return nil
	}
	v, err := decodeAny(clean)
	if err != nil {
		return nil
	}
	names := map[string]bool{}
	collect(v, names)
	list := make([]string, 0, len(names))
	for name := range names {
		list = append(list, name)
	}
	sort.Strings(list)
	return list
}

func collect(v any, names map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			collect(member, names)
		}
	case []any:
		for _, member := range v {
			collect(member, names)
		}
	case string:
		for rest := v; ; {
			_, name, after, found := cutVariable(rest)
			if !found {
				return
			}
			names[name], rest = true, after
		}
	}
}

// cutVariable splits s around its first ${name}.
func cutVariable(s string) (before, name, after string, found bool) {
	before, tail, found := strings.Cut(s, opening)
	if !found {
		return s, "", "", false
	}
	name, after, found = strings.Cut(tail, "}")
	return before, name, after, found
}

// filler counts what it writes, so that a short document cannot grow without bound on the way to the size check.
type filler struct {
	vars map[string]string
	left int
}

func (f *filler) value(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if v[key], err = f.value(member); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, member := range v {
			if v[i], err = f.value(member); err != nil {
				return nil, err
			}
		}
	case string:
		return f.text(v)
	}
	return v, nil
}

func (f *filler) text(s string) (string, error) {
	var b strings.Builder
	for {
		before, name, after, found := cutVariable(s)
		b.WriteString(before)
		if !found {
			if before != s {
				return "", fillError(brief(s), "holds ${ without a closing }")
			}
			return b.String(), nil
		}
		value, known := f.vars[name]
		if !known {
			return "", fillError(opening+brief(name)+"}", "is not a known variable")
		}
		if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			return "", fillError(opening+brief(name)+"}", "has a value that is not valid text")
		}
		if f.left -= len(value); f.left < 0 {
			return "", fillError(opening+brief(name)+"}", "makes the document too large")
		}
		b.WriteString(value)
		s = after
	}
}

func fillError(field, problem string) error {
	if field == "" {
		return &fault.Error{Kind: fault.Invalid, Message: "The parameters cannot be used: " + problem + "."}
	}
	return &fault.Error{
		Kind:    fault.Invalid,
		Message: fmt.Sprintf("The parameters cannot be filled in: %s %s.", field, problem),
		Fields:  map[string]string{field: problem},
	}
}
