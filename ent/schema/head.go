package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// Head is one row: the place of the newest audit event, the change sequence by which pages learn that they are old, and
// how often readings were saved, which is mostly no news, and the highest time that any of them was made at. Every transaction takes it last, so that events stand in the order of their commits.
type Head struct{ ent.Schema }

// Fields of the record.
func (Head) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("audit").Default(0),
		field.Int64("change").Default(0),
		field.Int64("readings").Default(0),
		field.Int64("access").Default(0).Comment("how often something about access was saved"),
		field.Int64("clock").Default(0).Comment("the highest time that was ever kept, in microseconds"),
	}
}
