package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/web/view"
)

// The bounds of what a form offers to choose from; beyond them a name is typed.
const (
	mostChecks  = 60
	mostOptions = 400
)

// blankRows is how many empty rows stand behind those of a list, to be filled in.
const blankRows = 2

// recordForm makes forms of records and records of forms. It knows no kind: it goes by what the kind's fields say.
type recordForm struct {
	catalog catalog.Catalog
	wrong   fault.Wrong
}

// of makes the fields of a form from a record.
func (f recordForm) of(fields []catalog.Field, record any, under string, isNew bool) []view.FormField {
	var all []view.FormField
	for _, field := range fields {
		name := under + field.Key
		one := f.blank(field, name)
		one.Fixed = field.Key == "slug" && under == "" && !isNew
		switch field.Form {
		case catalog.Rows:
			rows := field.RowsIn(record)
			for i, row := range rows {
				one.Rows = append(one.Rows, titled(f.of(field.Columns, row, rowName(name, i), true)))
			}
			one.Rows = append(one.Rows, f.blanks(field, name, len(rows), blankRows)...)
		case catalog.Group:
			one.Fields = f.of(field.Columns, field.In(record), name+".", true)
		case catalog.List, catalog.Choices:
			one.set(field.TextsIn(record))
		case catalog.YesNo:
			one.Chosen = field.In(record) == true
		case catalog.Pairs:
			one.Value = pairLines(field.In(record).(map[string]string))
		case catalog.JSON:
			one.Value = yamlOf(field.In(record))
		default:
			one.set([]string{field.Words(record)})
		}
		all = append(all, one.FormField)
	}
	return all
}

// titled is a row with what it holds in a few words.
func titled(fields []view.FormField) view.FormRow {
	var parts []string
	for _, f := range fields {
		if f.Form == catalog.Choice || f.Form == catalog.Choices {
			for _, c := range f.Choices {
				if c.Chosen && c.Value != "" {
					parts = append(parts, c.Label)
				}
			}
		} else if f.Value != "" {
			parts = append(parts, f.Value)
		}
	}
	return view.FormRow{Title: strings.Join(parts, ", "), Fields: fields}
}

// typedField is a field of a form that can be filled in.
type typedField struct{ view.FormField }

// set fills in a text, or chooses from what is offered.
func (t *typedField) set(texts []string) {
	if t.Choices == nil {
		t.Value = strings.Join(texts, "\n")
		return
	}
	for i := range t.Choices {
		t.Choices[i].Chosen = slices.Contains(texts, t.Choices[i].Value)
	}
	for _, text := range texts { // what is chosen stays, even where it is offered no more
		if text != "" && !slices.ContainsFunc(t.Choices, func(c view.Choice) bool { return c.Value == text }) {
			t.Choices = append(t.Choices, view.Choice{Value: text, Label: text, Chosen: true})
		}
	}
}

// blank is a field with nothing in it.
func (f recordForm) blank(field catalog.Field, name string) typedField {
	one := view.FormField{Name: name, Label: field.Label, Hint: field.About, Form: field.Form, Optional: field.Optional, Ordered: field.Ordered}
	if field.Unit == "money" {
		one.Label += " (" + f.catalog.Currency + ")"
	}
	switch {
	case field.Form == catalog.Choice || field.Form == catalog.Text && len(field.Leads) > 0:
		one.Choices = f.options(field, mostOptions)
		if one.Choices != nil {
			one.Form = catalog.Choice
			one.Choices = append([]view.Choice{{}}, one.Choices...)
		}
	case field.Form == catalog.Choices || field.Form == catalog.List && len(field.Leads) > 0:
		one.Choices = f.options(field, mostChecks)
		if one.Choices != nil {
			one.Form = catalog.Choices
		}
	}
	if one.Choices == nil && len(field.Leads) > 0 {
		one.Hint = strings.TrimSpace(one.Hint + " Type the short name of a " + kindNames(field.Leads) + ".")
	}
	return typedField{one}
}

// options are what a field may hold, unless that is more than people can choose from.
func (f recordForm) options(field catalog.Field, most int) []view.Choice {
	choices := []view.Choice{}
	for _, value := range field.Choices {
		choices = append(choices, view.Choice{Value: value, Label: catalog.Words(value)})
	}
	for _, kind := range field.Leads {
		for e := range f.catalog.Of(kind) {
			if len(choices) == most {
				return nil
			}
			choices = append(choices, view.Choice{Value: e.Slug, Label: e.Name})
		}
	}
	return choices
}

