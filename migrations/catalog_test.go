package migrations_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"keyholder/internal/catalog"
	"keyholder/migrations"
)

// TestEveryVersionOfAnOldCatalogueBecomesRecords migrates a database that kept each version as one document.
func TestEveryVersionOfAnOldCatalogueBecomesRecords(t *testing.T) {
	const first = `{"currency":"GBP","roles":[{"group":"a","role":"auditor"}],
		"sites":[{"slug":"leeds","name":"Leeds","region":"north","addresses":{"url":"http://l"}}],
		"tiers":[{"slug":"tier-1","name":"Tier 1","rto":"15m0s","rpo":"1m0s"}],
		"capabilities":[{"slug":"checkout","name":"Checkout","revenue_per_hour":540000}],"data_sets":null,
		"services":[{"slug":"shop","name":"Shop","tier":"tier-1","capability":"checkout","data_sets":[],"pattern":"active-active","deployments":[{"site":"leeds","role":"active"}]},
			{"slug":"pay","name":"Pay","tier":"tier-1","capability":"checkout","pattern":"active-active"}],
		"dependencies":[{"from":"shop","to":"pay","coupling":"synchronous"}],
		"flows":[{"slug":"order","name":"Order","steps":[{"name":"Buy","service":"shop","criticality":"critical"}]}],
		"signals":[{"slug":"success","name":"Success","kind":"success","service":"shop","unit":"","observe":{"a":1},"pointer":"/n","bad_below":0.9}]}`
	const second = `{"currency":"EUR","roles":null,"sites":null,"tiers":null,"capabilities":null,"data_sets":null,"services":null,"dependencies":null,"flows":null,"signals":null}`
	eachDatabase(t, func(t *testing.T, d database) {
		dialects := map[migrations.Dialect]goose.Dialect{migrations.SQLite: goose.DialectSQLite3, migrations.Postgres: goose.DialectPostgres}
		old, err := goose.NewProvider(dialects[d.dialect], d.db, os.DirFS(string(d.dialect)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := old.UpTo(t.Context(), 20261123040000); err != nil {
			t.Fatal(err)
		}
		for i, body := range []string{first, second} {
			if _, err := d.db.ExecContext(t.Context(), `INSERT INTO catalog_versions (version, digest, body, applied_by, applied_at) VALUES ($1, 'd', $2, 'ann', '2026-03-01 02:11:00')`, i+1, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
		if err := migrations.Up(t.Context(), d.db, d.dialect); err != nil {
			t.Fatal(err)
		}
		rows, err := d.db.QueryContext(t.Context(), `SELECT kind, body, since, COALESCE(until, 0) FROM catalog_records ORDER BY since, kind, slug`)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		var got []string
		for rows.Next() {
			var kind string
			var body []byte
			var since, until int
			if err := rows.Scan(&kind, &body, &since, &until); err != nil {
				t.Fatal(err)
			}
			e, err := catalog.Decode(catalog.Kind(kind), body) // strictly: nothing is left of the old form
			if err != nil {
				t.Fatalf("%s: %v: %s", kind, err, body)
			}
			written, err := e.Body()
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%d-%d %s %s", since, until, kind, written))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		want := []string{
			`1-2 capability {"name":"Checkout","revenue_per_hour":540000,"slug":"checkout"}`,
			`1-2 flow {"name":"Order","slug":"order","steps":[{"criticality":"critical","name":"Buy","service":"shop"}]}`,
			`1-2 service {"capability":"checkout","name":"Pay","pattern":"active-active","slug":"pay","tier":"tier-1"}`,
			`1-2 service {"capability":"checkout","dependencies":[{"coupling":"synchronous","on":"pay"}],"deployments":[{"role":"active","site":"leeds"}],"name":"Shop","pattern":"active-active","slug":"shop","tier":"tier-1"}`,
			`1-2 settings {"currency":"GBP","roles":[{"group":"a","role":"auditor"}]}`,
			`1-2 signal {"bad_below":0.9,"measures":"success","name":"Success","observe":{"a":1},"pointer":"/n","service":"shop","slug":"success"}`,
			`1-2 site {"addresses":{"url":"http://l"},"name":"Leeds","slug":"leeds"}`,
			`1-2 tier {"name":"Tier 1","rpo":"1m","rto":"15m","slug":"tier-1"}`,
			`2-0 settings {"currency":"EUR"}`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
