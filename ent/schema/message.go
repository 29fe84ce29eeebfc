package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Message is one thing that one person is told, once. It is kept until it is sent, and after.
type Message struct{ ent.Schema }

// Fields of the record.
func (Message) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.String("about").Immutable(), // code of a request
		field.String("occasion").Immutable(),
		field.Int("nth").Immutable(),
		field.String("person_id").Immutable(),
		field.String("person_name").Immutable(),
		field.String("address").Immutable(),
		field.String("subject").Immutable(),
		field.String("text").Immutable(),
		field.Time("created_at").Immutable(),
		field.Time("next_at"), // when it is tried next
		field.Int("attempts").Default(0),
		field.String("failure").Default(""), // of the last attempt
		field.String("via").Default(""),     // the channel of the last attempt
		field.Time("sent_at").Optional().Nillable(),
		field.Bool("given_up").Default(false),
	}
}

// Indexes of the record.
func (Message) Indexes() []ent.Index {
	return []ent.Index{index.Fields("about", "occasion", "nth", "person_id").Unique(), index.Fields("sent_at", "given_up", "next_at")}
}