func kindNames(kinds []catalog.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.One()
	}
	return strings.Join(names, " or ")
}

func rowName(name string, i int) string { return fmt.Sprintf("%s[%d].", name, i) }

func (f recordForm) blanks(field catalog.Field, name string, from, n int) []view.FormRow {
	rows := make([]view.FormRow, n)
	for i := range rows {
		for _, column := range field.Columns {
			rows[i].Fields = append(rows[i].Fields, f.blank(column, rowName(name, from+i)+column.Key).FormField)
		}
	}
	return rows
}

// again makes the fields of a form from what was typed, with more rows for one of its lists.
func (f recordForm) again(fields []catalog.Field, sent url.Values, under, more string, isNew bool) []view.FormField {
	var all []view.FormField
	for _, field := range fields {
		name := under + field.Key
		one := f.blank(field, name)
		one.Fixed = field.Key == "slug" && under == "" && !isNew
		switch field.Form {
		case catalog.Rows:
			n := rowsSent(sent, name)
			for i := range n {
				one.Rows = append(one.Rows, titled(f.again(field.Columns, sent, rowName(name, i), "", true)))
			}
			if more == name || n == 0 {
				one.Rows = append(one.Rows, f.blanks(field, name, n, blankRows)...)
			}
		case catalog.Group:
			one.Fields = f.again(field.Columns, sent, name+".", "", true)
		case catalog.YesNo:
			one.Chosen = sent.Get(name) != ""
		default:
			one.set(sent[name])
		}
		all = append(all, one.FormField)
	}
	return all
}

// rowsSent is how many rows of a list the form held.
func rowsSent(sent url.Values, name string) int {
	n := 0
	for key := range sent {
		rest, ok := strings.CutPrefix(key, name+"[")
		if !ok {
			continue
		}
		index, _, _ := strings.Cut(rest, "]")
		if i, err := strconv.Atoi(index); err == nil && i >= n && i < 2000 {
			n = i + 1
		}
	}
	return n
}

// read makes a record of what was typed. What could not be read is noted at its field.
func (f recordForm) read(k catalog.Kind, sent url.Values) (catalog.Entry, error) {
	tree, _ := f.tree(k.Fields(), sent, "")
	if err := f.wrong.Err(); err != nil {
		return catalog.Entry{}, err
	}
	body, err := json.Marshal(tree)
	if err != nil {
		return catalog.Entry{}, fmt.Errorf("write what was typed: %w", err)
	}
	return catalog.Decode(k, body)
}

// tree reads the fields; anything says whether a field held something.
func (f recordForm) tree(fields []catalog.Field, sent url.Values, under string) (tree map[string]any, anything bool) {
	tree = map[string]any{}
	for _, field := range fields {
		value, filled := f.value(field, sent, under+field.Key)
		if filled || !field.Optional {
			tree[field.Key] = value
		}
		anything = anything || filled
	}
	return tree, anything
}

func (f recordForm) value(field catalog.Field, sent url.Values, name string) (value any, filled bool) {
	typed := strings.TrimSpace(strings.ReplaceAll(sent.Get(name), "\r\n", "\n"))
	switch field.Form { //nolint:exhaustive // the others are texts
	case catalog.Rows:
		return f.rows(field, sent, name)
	case catalog.Group:
		return f.tree(field.Columns, sent, name+".")
	case catalog.YesNo:
		return typed != "", typed != ""
	case catalog.List, catalog.Choices:
		texts := []string{}
		for _, one := range sent[name] {
			for line := range strings.Lines(one) {
				if line = strings.TrimSpace(line); line != "" {
					texts = append(texts, line)
				}
			}
		}
		return texts, len(texts) > 0
	case catalog.Pairs:
		pairs := f.pairs(typed, name)
		return pairs, len(pairs) > 0
	case catalog.Number, catalog.Whole:
		return f.number(field, typed, name)
	case catalog.Span:
		return f.span(field, typed, name)
	case catalog.JSON:
		raw, err := yaml.YAMLToJSON([]byte(typed))
		if typed != "" && (err != nil || !json.Valid(raw)) {
			f.wrong.Add(name, "This is neither YAML nor JSON.")
			return nil, true
		}
		return json.RawMessage(orNull(raw, typed)), typed != ""
	}
	return typed, typed != ""
}

