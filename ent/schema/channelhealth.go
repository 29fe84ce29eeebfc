package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// ChannelHealth is how a way of telling people has worked lately.
type ChannelHealth struct{ ent.Schema }

// Fields of the record.
func (ChannelHealth) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(), // of the channel
		field.Time("sent_at").Optional().Nillable(),
		field.Time("failing_since").Optional().Nillable(), // without a success between
		field.Int("failures").Default(0),                  // since then
		field.String("failure").Default(""),
	}
}
