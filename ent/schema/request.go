package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"keyholder/internal/approval"
	"keyholder/internal/failover"
)

// Request is someone's wish to run a plan version.
type Request struct{ ent.Schema }

// Fields of the record.
func (Request) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.String("code").Unique().Immutable(),
		field.String("incident").Immutable(),
		field.JSON("terms", failover.Terms{}),
		field.String("digest"),
		field.String("reason").Immutable(),
		field.String("requester_id").Immutable(),
		field.String("requester_name").Immutable(),
		field.String("state").GoType(approval.State("")),
		field.Int("round").Default(1),
		field.Bool("open").Default(true),
		field.Time("filed_at").Immutable(),
		field.Time("expires_at").Immutable(),
		field.Time("decided_at").Optional().Nillable(),
		field.Time("impact_at").Immutable(),
		field.String("by_order").Default("").Immutable(), // the standing order that filed it
		field.Int("order_since").Default(0).Immutable(),  // the version of the catalogue that the order stood since
		field.Int("revision").Default(1),
	}
}

// Indexes of the record.
func (Request) Indexes() []ent.Index {
	return []ent.Index{index.Fields("state"), index.Fields("incident"), index.Fields("filed_at"), index.Fields("by_order")}
}
