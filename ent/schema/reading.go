package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"

	"keyholder/internal/failover"
)

// Reading is the last that was seen of a signal or of a copy of a data set; the id is its key. It is not audited.
type Reading struct{ ent.Schema }

// Fields of the record.
func (Reading) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.JSON("body", failover.Reading{}),
	}
}