func (f recordForm) span(field catalog.Field, typed, name string) (any, bool) {
	var span catalog.Duration
	switch err := span.UnmarshalText([]byte(typed)); {
	case typed == "" && !field.Optional:
		f.wrong.Add(name, "Type a span of time such as 15m, 8h or 2d.")
	case typed != "" && err != nil:
		f.wrong.Add(name, "%s is not a span of time such as 15m, 8h or 2d.", strconv.Quote(typed))
	}
	return span, typed != ""
}

func orNull(raw []byte, typed string) []byte {
	if typed == "" {
		return []byte("null")
	}
	return raw
}

func (f recordForm) number(field catalog.Field, typed, name string) (any, bool) {
	if typed == "" {
		return 0, false
	}
	plain := strings.NewReplacer(",", "", " ", "").Replace(typed)
	if field.Form == catalog.Whole {
		n, err := strconv.Atoi(plain)
		if err != nil {
			f.wrong.Add(name, "%s is not a whole number.", strconv.Quote(typed))
		}
		return n, true
	}
	n, err := strconv.ParseFloat(plain, 64)
	if before, after, cut := strings.Cut(plain, "."); cut && field.Unit == "money" && len(after) == 3 {
		f.wrong.Add(name, "%s could be %s or %s%s: write it without the point.", strconv.Quote(typed), before, before, after)
		return 0, true
	}
	if err != nil || n != n || n > 1e15 || n < -1e15 {
		f.wrong.Add(name, "%s is not a number.", strconv.Quote(typed))
		return 0, true
	}
	return n, true
}

// tidied is what was sent without the rows that were left empty or are to be taken out, and with those of ordered lists in
// the order of their places, so that the rows of the form are those of the record.
func tidied(fields []catalog.Field, sent url.Values) url.Values {
	tidy := url.Values{}
	for key, values := range sent {
		tidy[key] = values
	}
	for _, field := range fields {
		if field.Form == catalog.Rows {
			tidyRows(field, sent, tidy)
		}
	}
	return tidy
}

func tidyRows(field catalog.Field, sent, tidy url.Values) {
	scratch := recordForm{wrong: fault.Wrong{}}
	var kept []int
	for i := range rowsSent(sent, field.Key) {
		if _, anything := scratch.tree(field.Columns, sent, rowName(field.Key, i)); anything && sent.Get(rowName(field.Key, i)+view.RemoveRow) == "" {
			kept = append(kept, i)
		}
	}
	if field.Ordered {
		place := func(i int) float64 {
			at, err := strconv.ParseFloat(strings.TrimSpace(sent.Get(rowName(field.Key, i)+view.RowPlace)), 64)
			if err != nil {
				return float64(i + 1)
			}
			return at
		}
		slices.SortStableFunc(kept, func(a, b int) int { return cmp.Compare(place(a), place(b)) })
	}
	now := map[string]string{}
	for to, from := range kept {
		now[rowName(field.Key, from)] = rowName(field.Key, to)
	}
	for key := range sent {
		if !strings.HasPrefix(key, field.Key+"[") {
			continue
		}
		delete(tidy, key)
	}
	for key, values := range sent {
		row, rest, ok := strings.Cut(key, "].")
		if to, stays := now[row+"]."]; ok && stays {
			tidy[to+rest] = values
		}
	}
}

// rows reads the rows that hold anything.
func (f recordForm) rows(field catalog.Field, sent url.Values, name string) (any, bool) {
	rows := []map[string]any{}
	for i := range rowsSent(sent, name) {
		if row, anything := f.tree(field.Columns, sent, rowName(name, i)); anything {
			rows = append(rows, row)
		}
	}
	return rows, len(rows) > 0
}

// pairs reads lines such as "url: http://…".
func (f recordForm) pairs(typed, name string) map[string]string {
	pairs := map[string]string{}
	for line := range strings.Lines(typed) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if key = strings.TrimSpace(key); !ok || key == "" {
			f.wrong.Add(name, "Write a name, a colon and a value on each line, not %s.", strconv.Quote(line))
			continue
		}
		pairs[key] = strings.TrimSpace(value)
	}
	return pairs
}

func pairLines(pairs map[string]string) string {
	var lines []string
	for name, text := range pairs {
		lines = append(lines, name+": "+text)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// yamlOf shows what a connector is told as people write it in files.
func yamlOf(value any) string {
	raw, ok := value.(json.RawMessage)
	if !ok || len(raw) == 0 {
		return ""
	}
	text, err := yaml.JSONToYAML(raw)
	if err != nil {
		return string(raw)
	}
	return strings.TrimSpace(string(text))
}
