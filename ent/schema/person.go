package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Person is someone who has signed in; issuer and subject are who they are.
type Person struct{ ent.Schema }

// Fields of the record.
func (Person) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.String("issuer").Immutable(),
		field.String("subject").Immutable(),
		field.String("name"),
		field.String("email"),
		field.Bool("email_verified").Default(false),
		field.Strings("groups"),
		field.Strings("channels").Optional(), // by which they are told, the first first; as they come, where they have not chosen
		field.Time("signed_in_at"),
		field.Time("created_at").Immutable(),
	}
}

// Indexes of the record.
func (Person) Indexes() []ent.Index {
	return []ent.Index{index.Fields("issuer", "subject").Unique()}
}
