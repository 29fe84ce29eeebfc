package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// CatalogRecord is one record of the catalogue as it stood from one version of the catalogue on until another. Rows are
// only ever added and closed.
type CatalogRecord struct{ ent.Schema }

// Fields of the record.
func (CatalogRecord) Fields() []ent.Field {
	return []ent.Field{
		field.String("kind").Immutable(),
		field.String("slug").Immutable(),
		field.Bytes("body").Immutable(),
		field.Int("since").Immutable().Comment("the first version of the catalogue that it is in"),
		field.Int("until").Optional().Nillable().Comment("the first version that it is no longer in"),
		field.Bool("managed").Default(false).Immutable().Comment("files say what it is"),
		field.Bool("locked").Default(false).Immutable().Comment("only files may change it"),
	}
}

// Indexes of the record.
func (CatalogRecord) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("kind", "slug", "since").Unique(),
		index.Fields("since"),
		index.Fields("until"),
	}
}
