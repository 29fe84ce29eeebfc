package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// AccessActivity is what a system wrote down of what was done with access. It has the id of the grant, whose record names it by its digest.
type AccessActivity struct{ ent.Schema }

// Fields of the record.
func (AccessActivity) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable().Comment("of the grant"),
		field.Bytes("body").Immutable().Comment("entries, as JSON"),
	}
}
