package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AccessLock freezes a person, a role, a system or a request.
type AccessLock struct{ ent.Schema }

// Fields of the record.
func (AccessLock) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(), // of the act
		field.Bool("lifted").Default(false),
		field.Time("at").Immutable(),
		field.Bytes("body").Comment("all else, as JSON"),
	}
}

// Indexes of the record.
func (AccessLock) Indexes() []ent.Index { return []ent.Index{index.Fields("lifted", "at")} }
