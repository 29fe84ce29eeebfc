package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// CatalogVersion is the whole catalogue as it was applied once; the newest is in force.
type CatalogVersion struct{ ent.Schema }

// Fields of the record.
func (CatalogVersion) Fields() []ent.Field {
	return []ent.Field{
		field.Int("version").Unique().Immutable(),
		field.String("digest").Immutable(),
		field.Bytes("body").Immutable(),
		field.String("applied_by").Immutable(),
		field.Time("applied_at").Immutable(),
	}
}
