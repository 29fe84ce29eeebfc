package connector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// MaxDocument is the size in bytes of the largest document that is read, kept or filled.
	MaxDocument = 64 << 10
	maxDepth    = 100
	maxExponent = 1000
	maxDigits   = 1000
)

// Document checks that raw is one JSON document that every reader understands alike and every database can keep, and
// returns it in one form. Refused are invalid UTF-8, NUL characters, duplicate keys, nesting deeper than 100, numbers of
// absurd length or exponent, and anything larger than MaxDocument.
func Document(raw []byte) (json.RawMessage, error) {
	if len(raw) > MaxDocument {
		return nil, fmt.Errorf("the document has more than %d bytes", MaxDocument)
	}
	if !utf8.Valid(raw) {
		return nil, errors.New("the document is not valid UTF-8")
	}
	if !json.Valid(raw) {
		return nil, errors.New("the document is not valid JSON")
	}
	if err := inspect(raw); err != nil {
		return nil, err
	}
	v, err := decodeAny(raw)
	if err != nil {
		return nil, err
	}
	return encode(v)
}

func decodeAny(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("read JSON document: %w", err)
	}
	return v, nil
}

func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON document: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// level is one object or array that is open while tokens are read. keys is nil in an array.
type level struct {
	keys  map[string]bool
	value bool // in an object: the next token is a value
}

// inspect walks the tokens of valid JSON.
func inspect(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var open []*level
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read JSON token: %w", err)
		}
		if end := token == json.Delim('}') || token == json.Delim(']'); end {
			open = open[:len(open)-1]
			continue
		}
		if err := inspectToken(token, open); err != nil {
			return err
		}
		switch token {
		case json.Delim('{'):
			open = append(open, &level{keys: map[string]bool{}})
		case json.Delim('['):
			open = append(open, &level{})
		}
		if len(open) > maxDepth {
			return fmt.Errorf("the document is nested deeper than %d", maxDepth)
		}
	}
}

func inspectToken(token json.Token, open []*level) error {
	if s, ok := token.(string); ok && strings.ContainsRune(s, 0) {
		return errors.New("the document holds a NUL character")
	}
	if n, ok := token.(json.Number); ok {
		if err := inspectNumber(n); err != nil {
			return err
		}
	}
	if len(open) == 0 || open[len(open)-1].keys == nil {
		return nil
	}
	in := open[len(open)-1]
	if in.value = !in.value; !in.value { // this token was the value
		return nil
	}
	key, _ := token.(string)
	if in.keys[key] {
		return fmt.Errorf("the key %q is there twice", brief(key))
	}
	in.keys[key] = true
	return nil
}

func inspectNumber(n json.Number) error {
	_, exponent, found := strings.Cut(strings.ToLower(n.String()), "e")
	if len(n) > maxDigits {
		return fmt.Errorf("a number has more than %d digits", maxDigits)
	}
	if !found {
		return nil
	}
	if e, err := strconv.Atoi(exponent); err != nil || e > maxExponent || e < -maxExponent {
		return fmt.Errorf("the number %s is out of all bounds", brief(n.String()))
	}
	return nil
}

// brief shortens text for a message.
func brief(s string) string {
	const most = 80
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
