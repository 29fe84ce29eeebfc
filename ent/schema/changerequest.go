package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"keyholder/internal/approval"
)

// ChangeRequest is somebody's wish to change records of the catalogue and plans together. Votes on it are Decisions.
type ChangeRequest struct{ ent.Schema }

// Fields of the record.
func (ChangeRequest) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(), // of the act
		field.String("code").Unique().Immutable(),
		field.Bytes("terms").Comment("what would be changed"),
		field.String("digest").Comment("of the terms"),
		field.String("why").Immutable(),
		field.String("source").Default("").Immutable().Comment("the commit that files came from"),
		field.Int("undoes").Default(0).Immutable().Comment("the version of the catalogue that it would take back"),
		field.String("requester_id").Immutable(),
		field.String("requester_name").Immutable(),
		field.String("state").GoType(approval.State("")),
		field.Int("round").Default(1),
		field.Bool("open").Default(true),
		field.Time("filed_at").Immutable(),
		field.Time("expires_at").Immutable(),
		field.Time("decided_at").Optional().Nillable(),
		field.Int("applied").Default(0).Comment("the version of the catalogue that it made"),
		field.Int("revision").Default(1),
	}
}

// Indexes of the record.
func (ChangeRequest) Indexes() []ent.Index {
	return []ent.Index{index.Fields("state"), index.Fields("filed_at"), index.Fields("applied")}
}
