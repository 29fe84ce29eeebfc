package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// Draft is what one person has put together to propose, and nobody else has seen. The id is the person's.
type Draft struct{ ent.Schema }

// Fields of the record.
func (Draft) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.Bytes("terms").Comment("what would be changed"),
		field.Int("undoes").Default(0).Comment("the version of the catalogue that it would take back"),
		field.Time("updated_at"),
		field.Int("revision").Default(1),
	}
}
