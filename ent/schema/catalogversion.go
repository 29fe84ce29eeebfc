package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// CatalogVersion is one change of the catalogue: who, when and why. What it changed are the records that begin or end
// with it; the newest version is in force.
type CatalogVersion struct{ ent.Schema }

// Fields of the record.
func (CatalogVersion) Fields() []ent.Field {
	return []ent.Field{
		field.Int("version").Unique().Immutable(),
		field.String("digest").Immutable().Comment("of its changes"),
		field.Int("changes").Default(0).Immutable().Comment("how many records it changed"),
		field.String("why").Default("").Immutable(),
		field.String("source").Default("").Immutable().Comment("the commit that files came from"),
		field.String("applied_by").Immutable(),
		field.Time("applied_at").Immutable(),
	}
}
