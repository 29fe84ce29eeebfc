package connector

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Params is what a plan's step or condition says to a connector, after Fill. It is one JSON object.
type Params = json.RawMessage

// Observation is what was seen: a document of at most MaxDocument bytes, where it came from, and when. Error is set when
// nothing usable was seen; such an observation satisfies no expectation.
type Observation struct {
	Source string          `json:"source"`
	At     time.Time       `json:"at"`
	Body   json.RawMessage `json:"body,omitempty"`
	Status string          `json:"status,omitempty"`
	Error  string          `json:"error,omitempty"`
}

// Evidence of one act: what was seen before, what was done, what was seen after.
type Evidence struct {
	Before Observation `json:"before"`
	After  Observation `json:"after"`
	Did    string      `json:"did,omitempty"`
	// Already means that the wished state held before and nothing was done.
	Already bool `json:"already,omitempty"`
	// RequestID is the name under which the other side knows the act.
	RequestID string `json:"request_id,omitempty"`
}

// ErrNoUndo says that the params hold no way back.
var ErrNoUndo = errors.New("this step has no undo")

// Connector observes and changes one kind of real system. It is safe for concurrent use.
type Connector interface {
	Kind() string

	// Check validates params strictly (unknown fields are errors) and touches nothing. Its errors are fault.Invalid and
	// name the field.
	Check(p Params) error

	// System names the system that params are about, such as its host and port; empty where they say none.
	System(p Params) string

	// Observe reads the present state and never changes anything. On an error the observation still says what was tried.
	Observe(ctx context.Context, p Params) (Observation, error)

	// Apply brings the desired state about: it looks first, acts at most once under the key, and looks until the desired
	// state holds or its wait ends. An error still returns the evidence gathered so far.
	Apply(ctx context.Context, key string, p Params) (Evidence, error)

	// Stands looks whether the state that Apply brings about holds now, and says why not. It changes nothing; without a way
	// to tell, nothing stands.
	Stands(ctx context.Context, p Params) (holds bool, why string, seen Observation)

	// Undo brings the state before back in the same manner, where params say how; ErrNoUndo otherwise.
	Undo(ctx context.Context, key string, p Params) (Evidence, error)
}
