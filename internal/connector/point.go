package connector

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Point is what a JSON Pointer leads to in what was seen. A null is nothing.
func Point(o Observation, pointer string) (json.RawMessage, error) {
	if o.Error != "" {
		return nil, errors.New(o.Error)
	}
	tokens, err := parsePointer(pointer)
	if err != nil {
		return nil, fmt.Errorf("the pointer %s %w", pointerName(pointer), err)
	}
	doc, err := decodeAny(o.Body)
	if err != nil {
		return nil, err
	}
	found, there, _ := lookup(doc, tokens)
	if !there || found == nil {
		return nil, fmt.Errorf("%s has nothing at %s", o.Source, pointerName(pointer))
	}
	return encode(found)
}
