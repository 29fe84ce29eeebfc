package connector

import (
	"encoding/json"
	"fmt"

	"keyholder/internal/fault"
)

// Condition reads a list of expectations, with its variables filled in.
func Condition(raw json.RawMessage, vars map[string]string) ([]Expectation, error) {
	filled, err := Fill(raw, vars)
	if err != nil {
		return nil, err
	}
	var want []Expectation
	if err := json.Unmarshal(filled, &want); err != nil {
		return nil, fmt.Errorf("read expectations: %w", err)
	}
	return want, nil
}

// CheckCondition says what is wrong with a list of expectations; an empty one expects only an answer.
func CheckCondition(raw json.RawMessage, vars map[string]string) error {
	want, err := Condition(raw, vars)
	if err != nil {
		return err
	}
	wrong := fault.Wrong{}
	CheckExpectations(wrong, "expect", want)
	return wrong.Err()
}
