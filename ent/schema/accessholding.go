package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// AccessHolding is what one person has on one system, as it was last read back, and what their account there signs in by.
type AccessHolding struct{ ent.Schema }

// Fields of the record.
func (AccessHolding) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable().Comment("system/person"),
		field.String("system").Immutable(),
		field.String("person_id").Immutable(),
		field.String("account"),
		field.String("verifier").Default("").Sensitive().Comment("of the password, by which nobody signs in"),
		field.Bytes("body").Comment("all else, as JSON"),
		field.Int("revision").Default(1),
	}
}
