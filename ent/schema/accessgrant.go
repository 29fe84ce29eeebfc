package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AccessGrant is access that a holder has begun. It has the id and the code of its request.
type AccessGrant struct{ ent.Schema }

// Fields of the record.
func (AccessGrant) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.String("code").Unique().Immutable(),
		field.String("system").Immutable(),
		field.String("role").Immutable(),
		field.String("holder_id").Immutable(),
		field.String("holder_mail").Default("").Immutable().Comment("in small letters"),
		field.String("run").Default("").Immutable(),
		field.Time("ends_at").Comment("when it ends, or ended"),
		field.Time("changed_at").Optional().Nillable(),
		field.Bool("open").Default(true).Comment("not yet seen to be gone from the system"),
		field.Bool("reviewed").Default(false).Comment("nobody need look at the use any more"),
		field.Bytes("body").Comment("all else, as JSON"),
		field.Int("revision").Default(1),
	}
}

// Indexes of the record.
func (AccessGrant) Indexes() []ent.Index {
	return []ent.Index{index.Fields("open", "ends_at"), index.Fields("reviewed", "ends_at"), index.Fields("holder_id", "system"), index.Fields("system", "ends_at"), index.Fields("run"), index.Fields("changed_at")}
}
