package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PlanVersion is a plan as it was published once; the newest of its slug is in force.
type PlanVersion struct{ ent.Schema }

// Fields of the record.
func (PlanVersion) Fields() []ent.Field {
	return []ent.Field{
		field.String("slug").Immutable(),
		field.Int("version").Immutable(),
		field.String("digest").Immutable(),
		field.Bytes("body").Immutable(),
		field.String("published_by").Immutable(),
		field.Time("published_at").Immutable(),
	}
}

// Indexes of the record.
func (PlanVersion) Indexes() []ent.Index {
	return []ent.Index{index.Fields("slug", "version").Unique()}
}
