package bundle

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"keyholder/internal/catalog"
	"keyholder/internal/failover"
)

// schema is as much of JSON Schema as describes a record.
type schema struct {
	Dialect     string             `json:"$schema,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        string             `json:"type,omitempty"`
	Const       string             `json:"const,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	MaxLength   int                `json:"maxLength,omitempty"`
	Minimum     *float64           `json:"minimum,omitempty"`
	Maximum     *float64           `json:"maximum,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	MaxItems    int                `json:"maxItems,omitempty"`
	UniqueItems bool               `json:"uniqueItems,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Additional  any                `json:"additionalProperties,omitempty"` // false, or a schema
	Required    []string           `json:"required,omitempty"`
	AllOf       []*schema          `json:"allOf,omitempty"`
	If          *schema            `json:"if,omitempty"`
	Then        *schema            `json:"then,omitempty"`
	Defs        map[string]*schema `json:"$defs,omitempty"`
}

// Schema is the JSON Schema of one document of a file, for editors that check while one writes. It says what each field
// looks like; what refers to what is checked when files are read.
func Schema() ([]byte, error) {
	whole := &schema{
		Dialect: "https://json-schema.org/draft/2020-12/schema", Title: "A record of a Keyholder catalogue", Type: "object",
		Properties: map[string]*schema{"kind": {Description: "What the record describes.", Enum: kindNames()}},
		Required:   []string{"kind"}, Defs: map[string]*schema{},
	}
	add := func(kind string, fields []catalog.Field, needed func(catalog.Field) bool) {
		one := objectOf(fields, needed)
		one.Properties["kind"] = &schema{Const: kind}
		whole.Defs[kind] = one
		whole.AllOf = append(whole.AllOf, &schema{
			If:   &schema{Properties: map[string]*schema{"kind": {Const: kind}}},
			Then: &schema{Ref: "#/$defs/" + kind},
		})
	}
	for _, k := range catalog.Kinds() {
		add(string(k), k.Fields(), catalog.Field.Needed)
	}
	named := func(f catalog.Field) bool { return f.Key == "slug" || f.Key == "name" } // the rest depends on the rest
	add(kindPlan, catalog.FieldsOf(reflect.TypeFor[failover.Plan]()), named)
	body, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(body, '\n'), nil
}

func objectOf(fields []catalog.Field, needed func(catalog.Field) bool) *schema {
	s := &schema{Type: "object", Properties: map[string]*schema{}, Additional: false}
	for _, f := range fields {
		s.Properties[f.Key] = valueOf(f, needed)
		if needed(f) {
			s.Required = append(s.Required, f.Key)
		}
	}
	return s
}

// The forms of texts.
const (
	slugPattern = `^[a-z0-9]+(-[a-z0-9]+)*$`
	spanPattern = `^ *([0-9]+(\.[0-9]+)? *(d|h|m|s|ms|us|µs|ns) *)*$|^ *0 *$`
	urlPattern  = `^https?://`
)

func valueOf(f catalog.Field, needed func(catalog.Field) bool) *schema {
	s := &schema{Description: f.About}
	switch f.Form {
	case catalog.Text, catalog.Long:
		s.Type, s.MaxLength = "string", catalog.LongestText
		if f.Key == "slug" {
			s.Pattern, s.MaxLength = slugPattern, catalog.LongestSlug
		}
	case catalog.URL:
		s.Type, s.Pattern = "string", urlPattern
	case catalog.Choice:
		s.Type, s.Enum = "string", f.Choices
	case catalog.Span:
		s.Type, s.Pattern = "string", spanPattern
	case catalog.Number, catalog.Whole:
		s.Type = map[catalog.Form]string{catalog.Number: "number", catalog.Whole: "integer"}[f.Form]
		least, most := 0.0, catalog.LargestNumber
		s.Minimum, s.Maximum = &least, &most
	case catalog.YesNo:
		s.Type = "boolean"
	case catalog.Choices, catalog.List:
		s.Type, s.MaxItems, s.UniqueItems = "array", catalog.MostRows, true
		s.Items = &schema{Type: "string", Enum: slices.Clone(f.Choices), MaxLength: catalog.LongestText}
	case catalog.Pairs:
		s.Type, s.Additional = "object", &schema{Type: "string"}
	case catalog.Group:
		s = objectOf(f.Columns, needed)
		s.Description = f.About
	case catalog.Rows:
		s.Type, s.MaxItems, s.Items = "array", catalog.MostRows, objectOf(f.Columns, needed)
	case catalog.JSON: // whatever a connector wants
	}
	return s
}
