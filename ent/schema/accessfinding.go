package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AccessFinding is a difference between what a system says and what the grants explain.
type AccessFinding struct{ ent.Schema }

// Fields of the record.
func (AccessFinding) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.String("system").Immutable(),
		field.Bool("open").Default(true),
		field.Time("seen_at").Immutable().Comment("first"),
		field.Bytes("body").Comment("all else, as JSON"),
		field.Int("revision").Default(1),
	}
}

// Indexes of the record.
func (AccessFinding) Indexes() []ent.Index {
	return []ent.Index{index.Fields("open", "system"), index.Fields("seen_at")}
}
