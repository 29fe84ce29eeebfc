package catalog

import (
	"iter"
	"maps"
	"slices"
	"sync"
)

// index answers look-ups without a search. It is made once for a catalogue that never changes.
type index struct {
	entries map[Ref]Entry
	of      map[Kind][]Entry // by slug
	impacts memory[Impact]
	orders  memory[Order]
	// Made when somebody asks first:
	graph    func() *graph
	referred func() map[Ref][]Reference
	roll     func() *roll
}

// New sorts the records and makes a catalogue that answers quickly. What the records themselves hold must not be written
// to any more.
func New(c Catalog) Catalog {
	for _, s := range shelves {
		_ = s.put(&c, nil) // sorts; nothing to refuse
	}
	return c.indexed()
}

func (c Catalog) indexed() Catalog {
	i := &index{entries: map[Ref]Entry{}, of: map[Kind][]Entry{}}
	c.index = nil
	for _, shelf := range shelves {
		all := slices.Collect(c.Of(shelf.kind()))
		i.of[shelf.kind()] = all
		for _, e := range all {
			i.entries[e.Ref] = e
		}
	}
	c.index = i
	i.graph = sync.OnceValue(func() *graph { return newGraph(c) })
	i.referred = sync.OnceValue(c.referrers)
	i.roll = sync.OnceValue(func() *roll { return newRoll(c) })
	return c
}

// Entries goes through all records, by kind and slug.
func (c Catalog) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, s := range shelves {
			for e := range c.Of(s.kind()) {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// Of goes through the records of one kind, by slug.
func (c Catalog) Of(k Kind) iter.Seq[Entry] {
	if c.index != nil {
		return slices.Values(c.index.of[k])
	}
	return func(yield func(Entry) bool) {
		if s := shelfOf(k); s != nil {
			s.each(&c, yield)
		}
	}
}

// Count is how many records there are of a kind.
func (c Catalog) Count(k Kind) int {
	if c.index != nil {
		return len(c.index.of[k])
	}
	n := 0
	for range c.Of(k) {
		n++
	}
	return n
}

// Entry finds a record.
func (c Catalog) Entry(r Ref) (Entry, bool) {
	if c.index != nil {
		e, ok := c.index.entries[r]
		return e, ok
	}
	for e := range c.Of(r.Kind) {
		if e.Ref == r {
			return e, true
		}
	}
	return Entry{}, false
}

// Has says whether there is such a record.
func (c Catalog) Has(k Kind, slug string) bool {
	_, ok := c.Entry(Ref{k, slug})
	return ok
}

// Change is one record as it is to be; a Record of nil is retired.
type Change struct {
	Ref
	Record any
}

// With is the catalogue after some changes. It shares what did not change.
func (c Catalog) With(changes []Change) (Catalog, error) {
	by := map[Kind]map[string]any{}
	for _, change := range changes {
		if by[change.Kind] == nil {
			by[change.Kind] = map[string]any{}
		}
		by[change.Kind][change.Slug] = change.Record
	}
	for _, k := range slices.Sorted(maps.Keys(by)) {
		s := shelfOf(k)
		if s == nil {
			return c, unknownKind(k)
		}
		if err := s.put(&c, by[k]); err != nil {
			return c, err
		}
	}
	return c.indexed(), nil
}
