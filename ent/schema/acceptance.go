package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// Acceptance says that somebody lives with a finding for a while. The id is the finding's key.
type Acceptance struct{ ent.Schema }

// Fields of the record.
func (Acceptance) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.String("reason"),
		field.String("person_id"),
		field.String("person_name"),
		field.Time("at"),
		field.Time("until"),
	}
}
