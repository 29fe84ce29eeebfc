package bundle_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyholder/internal/access"
	"keyholder/internal/bundle"
	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/connector/dnsc"
	"keyholder/internal/connector/httpc"
	"keyholder/internal/store"
	"keyholder/internal/testkit"
)

func kinds() connector.All {
	secrets := connector.NewSecrets(func(string) (string, bool) { return "", false })
	return connector.All{Acts: connector.NewSet(httpc.New(secrets), dnsc.New(secrets))}
}

func read(text string) (store.Bundle, error) {
	return bundle.Read([]bundle.File{{Name: "shop.yaml", Body: []byte(text)}}, bundle.Context{Kinds: kinds()})
}

func shop(t *testing.T) string {
	t.Helper()
	body, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestAWholeCatalogueIsRead(t *testing.T) {
	b, err := read(shop(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Catalog(catalog.Catalog{})
	if err != nil || len(c.Services) != 3 || len(b.Plans) != 1 || len(c.Policies) != 3 || len(c.Assignments) != 7 {
		t.Errorf("got %d services, %d plans, %d policies, %d assignments, %v", len(c.Services), len(b.Plans), len(c.Policies), len(c.Assignments), err)
	}
}

func TestWhatIsWrongIsNamedWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown field":     {"currency: GBP", "currency: GBP\ncolour: red", "shop.yaml:5:1: "},
		"not YAML":          {"currency: GBP", "currency: [", "shop.yaml:"},
		"wrong type":        {"persons: 1", "persons: many", `"many" is not what was expected: a whole number`},
		"bad duration":      {"rto: 15m", "rto: soon", `"soon" is not a duration such as 15m`},
		"no list":           {"writer_sites: [leeds, dublin]", "writer_sites: {leeds: 1}", "where a list was expected"},
		"unknown site":      {"sites: [leeds, dublin]", "sites: [leeds, atlantis]", `there is no site "atlantis"`},
		"policy in a plan":  {"data_set: orders\nsites", "data_set: orders\npolicy: none\nsites", "policy"},
		"unknown connector": {"connector: dns", "connector: telnet", "telnet"},
		"unknown variable":  {"${to.url}/healthz", "${to.nowhere}/healthz", "to.nowhere"},
		"unknown role":      {"role: auditor", "role: king", `"king" is not one of`},
		"bad expectation":   {"is: gt, value: 0", "is: above, value: 0", "write-seen"},
		"no approval asked": {"persons: 1", "persons: 0", "from 1 to 10"},
		"promote unfenced":  {"purpose: fence", "purpose: act", "fence, then loss, then promote"},
	} {
		t.Run(name, func(t *testing.T) {
			text := shop(t)
			if !strings.Contains(text, c.old) {
				t.Fatalf("the file has no %q", c.old)
			}
			_, err := read(strings.Replace(text, c.old, c.new, 1))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, wanted %q", err, c.want)
			}
		})
	}
	if _, err := bundle.Read([]bundle.File{{Name: "big.yaml", Body: make([]byte, bundle.MaxFiles+1)}}, bundle.Context{Kinds: kinds()}); err == nil {
		t.Error("a file that is too large was read")
	}
}

// export is everything that a store holds, as a file.
func export(t *testing.T, s *store.Store) []byte {
	t.Helper()
	b, err := s.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := bundle.Write(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestExportAppliedToAnEmptyDatabaseExportsTheSameBytes(t *testing.T) {
	apply := func(file []byte) *store.Store {
		s := testkit.NewStore(t, nil)
		b, err := bundle.Read([]bundle.File{{Name: "all.yaml", Body: file}}, bundle.Context{Kinds: kinds()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Apply(t.Context(), access.Person{ID: "a", Name: "A"}, b, store.Manner{}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := export(t, apply([]byte(shop(t))))
	if again := export(t, apply(first)); !bytes.Equal(first, again) {
		t.Errorf("the second export differs:\n%s", cmp.Diff(string(first), string(again)))
	}
	for _, kind := range []string{"settings", "service", "plan", "policy"} {
		if !bytes.Contains(first, []byte("kind: "+kind+"\n")) {
			t.Errorf("the export holds no %s", kind)
		}
	}
}
