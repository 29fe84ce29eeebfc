package catalog

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Field is one thing that records of a kind say. Forms, differences and references are made from it; it is read off the
// record's Go type, so that nothing is described twice.
type Field struct {
	Key      string   // as files call it: "offline_for"
	Label    string   // as people call it: "Offline for"
	About    string   // what it means, a sentence
	Form     Form     // how it is written
	Optional bool     // it may be left out
	Choices  []string // of Choice and Choices
	Leads    []Kind   // of what a name in it leads to records of
	Unit     string   // "money", or nothing
	Columns  []Field  // of Group and Rows
	Ordered  bool     // the order of the rows says something
	Alone    bool     // one person may change it: nothing is decided by it

	place int // in the Go type
}

// Form is how the value of a field is written.
type Form string

// The forms.
const (
	Text    Form = "text"     // one line
	Long    Form = "long"     // some lines
	URL     Form = "url"      //
	Number  Form = "number"   // with or without a fraction
	Whole   Form = "whole"    // a number without a fraction
	Span    Form = "duration" // 15m
	YesNo   Form = "yes-no"   //
	Choice  Form = "choice"   // one of Choices
	Choices Form = "choices"  // any of Choices
	List    Form = "list"     // texts, or short names that lead somewhere
	Pairs   Form = "pairs"    // texts by name
	Group   Form = "group"    // fields of its own
	Rows    Form = "rows"     // any number of groups
	JSON    Form = "json"     // whatever a connector wants
)

// Fields are what records of a kind say, in the order in which people are shown it.
func (k Kind) Fields() []Field {
	return shapes()[k]
}

var shapes = sync.OnceValue(func() map[Kind][]Field { //nolint:gochecknoglobals // made once
	all := map[Kind][]Field{}
	for _, s := range shelves {
		all[s.kind()] = FieldsOf(reflect.TypeOf(s.empty()))
	}
	return all
})

// FieldsOf are the fields of any type that is written as records are.
func FieldsOf(t reflect.Type) []Field {
	fields := make([]Field, 0, t.NumField())
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("form") != "-" {
			fields = append(fields, fieldOf(t.Field(i), i))
		}
	}
	return fields
}

func fieldOf(g reflect.StructField, place int) Field {
	key, options, _ := strings.Cut(g.Tag.Get("json"), ",")
	f := Field{
		Key: key, Label: g.Tag.Get("label"), About: g.Tag.Get("doc"), Unit: g.Tag.Get("unit"), place: place,
		Optional: strings.Contains(options, "omit"), Form: Form(g.Tag.Get("form")), Ordered: g.Tag.Get("ordered") != "",
		Alone: g.Tag.Get("alone") != "",
	}
	if f.Label == "" {
		f.Label = Words(key)
	}
	if key == "slug" {
		f.Label, f.About = "Short name", "By which others refer to it: small letters, digits and dashes. It never changes."
	}
	for kind := range strings.SplitSeq(g.Tag.Get("ref"), ",") {
		if kind != "" {
			f.Leads = append(f.Leads, Kind(kind))
		}
	}
	if choices := g.Tag.Get("enum"); choices != "" {
		f.Choices = strings.Split(choices, ",")
	}
	if f.Form == "" {
		f.Form = formOf(g.Type, f)
	}
	if f.Form == Group {
		f.Columns = FieldsOf(g.Type)
	}
	if f.Form == Rows {
		f.Columns = FieldsOf(g.Type.Elem())
	}
	return f
}

func formOf(t reflect.Type, f Field) Form {
	switch {
	case t == reflect.TypeFor[json.RawMessage]():
		return JSON
	case t == reflect.TypeFor[Duration]():
		return Span
	case t.Kind() == reflect.Pointer:
		return formOf(t.Elem(), f)
	case t.Kind() == reflect.Bool:
		return YesNo
	case t.Kind() == reflect.Int:
		return Whole
	case t.Kind() == reflect.Float64:
		return Number
	case t.Kind() == reflect.Map:
		return Pairs
	case t.Kind() == reflect.Struct:
		return Group
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return Rows
	case t.Kind() == reflect.Slice && len(f.Choices) > 0:
		return Choices
	case t.Kind() == reflect.Slice:
		return List
	case len(f.Choices) > 0:
		return Choice
	case t.Kind() == reflect.String:
		return Text
	}
	panic(fmt.Sprintf("no form for %s", t)) // a record's type, which tests go through
}

// Words makes words of a key: "offline_for" is "Offline for".
func Words(key string) string {
	words := strings.NewReplacer("_", " ", "-", " ").Replace(key)
	if words == "" {
		return words
	}
	return string(unicode.ToUpper(rune(words[0]))) + words[1:]
}

// Needed says whether the field must be filled: a text that may not be left out. Any other value has one that it is of itself.
func (f Field) Needed() bool {
	switch f.Form { //nolint:exhaustive // the others are nought where they are left out
	case Text, Long, URL, Choice:
		return !f.Optional && !slices.Contains(f.Choices, "")
	}
	return false
}

// In is the value of the field in a record, or in a row of one.
func (f Field) In(record any) any {
	v := reflect.ValueOf(record).Field(f.place)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	return v.Interface()
}

// RowsIn are the rows of the field in a record.
func (f Field) RowsIn(record any) []any {
	v := reflect.ValueOf(record).Field(f.place)
	rows := make([]any, v.Len())
	for i := range rows {
		rows[i] = v.Index(i).Interface()
	}
	return rows
}

// TextsIn are the texts of a List or Choices field in a record.
func (f Field) TextsIn(record any) []string {
	v := reflect.ValueOf(record).Field(f.place)
	texts := make([]string, v.Len())
	for i := range texts {
		texts[i] = v.Index(i).String()
	}
	return texts
}

// TextIn is the text of a Text, Long, URL or Choice field in a record.
func (f Field) TextIn(record any) string { return reflect.ValueOf(record).Field(f.place).String() }
