package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AuditEvent is one line of the record; the id is its place in it, without gaps. body is the canonical form that the
// digest is of; the other columns repeat what lists filter by.
type AuditEvent struct{ ent.Schema }

// Fields of the record.
func (AuditEvent) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id").Immutable(),
		field.Time("at").Immutable(),
		field.String("actor_id").Immutable(),
		field.String("action").Immutable(),
		field.String("object").Immutable(),
		field.String("outcome").Immutable(),
		field.String("act").Immutable(),
		field.Bytes("body").Immutable(),
		field.String("digest").Immutable(),
	}
}

// Indexes of the record.
func (AuditEvent) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("object"), index.Fields("action"), index.Fields("actor_id"), index.Fields("outcome"),
		index.Fields("act"),
	}
}
