package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/traverse"

	"keyholder/demo/large"
	"keyholder/internal/access"
	"keyholder/internal/app"
	"keyholder/internal/bundle"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
	"keyholder/internal/testkit/postgres"
)

// impact measures what the loss of a whole site does in the large catalogue, against bare reachability over the same edges.
func impactOfASite(_ context.Context, _ options) ([]figure, error) {
	c, err := large.Bundle().Catalog(catalog.Catalog{})
	if err != nil {
		return nil, err
	}
	failure := catalog.Failure{Sites: []string{large.SiteOf}, At: time.Date(2026, 11, 28, 14, 0, 0, 0, time.UTC)}
	seen := c.Impact(failure)
	if len(seen.Failed) < 500 || len(seen.Stopped) < 500 || len(seen.Flows) < 100 {
		return nil, fmt.Errorf("the failure is too small to measure: %d failed, %d stopped, %d flows", len(seen.Failed), len(seen.Stopped), len(seen.Flows))
	}
	needs, failed := edges(c, seen)
	const turns = 60
	var ours, theirs []float64
	for range turns {
		began := time.Now()
		seen = c.Impact(failure)
		ours = append(ours, time.Since(began).Seconds()*1000)
		began = time.Now()
		n := reached(needs, failed)
		theirs = append(theirs, time.Since(began).Seconds()*1000)
		if n != len(seen.Failed)+len(seen.Stopped) {
			return nil, fmt.Errorf("impact takes %d services down, reachability %d", len(seen.Failed)+len(seen.Stopped), n)
		}
	}
	return []figure{
		{"impact_of_a_site_ms", median(ours), "ms", 25},
		{"impact_reachability_ratio", median(ours) / median(theirs), "x", 3},
	}, nil
}

// edges are the synchronous dependencies, from what is needed to who needs it, and the nodes that failed by themselves.
func edges(c catalog.Catalog, seen catalog.Impact) (*simple.DirectedGraph, []graph.Node) {
	needs, at := simple.NewDirectedGraph(), map[string]int64{}
	for i, s := range c.Services {
		at[s.Slug] = int64(i)
		needs.AddNode(simple.Node(i))
	}
	for _, s := range c.Services {
		for _, d := range s.Dependencies {
			if on, ok := at[d.On]; ok && d.Coupling == catalog.Synchronous {
				needs.SetEdge(needs.NewEdge(simple.Node(on), simple.Node(at[s.Slug])))
			}
		}
	}
	failed := make([]graph.Node, len(seen.Failed))
	for i, t := range seen.Failed {
		failed[i] = simple.Node(at[t.Slug])
	}
	return needs, failed
}

func reached(needs *simple.DirectedGraph, from []graph.Node) int {
	var walk traverse.BreadthFirst
	n := 0
	walk.Visit = func(graph.Node) { n++ }
	for _, node := range from {
		if !walk.Visited(node) {
			walk.Walk(needs, node, nil)
		}
	}
	return n
}

// catalogPages compares the pages of the catalogue at the size of the large one with those of the demo's.
func catalogPages(ctx context.Context, _ options) (figures []figure, err error) {
	dir, err := os.MkdirTemp("", "keyholder-catalog-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	small, err := newCatalogSite(ctx, filepath.Join(dir, "small.db"), nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, small.store.Close()) }()
	b := large.Bundle()
	big, err := newCatalogSite(ctx, filepath.Join(dir, "large.db"), &b)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, big.store.Close()) }()
	for _, p := range [][3]string{
		{"services_list", "/catalog/service", "/catalog/service"},
		{"service", "/catalog/service/checkout", "/catalog/service/service-2500"},
		{"findings", "/findings", "/findings"},
		{"picture", "/impact?service=identity", "/impact?service=service-4200"},
	} {
		ratio, err := compared(ctx, small, p[1], big, p[2])
		if err != nil {
			return figures, err
		}
		figures = append(figures, figure{p[0] + "_at_size_ratio", ratio, "x", 3})
	}
	return figures, nil
}

// newCatalogSite is the portal with the demo's catalogue, and another on top of it.
func newCatalogSite(ctx context.Context, file string, more *store.Bundle) (*site, error) {
	if err := store.Migrate(ctx, file); err != nil {
		return nil, err
	}
	s := &site{}
	var err error
	if s.store, err = store.Open(ctx, file, nil); err != nil {
		return nil, err
	}
	if err := s.shop(ctx); err != nil {
		return nil, err
	}
	if more != nil {
		if _, err := s.store.Apply(ctx, access.Person{ID: "bench", Name: "bench"}, *more, store.Manner{}); err != nil {
			return nil, err
		}
	}
	return s, s.portal(ctx)
}

