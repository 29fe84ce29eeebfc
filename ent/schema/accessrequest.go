package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"keyholder/internal/approval"
)

// AccessRequest is a wish for access for a time, as it was filed. Votes on it are Decisions.
type AccessRequest struct{ ent.Schema }

// Fields of the record.
func (AccessRequest) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(), // of the act
		field.String("code").Unique().Immutable(),
		field.String("eligibility").Immutable(),
		field.String("system").Immutable(),
		field.String("incident").Default("").Immutable(),
		field.String("run").Default("").Immutable(),
		field.String("digest").Immutable().Comment("of the terms"),
		field.String("requester_id").Immutable(),
		field.String("requester_name").Immutable(),
		field.String("state").GoType(approval.State("")),
		field.Int("round").Default(1),
		field.Bool("open").Default(true),
		field.Time("filed_at").Immutable(),
		field.Time("expires_at").Immutable(),
		field.Time("decided_at").Optional().Nillable(),
		field.Time("changed_at").Optional().Nillable(),
		field.Bool("begun").Default(false).Comment("there is a grant, or there will be none"),
		field.Bytes("body").Comment("all else, as JSON"),
		field.Int("revision").Default(1),
	}
}

// Indexes of the record.
func (AccessRequest) Indexes() []ent.Index {
	return []ent.Index{index.Fields("state", "begun"), index.Fields("requester_id", "filed_at"), index.Fields("incident"), index.Fields("filed_at"), index.Fields("changed_at")}
}
