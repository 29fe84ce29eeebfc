package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// RoleReview says that somebody has gone through who holds which role, and signed exactly what they saw.
type RoleReview struct{ ent.Schema }

// Fields of the record.
func (RoleReview) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(), // of the act
		field.Int("catalog").Immutable(),
		field.String("digest").Immutable(), // of who holds what
		field.String("note").Immutable(),
		field.String("person_id").Immutable(),
		field.String("person_name").Immutable(),
		field.Time("at").Immutable(),
		field.Time("due").Immutable(), // when the next is
	}
}

// Indexes of the record.
func (RoleReview) Indexes() []ent.Index { return []ent.Index{index.Fields("at")} }
