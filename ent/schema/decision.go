package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"keyholder/internal/access"
	"keyholder/internal/approval"
)

// Decision is one person's vote on a request. The id is the Update's id, so that a repeated click is one vote.
type Decision struct{ ent.Schema }

// Fields of the record.
func (Decision) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.String("request_id").Immutable(),
		field.String("voter_id").Immutable(),
		field.String("voter_name").Immutable(),
		field.JSON("roles", []access.Role{}).Immutable(),
		field.String("verdict").GoType(approval.Verdict("")).Immutable(),
		field.String("comment").Immutable(),
		field.Int("round").Immutable(),
		field.String("digest").Immutable(),
		field.String("sheet").Immutable(),
		field.Time("at").Immutable(),
	}
}

// Indexes of the record.
func (Decision) Indexes() []ent.Index {
	return []ent.Index{index.Fields("request_id", "round", "voter_id").Unique()}
}
