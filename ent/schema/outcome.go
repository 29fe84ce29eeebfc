package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// Outcome is the answer that a person's act was given; the id is the act's. A repeated click or a retried activity gets
// the same answer.
type Outcome struct{ ent.Schema }

// Fields of the record.
func (Outcome) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.Bytes("body").Immutable(),
		field.Time("at").Immutable(),
	}
}
