package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"keyholder/internal/failover"
)

// Run is the execution of an approved request. request_id is unique: a request is run once, ever. holds names the data
// set while the run has it to itself, and is unique: two runs never move one data set at a time.
type Run struct{ ent.Schema }

// Fields of the record.
func (Run) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.String("request_id").Unique().Immutable(),
		field.String("code").Unique().Immutable(),
		field.String("incident").Immutable(),
		field.String("requester_id").Immutable(),
		field.String("requester_name").Immutable(),
		field.JSON("terms", failover.Terms{}).Immutable(),
		field.String("state").GoType(failover.State("")),
		field.String("wait").GoType(failover.Wait("")),
		field.String("why"),
		field.Bool("pause_wanted"),
		field.JSON("steps", []failover.RunStep{}),
		field.JSON("loss", &failover.Loss{}).Optional(),
		field.JSON("obligations", []failover.Obligation{}).Optional(),
		field.JSON("exceptions", []failover.Exception{}).Optional(),
		field.JSON("times", failover.Times{}),
		field.String("holds").Optional().Nillable().Unique(),
		field.Time("started_at").Immutable(),
		field.Int("revision").Default(1),
	}
}

// Indexes of the record.
func (Run) Indexes() []ent.Index {
	return []ent.Index{index.Fields("state"), index.Fields("incident"), index.Fields("started_at")}
}
