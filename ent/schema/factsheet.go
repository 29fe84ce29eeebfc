package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// FactSheet is what approvers were shown, byte for byte. Sheets that nobody voted on are dropped after a while.
type FactSheet struct{ ent.Schema }

// Fields of the record.
func (FactSheet) Fields() []ent.Field {
	return []ent.Field{
		field.String("request_id").Immutable(),
		field.String("digest").Immutable(),
		field.Bytes("body").Immutable(),
		field.Time("made_at").Immutable(),
	}
}

// Indexes of the record.
func (FactSheet) Indexes() []ent.Index {
	return []ent.Index{index.Fields("request_id", "digest").Unique(), index.Fields("request_id", "made_at")}
}
