package bundle

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/failover"
	"keyholder/internal/store"
	"keyholder/workflows"
)

// File is one file of a catalogue. Name is for the messages.
type File struct {
	Name string
	Body []byte
}

// checkText refuses a file in another encoding, where it is first seen.
func (f File) checkText() error {
	if utf8.Valid(f.Body) {
		return nil
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(f.Body[at:])
		if r == utf8.RuneError && size < 2 {
			break
		}
		at += size
	}
	before := f.Body[:at]
	line, column := 1+bytes.Count(before, []byte("\n")), utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])+1
	return fmt.Errorf("%s:%d:%d: is not UTF-8 text; save the file as UTF-8", f.Name, line, column)
}

// The bounds of what is read.
const (
	MaxFiles    = 32 << 20 // bytes, of all files together
	MaxDocument = 1 << 20  // bytes, of one record
)

// What a document may describe besides the records of the catalogue.
const kindPlan = "plan"

// Context is what files are read against.
type Context struct {
	Catalog catalog.Catalog // that the records come on top of
	Kinds   connector.All   // of real system that records and plans may name
}

// Read reads the records and plans of some files, strictly: nothing is returned unless all is right.
func Read(files []File, in Context) (store.Bundle, error) {
	r := reader{Context: in, seen: map[string]place{}}
	total := 0
	for _, f := range files {
		if total += len(f.Body); total > MaxFiles {
			return store.Bundle{}, fmt.Errorf("%s: the files have more than %d MiB", f.Name, MaxFiles>>20)
		}
		f.Body = bytes.TrimPrefix(f.Body, []byte("\xef\xbb\xbf")) // some editors begin with it
		if err := f.checkText(); err != nil {
			r.wrong = r.wrong.add(err)
			continue
		}
		for d := range documents(f) {
			r.read(d)
		}
	}
	if r.wrong.any() {
		return store.Bundle{}, r.wrong
	}
	r.check()
	if r.wrong.any() {
		return store.Bundle{}, r.wrong
	}
	return r.bundle, nil
}

// reader collects what documents say and what is wrong with it.
type reader struct {
	Context
	bundle store.Bundle
	seen   map[string]place // by kind and slug
	wrong  *Errors
}

// read decodes one document.
func (r *reader) read(d document) {
	kind, node, err := d.parse()
	if err != nil {
		r.wrong = r.wrong.add(err)
		return
	}
	switch kind {
	case "": // nothing but comments
	case kindPlan:
		p, err := decode[failover.Plan](d, node)
		r.keep(d, kind, p.Slug, err, func() { r.bundle.Plans = append(r.bundle.Plans, p) })
	default:
		e, err := decodeRecord(d, catalog.Kind(kind), node)
		r.keep(d, kind, e.Slug, err, func() { r.bundle.Records = append(r.bundle.Records, e) })
	}
}

// keep takes what a document describes, unless it is wrong or another has described it.
func (r *reader) keep(d document, kind, slug string, err error, take func()) {
	if err != nil {
		r.wrong = r.wrong.add(err)
		return
	}
	key := kind + "/" + slug
	if first, twice := r.seen[key]; twice {
		r.wrong = r.wrong.add(d.at("slug", "%s %q stands twice; the first is at %s", kind, slug, first))
		return
	}
	r.seen[key] = d.place
	take()
}

// check holds what was read against itself and against what is in force.
func (r *reader) check() {
	whole, err := r.bundle.Catalog(r.Catalog)
	if err != nil {
		r.wrong = r.wrong.add(err)
		return
	}
	for _, e := range r.bundle.Records {
		for p := range whole.ProblemsOf(e) {
			r.wrong = r.wrong.add(r.document(string(e.Kind), e.Slug).at(p.Path, "%s", p.What))
			if r.wrong.full() {
				return
			}
		}
	}
	if r.wrong.any() {
		return
	}
	for _, e := range r.bundle.Records {
		for path, what := range workflows.Told(r.Kinds, whole, e) {
			r.wrong = r.wrong.add(r.document(string(e.Kind), e.Slug).at(path, "%s", what))
		}
	}
	for _, p := range r.bundle.Plans {
		if err := checkPlan(p, whole, r.Kinds.Acts); err != nil {
			r.wrong = r.wrong.add(r.document(kindPlan, p.Slug).at("", "%s %s: %v", kindPlan, p.Slug, err))
		}
	}
}

// document is the one that described something.
func (r *reader) document(kind, slug string) document {
	d := r.seen[kind+"/"+slug]
	return document{place: d}
}
