package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/canonical"
)

// Outcome says what became of what an event tells of.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"    // a change of state in Keyholder, in the same transaction
	Refused Outcome = "refused" // a rule said no
	Intent  Outcome = "intent"  // a real system is about to be acted on
	Held    Outcome = "held"    // it was, and shows the wished state
	Failed  Outcome = "failed"  // it was, or was not, and does not
	Unknown Outcome = "unknown" // nobody was left to say; the next attempt looks first
)

// Worker is the actor of what the engine does by itself.
var Worker = access.Person{ID: "worker", Name: "Keyholder"}

// Event is one line of the record. Its canonical JSON is what is hashed, so fields are only ever added.
type Event struct {
	Seq     int64           `json:"seq"`
	At      time.Time       `json:"at"`
	Actor   access.Person   `json:"actor"`
	Action  string          `json:"action"`           // noun.verb: "request.decide"
	Object  string          `json:"object"`           // code or slug of what it is about
	Outcome Outcome         `json:"outcome"`          //
	Rule    string          `json:"rule,omitempty"`   // that allowed or refused it
	Act     string          `json:"act,omitempty"`    // ties an intent to its outcome
	Text    string          `json:"text"`             // the sentence for people
	Detail  json.RawMessage `json:"detail,omitempty"` // what was seen before and after, or what changed
	Origin  Origin          `json:"origin,omitzero"`
}

// Origin says where a person's act came from.
type Origin struct {
	Address string `json:"address,omitempty"`
	Request string `json:"request,omitempty"` // the HTTP request's id
}

// Bytes is the event in the form that is kept, with its digest.
func (e Event) Bytes() (body []byte, digest string, err error) {
	if body, err = canonical.JSON(e); err != nil {
		return nil, "", fmt.Errorf("write audit event: %w", err)
	}
	return body, canonical.DigestBytes("keyholder/event/1", body), nil
}

// Read reads a kept event.
func Read(body []byte) (e Event, err error) {
	if err = json.Unmarshal(body, &e); err != nil {
		err = fmt.Errorf("read audit event: %w", err)
	}
	return e, err
}

type originKey struct{}

// WithOrigin notes where the acts under ctx come from.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf is what WithOrigin noted, or nothing.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
