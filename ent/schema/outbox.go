package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Outbox is a workflow that is to be started: written with the request, done when the workflow runs.
type Outbox struct{ ent.Schema }

// Fields of the record.
func (Outbox) Fields() []ent.Field {
	return []ent.Field{
		field.String("request_id").Immutable(),
		field.String("code").Immutable(),
		field.Time("created_at").Immutable(),
		field.Time("done_at").Optional().Nillable(),
	}
}

// Indexes of the record.
func (Outbox) Indexes() []ent.Index { return []ent.Index{index.Fields("done_at")} }
