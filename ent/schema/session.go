package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Session is a signed-in browser. The id is the hash of its token.
type Session struct{ ent.Schema }

// Fields of the record.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.Bytes("data"),
		field.Time("expires_at"),
	}
}

// Indexes of the record.
func (Session) Indexes() []ent.Index { return []ent.Index{index.Fields("expires_at")} }
