package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"keyholder/internal/failover"
)

// Incident is what went wrong.
type Incident struct{ ent.Schema }

// Fields of the record.
func (Incident) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.String("code").Unique().Immutable(),
		field.String("title"),
		field.String("cause").GoType(failover.Cause("")),
		field.Strings("services"),
		field.Time("impact_at"),
		field.String("impact_source"),
		field.String("commander_id"),
		field.String("commander_name"),
		field.Time("opened_at").Immutable(),
		field.Time("closed_at").Optional().Nillable(),
		field.Int("revision").Default(1),
	}
}

// Indexes of the record.
func (Incident) Indexes() []ent.Index { return []ent.Index{index.Fields("closed_at")} }
