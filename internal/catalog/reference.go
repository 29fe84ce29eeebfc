package catalog

import (
	"fmt"
	"iter"
)

// Reference is one place where a record names another.
type Reference struct {
	From Ref
	Path string // of the field: "dependencies[2].on"
	To   string // the short name
	May  []Kind // what kinds of record it may lead to
}

// References goes through everything that a record refers to.
func (e Entry) References() iter.Seq[Reference] {
	return func(yield func(Reference) bool) {
		walk(e.Kind.Fields(), e.Record, func(path, slug string, may []Kind) bool {
			return yield(Reference{From: e.Ref, Path: path, To: slug, May: may})
		})
	}
}

// walk finds the references in a record or a row of one.
func walk(fields []Field, record any, yield func(path, slug string, may []Kind) bool) bool {
	for _, f := range fields {
		switch {
		case f.Form == Rows:
			if !walkRows(f.Key, f.Columns, f.RowsIn(record), yield) {
				return false
			}
		case len(f.Leads) == 0:
		case f.Form == List:
			for i, slug := range f.TextsIn(record) {
				if !yield(f.Key+nth(i), slug, f.Leads) {
					return false
				}
			}
		default:
			if slug := f.TextIn(record); slug != "" && !yield(f.Key, slug, f.Leads) {
				return false
			}
		}
	}
	return true
}

func walkRows(key string, columns []Field, rows []any, yield func(path, slug string, may []Kind) bool) bool {
	at := 0
	inRow := func(path, slug string, may []Kind) bool { return yield(key+nth(at)+"."+path, slug, may) }
	for at = range rows {
		if !walk(columns, rows[at], inRow) {
			return false
		}
	}
	return true
}

// Leads finds the record that a reference leads to.
func (c Catalog) Leads(r Reference) (Entry, bool) {
	for _, k := range r.May {
		if e, ok := c.Entry(Ref{k, r.To}); ok {
			return e, true
		}
	}
	return Entry{}, false
}

// ReferredBy lists where others refer to a record.
func (c Catalog) ReferredBy(to Ref) []Reference {
	if c.index != nil {
		return c.index.referred()[to]
	}
	return c.referrers()[to]
}

// referrers turns all references round.
func (c Catalog) referrers() map[Ref][]Reference {
	all := map[Ref][]Reference{}
	for e := range c.Entries() {
		for r := range e.References() {
			if to, ok := c.Leads(r); ok {
				all[to.Ref] = append(all[to.Ref], r)
			}
		}
	}
	return all
}

// Broken lists, in words, where others refer to records that are there no more.
func (c Catalog) Broken(gone map[Ref]bool) []string {
	var all []string
	for e := range c.Entries() {
		for r := range e.References() {
			for _, k := range r.May {
				if _, ok := c.Leads(r); !ok && gone[Ref{k, r.To}] {
					all = append(all, fmt.Sprintf("%s %s (%s)", e.Kind.One(), e.Name, r.Path))
					break
				}
			}
		}
	}
	return all
}