// compared is how many times as long a page takes at one site as another does at the other, looked at in turns.
func compared(ctx context.Context, a *site, onA string, b *site, onB string) (float64, error) {
	const turns = 200
	var ofA, ofB []float64
	for i := range turns + 20 {
		one, err := a.get(ctx, onA)
		if err != nil {
			return 0, err
		}
		other, err := b.get(ctx, onB)
		if err != nil {
			return 0, err
		}
		if i >= 20 { // what is made once has been made
			ofA, ofB = append(ofA, one.took.Seconds()), append(ofB, other.took.Seconds())
		}
	}
	return median(ofB) / median(ofA), nil
}

// applying measures how the large catalogue gets into an empty PostgreSQL, against COPY of all rows that it writes, and
// how long it takes to see that nothing changed, against parsing and validating alone.
func applying(ctx context.Context, _ options) (figures []figure, err error) {
	server, err := postgres.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	var file bytes.Buffer
	if err := bundle.Write(&file, large.Bundle()); err != nil {
		return nil, err
	}
	const turns = 15 // fsync takes what it takes
	var applied, toCopy, toParse []float64
	for i := range turns + 1 {
		one, err := applyOnce(ctx, server, file.Bytes())
		if err != nil {
			return nil, err
		}
		if i == 0 {
			continue // the server was cold
		}
		applied = append(applied, one.apply.Seconds())
		toCopy = append(toCopy, one.apply.Seconds()/one.copy.Seconds())
		toParse = append(toParse, one.again.Seconds()/one.parse.Seconds())
	}
	return []figure{
		{"apply_large_s", median(applied), "s", 0},
		{"apply_copy_ratio", median(toCopy), "x", 3},
		{"apply_unchanged_ratio", median(toParse), "x", 1.3},
	}, nil
}

// applyTimes are what one round took. Again is with parsing, as the command does it.
type applyTimes struct{ parse, apply, copy, again time.Duration }

func applyOnce(ctx context.Context, server *postgres.Server, file []byte) (took applyTimes, err error) {
	where, err := server.NewDatabase(ctx)
	if err != nil {
		return took, err
	}
	if err := store.Migrate(ctx, where); err != nil {
		return took, err
	}
	began := time.Now()
	b, err := readLarge(file)
	if err != nil {
		return took, err
	}
	took.parse = time.Since(began)
	if took.apply, err = applied(ctx, where, b, 1); err != nil {
		return took, err
	}
	began = time.Now()
	if b, err = readLarge(file); err != nil {
		return took, err
	}
	took.again = time.Since(began)
	same, err := applied(ctx, where, b, 0)
	if err != nil {
		return took, err
	}
	took.again += same
	took.copy, err = copied(ctx, where)
	return took, err
}

func readLarge(file []byte) (store.Bundle, error) {
	return bundle.Read([]bundle.File{{Name: "large.yaml", Body: file}}, bundle.Context{Kinds: app.Connectors()})
}

// applied puts a bundle in force as the command does, in a store of its own, and says how long that took.
func applied(ctx context.Context, where string, b store.Bundle, changes int) (took time.Duration, err error) {
	s, err := store.Open(ctx, where, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	runtime.GC() // what reading left behind is not what applying costs
	began := time.Now()
	lines, err := s.Apply(ctx, access.Person{ID: "bench", Name: "bench"}, b, store.Manner{})
	took = time.Since(began)
	if err == nil && len(lines) != changes {
		err = fmt.Errorf("applying made %d changes, not %d: %s", len(lines), changes, lines)
	}
	return took, err
}

// copied writes every row that applying wrote once more, to tables like those, by COPY in one transaction. To read them
// first is not counted: COPY has its rows at hand.
func copied(ctx context.Context, where string) (took time.Duration, err error) {
	conn, err := pgx.Connect(ctx, where)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	tables := []string{"catalog_records", "catalog_versions", "audit_events"}
	columns, rows := map[string][]string{}, map[string][][]any{}
	for _, table := range tables {
		if columns[table], rows[table], err = all(ctx, conn, table); err != nil {
			return 0, err
		}
		if _, err := conn.Exec(ctx, "CREATE TABLE copy_of_"+table+" (LIKE "+table+" INCLUDING ALL)"); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	t, err := conn.Begin(ctx)
	if err != nil {
		return 0, err
	}
	for _, table := range tables {
		if _, err := t.CopyFrom(ctx, pgx.Identifier{"copy_of_" + table}, columns[table], pgx.CopyFromRows(rows[table])); err != nil {
			return 0, errors.Join(err, t.Rollback(ctx))
		}
	}
	err = t.Commit(ctx)
	return time.Since(began), err
}

func all(ctx context.Context, conn *pgx.Conn, table string) (columns []string, values [][]any, err error) {
	rows, err := conn.Query(ctx, "SELECT * FROM "+table)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range rows.FieldDescriptions() {
		columns = append(columns, f.Name)
	}
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			return nil, nil, err
		}
		values = append(values, row)
	}
	return columns, values, rows.Err()
}
