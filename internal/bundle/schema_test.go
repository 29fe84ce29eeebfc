package bundle_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"keyholder/internal/bundle"
	"keyholder/internal/catalog"
)

// published is the schema as anybody else's validator reads it.
func published(t *testing.T) *jsonschema.Schema {
	t.Helper()
	body, err := bundle.Schema()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("keyholder.json", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("keyholder.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// fits says what a validator has against a document.
func fits(t *testing.T, schema *jsonschema.Schema, document string) error {
	t.Helper()
	body, err := yaml.YAMLToJSON([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

func TestWhatIsReadFitsThePublishedSchema(t *testing.T) {
	schema := published(t)
	b, err := read(shop(t))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for e := range catalog.Shipped().Entries() {
		b.Records = append(b.Records, e)
	}
	if err := bundle.Write(&out, b); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, text := range []string{shop(t), out.String()} { // as people write it, and as it is exported
		for document := range strings.SplitSeq(text, "\n---\n") {
			if !strings.Contains(document, "kind:") {
				continue // nothing but comments
			}
			n++
			if err := fits(t, schema, document); err != nil {
				t.Errorf("%v in:\n%s", err, document)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d documents were looked at", n)
	}
}

func TestThePublishedSchemaRefusesWhatIsNotRead(t *testing.T) {
	schema := published(t)
	good := "kind: service\nslug: till\nname: Till\ntier: tier-1\ncapability: selling\npattern: active-passive\n"
	shipped := catalog.Shipped()
	shipped.Capabilities = []catalog.Capability{{Slug: "selling", Name: "Selling"}}
	shipped.ThirdParties = []catalog.ThirdParty{{Slug: "tax", Name: "Tax"}}
	in := bundle.Context{Catalog: catalog.New(shipped), Kinds: kinds()}
	reading := func(document string) error {
		_, err := bundle.Read([]bundle.File{{Name: "one.yaml", Body: []byte(document)}}, in)
		return err
	}
	if err := errors.Join(fits(t, schema, good), reading(good)); err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string]string{
		"no kind":            "slug: till\nname: Till\n",
		"an unknown kind":    "kind: servce\nslug: till\nname: Till\n",
		"an unknown field":   good + "teir: tier-1\n",
		"a missing name":     strings.Replace(good, "name: Till\n", "", 1),
		"an unknown choice":  strings.Replace(good, "active-passive", "active", 1),
		"a wrong short name": strings.Replace(good, "slug: till", "slug: The Till", 1),
		"a wrong span":       good + "dependencies:\n- on: tax\n  coupling: deferrable\n  longest_delay: an hour\n",
		"a row's unknown":    good + "dependencies:\n- on: tax\n  coupled: deferrable\n",
		"a wrong address":    good + "links:\n  runbook: wiki/page\n",
		"a negative number":  "kind: capability\nslug: selling\nname: Selling\nrevenue_per_hour: -1\n",
		"a text for a list":  good + "tenants: uk\n",
	} {
		t.Run(name, func(t *testing.T) {
			if fits(t, schema, document) == nil {
				t.Error("the schema lets it through")
			}
			if reading(document) == nil {
				t.Error("reading lets it through, so the schema is stricter than what it describes")
			}
		})
	}
}
