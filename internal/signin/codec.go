package signin

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// record is a session as it is kept. It is JSON because scs's own gob, which describes its types anew in every session,
// took a third of the time of a page; encoding/json takes three times as long to read it.
type record struct {
	Deadline time.Time      `json:"deadline"`
	Person   string         `json:"person,omitzero"`
	AuthTime int64          `json:"auth_time,omitzero"`
	Seen     int64          `json:"seen,omitzero"`
	Pending  jsontext.Value `json:"pending,omitzero"`
	Flash    string         `json:"flash,omitzero"`
}

// codec is scs's Codec for the values that this package keeps.
type codec struct{}

// Encode writes a session.
func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	r := record{Deadline: deadline}
	for key, value := range values {
		var fits bool
		switch key {
		case keyPerson:
			r.Person, fits = value.(string)
		case keyAuthTime:
			r.AuthTime, fits = value.(int64)
		case keySeen:
			r.Seen, fits = value.(int64)
		case keyPending:
			r.Pending, fits = value.([]byte)
		case keyFlash:
			r.Flash, fits = value.(string)
		}
		if !fits {
			return nil, fmt.Errorf("a session cannot keep %s, a %T", key, value)
		}
	}
	return json.Marshal(r)
}

// Decode reads a session.
func (codec) Decode(body []byte) (time.Time, map[string]any, error) {
	var r record
	if err := json.Unmarshal(body, &r); err != nil {
		return time.Time{}, nil, fmt.Errorf("read a session: %w", err)
	}
	values := make(map[string]any, 5)
	if r.Person != "" {
		values[keyPerson], values[keyAuthTime], values[keySeen] = r.Person, r.AuthTime, r.Seen
	}
	if len(r.Pending) > 0 {
		values[keyPending] = []byte(r.Pending)
	}
	if r.Flash != "" {
		values[keyFlash] = r.Flash
	}
	return r.Deadline, values, nil
}
