package bundle

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"keyholder/internal/catalog"
)

// place is where a document stands.
type place struct {
	file string
	line int    // of its first line, from 1
	text []byte // of the document; it belongs to the file's body
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// document is one record in a file: YAML between two lines of three dashes.
type document struct{ place }

// documents goes through the documents of a file. Three dashes at the start of a line cannot stand inside one.
func documents(f File) iter.Seq[document] {
	return func(yield func(document) bool) {
		line, first, start := 1, 1, 0
		for at := 0; at < len(f.Body); line++ {
			end := bytes.IndexByte(f.Body[at:], '\n')
			if end < 0 {
				end = len(f.Body) - at - 1
			}
			text := bytes.TrimRight(f.Body[at:at+end+1], " \r\n")
			if string(text) == "---" {
				if !yield(document{place{f.Name, first, f.Body[start:at]}}) {
					return
				}
				start, first = at+end+1, line+1
			}
			at += end + 1
		}
		yield(document{place{f.Name, first, f.Body[start:]}})
	}
}

// deepest bounds how deep a document may nest; what reads it goes down once for each level.
const deepest = 200

// parse reads the document's YAML and says what kind of thing it describes; nothing where it is empty.
func (d document) parse() (kind string, body *ast.MappingNode, err error) {
	if len(d.text) > MaxDocument {
		return "", nil, fmt.Errorf("%s: one record has more than %d MiB", d.place, MaxDocument>>20)
	}
	if line, deep := tooDeep(d.text); deep {
		return "", nil, fmt.Errorf("%s:%d: nests deeper than %d levels", d.file, d.line+line, deepest)
	}
	file, err := parser.ParseBytes(d.text, 0)
	if err != nil {
		return "", nil, d.syntax(err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil || file.Docs[0].Body.Type() == ast.CommentType || file.Docs[0].Body.Type() == ast.NullType {
		return "", nil, nil
	}
	if err := d.refuseAliases(file.Docs[0].Body); err != nil {
		return "", nil, err
	}
	body, ok := mapping(file.Docs[0].Body)
	if !ok {
		return "", nil, d.on(file.Docs[0].Body, "a document describes one record, as \"key: value\" lines")
	}
	for i, v := range body.Values {
		if v.Key.String() != "kind" {
			continue
		}
		text, isText := v.Value.(*ast.StringNode)
		if !isText || text.Value != kindPlan && !catalog.Kind(text.Value).Known() {
			return "", nil, d.on(v.Value, "%s is not a kind of record; those are %s", v.Value, strings.Join(kindNames(), ", "))
		}
		body.Values = append(body.Values[:i:i], body.Values[i+1:]...)
		return text.Value, body, nil
	}
	return "", nil, d.on(body, "\"kind\" is missing; it is one of %s", strings.Join(kindNames(), ", "))
}

func kindNames() []string {
	var names []string
	for _, k := range catalog.Kinds() {
		names = append(names, string(k))
	}
	return append(names, kindPlan)
}

// mapping is a node with keys; a document with one key is another type of node.
func mapping(n ast.Node) (*ast.MappingNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n, true
	case *ast.MappingValueNode:
		return ast.Mapping(n.GetToken(), false, n), true
	}
	return nil, false
}

// tooDeep finds the first line, from 0, on which brackets or dashes open too many levels.
func tooDeep(text []byte) (line int, deep bool) {
	open := 0
	for row := range bytes.SplitSeq(text, []byte("\n")) {
		if open += bytes.Count(row, []byte("[")) + bytes.Count(row, []byte("{")) - bytes.Count(row, []byte("]")) - bytes.Count(row, []byte("}")); open < 0 {
			open = 0
		}
		indent := len(row) - len(bytes.TrimLeft(row, " -?\t"))
		if open > deepest || indent > 2*deepest {
			return line, true
		}
		line++
	}
	return 0, false
}

// aliasFinder finds the first anchor or alias: a few lines of them can stand for more than any memory holds.
type aliasFinder struct{ found ast.Node }

// Visit looks at one node.
func (a *aliasFinder) Visit(n ast.Node) ast.Visitor {
	switch n.Type() { //nolint:exhaustive // the others are fine
	case ast.AliasType, ast.AnchorType, ast.MergeKeyType:
		a.found = n
		return nil
	}
	return a
}

func (d document) refuseAliases(n ast.Node) error {
	var a aliasFinder
	ast.Walk(&a, n)
	if a.found != nil {
		return d.on(a.found, "anchors and aliases are not read; write it out")
	}
	return nil
}

func decode[T any](d document, node *ast.MappingNode) (v T, err error) {
	err = yaml.NodeToValue(node, &v, yaml.Strict(), yaml.UseJSONUnmarshaler())
	return v, d.syntax(err)
}

func decodeRecord(d document, k catalog.Kind, node *ast.MappingNode) (catalog.Entry, error) {
	return catalog.DecodeWith(k, func(into any) error {
		return d.syntax(yaml.NodeToValue(node, into, yaml.Strict(), yaml.UseJSONUnmarshaler()))
	})
}

// syntax puts the place of the file on an error of the YAML reader.
func (d document) syntax(err error) error {
	if err == nil {
		return nil
	}
	var syntax yaml.Error
	if errors.As(err, &syntax) && syntax.GetToken() != nil {
		at := syntax.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", d.file, d.line+at.Line-1, at.Column, plainly(err, syntax))
	}
	return fmt.Errorf("%s: %w", d.place, err)
}

// plainly says what a value is and what was expected, where the YAML reader speaks of Go's types.
func plainly(err error, syntax yaml.Error) string {
	var mistyped *yaml.TypeError
	var misplaced *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &mistyped):
		return fmt.Sprintf("%q is not what was expected: %s", mistyped.Token.Value, expected(mistyped.DstType))
	case errors.As(err, &misplaced):
		words := strings.NewReplacer("sequence", "list", "mapping", "set of names with values")
		return words.Replace(fmt.Sprintf("this is a %s, where a %s was expected", misplaced.Actual.YAMLName(), misplaced.Expected.YAMLName()))
	}
	return syntax.GetMessage()
}

// expected says what a type of Go is in a file.
func expected(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "a text such as 15m"
	}
	switch t.Kind() { //nolint:exhaustive // records have no others
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "names with values"
	}
	return "a text"
}

// on says what is wrong with a node.
func (d document) on(n ast.Node, format string, args ...any) error {
	at := n.GetToken().Position
	return fmt.Errorf("%s:%d:%d: %s", d.file, d.line+at.Line-1, at.Column, fmt.Sprintf(format, args...))
}

// at says what is wrong with a field, by its path: "dependencies[2].on". A field that is not there is at its record.
func (d document) at(path, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	file, err := parser.ParseBytes(d.text, 0)
	if err != nil || len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return fmt.Errorf("%s: %s: %s", d.place, path, what)
	}
	node := file.Docs[0].Body
	if path == "" {
		return d.on(node, "%s", what)
	}
	if found, err := yaml.PathString("$." + path); err == nil {
		if there, err := found.FilterNode(node); err == nil && there != nil {
			return d.on(there, "%s: %s", path, what)
		}
	}
	return d.on(node, "%s: %s", path, what)
}
