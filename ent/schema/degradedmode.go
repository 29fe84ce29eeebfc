package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"keyholder/internal/approval"
	"keyholder/internal/degrade"
)

// DegradedMode is one time that the retailer runs degraded, from the wish for it to the signed books. Votes on it are Decisions.
type DegradedMode struct{ ent.Schema }

// Fields of the record.
func (DegradedMode) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(), // of the act
		field.String("code").Unique().Immutable(),
		field.String("rule").Immutable(),
		field.String("incident").Default("").Immutable(),
		field.String("digest").Comment("of the terms"),
		field.String("requester_id").Immutable(),
		field.String("requester_name").Immutable(),
		field.String("state").GoType(approval.State("")),
		field.String("phase").GoType(degrade.Phase("")),
		field.Int("round").Default(1),
		field.Bool("open").Default(true),
		field.Time("filed_at").Immutable(),
		field.Time("expires_at").Immutable(),
		field.Time("decided_at").Optional().Nillable(),
		field.Time("ended_at").Optional().Nillable().Comment("when it was read back as off, or dropped"),
		field.Bytes("body").Comment("all else, as JSON"),
		field.Int("revision").Default(1),
	}
}

// Indexes of the record.
func (DegradedMode) Indexes() []ent.Index {
	return []ent.Index{index.Fields("phase"), index.Fields("state"), index.Fields("rule", "filed_at"), index.Fields("incident")}
}
