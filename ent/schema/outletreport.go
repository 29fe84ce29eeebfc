package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// OutletReport is the last that an outlet said of itself; the id is its slug. It is not audited.
type OutletReport struct{ ent.Schema }

// Fields of the record.
func (OutletReport) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.Float("queued_value"),
		field.Int("queued_orders"),
		field.Time("synchronised_at"),
		field.Time("at"),
	}
}
