package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Difference is one thing that another version of a record says otherwise. Before or After is empty where the one says
// nothing of it.
type Difference struct {
	What          string // "RTO", "Dependency on tax, coupling"
	Before, After string
}

func (d Difference) String() string {
	switch {
	case d.Before == "":
		return d.What + ": " + d.After
	case d.After == "":
		return d.What + ": no longer " + d.Before
	}
	return d.What + ": " + d.After + ", was " + d.Before
}

// Differences lists what another version of a record says otherwise. Either may be nil: the record is new, or retired.
func (k Kind) Differences(before, after any) []Difference {
	empty := shelfOf(k).empty()
	if before == nil {
		before = empty
	}
	if after == nil {
		after = empty
	}
	return differences(k.Fields(), before, after, "")
}

// Merge is somebody's version of a record with what somebody else has changed meanwhile in fields that the first left as they
// were. All three are records of the kind.
func (k Kind) Merge(before, mine, theirs any) any {
	merged := reflect.New(reflect.TypeOf(mine)).Elem()
	merged.Set(reflect.ValueOf(mine))
	for _, f := range k.Fields() {
		if len(differences([]Field{f}, before, mine, "")) == 0 {
			merged.Field(f.place).Set(reflect.ValueOf(theirs).Field(f.place))
		}
	}
	return merged.Interface()
}

func differences(fields []Field, before, after any, under string) (all []Difference) {
	for _, f := range fields {
		if reflect.DeepEqual(f.In(before), f.In(after)) {
			continue
		}
		what := f.Label
		if under != "" {
			what = under + ", " + strings.ToLower(f.Label)
		}
		switch f.Form {
		case Rows:
			all = append(all, f.rowDifferences(what, f.RowsIn(before), f.RowsIn(after))...)
		case Group:
			all = append(all, differences(f.Columns, f.In(before), f.In(after), what)...)
		case Pairs:
			all = append(all, pairDifferences(what, f.In(before).(map[string]string), f.In(after).(map[string]string))...)
		case List, Choices:
			all = append(all, listDifference(what, f.TextsIn(before), f.TextsIn(after))...)
		default:
			all = append(all, Difference{what, f.Words(before), f.Words(after)})
		}
	}
	return all
}

// Words is the value of a field in a record as people read it; nothing where it says nothing.
func (f Field) Words(record any) string {
	switch v := f.In(record).(type) {
	case nil:
		return ""
	case json.RawMessage:
		return string(v)
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case float64:
		return zeroIsNothing(v, strconv.FormatFloat(v, 'f', -1, 64))
	case int:
		return zeroIsNothing(float64(v), strconv.Itoa(v))
	case Duration:
		return zeroIsNothing(float64(v), v.String())
	}
	switch f.Form { //nolint:exhaustive // the others are texts
	case List, Choices:
		return strings.Join(f.TextsIn(record), ", ")
	case Pairs:
		var parts []string
		for name, text := range sorted(f.In(record).(map[string]string)) {
			parts = append(parts, name+" "+text)
		}
		return strings.Join(parts, ", ")
	case Group:
		return rowWords(f.Columns, f.In(record))
	case Rows:
		var parts []string
		for _, row := range f.RowsIn(record) {
			parts = append(parts, rowWords(f.Columns, row))
		}
		return strings.Join(parts, "; ")
	}
	return f.TextIn(record)
}

func zeroIsNothing(v float64, words string) string {
	if v == 0 {
		return ""
	}
	return words
}

func sorted(pairs map[string]string) func(func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for _, name := range slices.Sorted(maps.Keys(pairs)) {
			if !yield(name, pairs[name]) {
				return
			}
		}
	}
}

// rowWords is a row in one line: "dublin, standby".
func rowWords(columns []Field, row any) string {
	var parts []string
	for _, f := range columns {
		if words := f.Words(row); words != "" {
			parts = append(parts, words)
		}
	}
	return strings.Join(parts, ", ")
}

// rowDifferences compares rows by their first column, which names them.
func (f Field) rowDifferences(what string, before, after []any) (all []Difference) {
	name := f.Columns[0]
	key := func(row any) string { return name.Words(row) }
	old := map[string]any{}
	for _, row := range before {
		old[key(row)] = row
	}
	kept := map[string]bool{}
	for _, row := range after {
		was, ok := old[key(row)]
		if !ok {
			all = append(all, Difference{What: what, After: rowWords(f.Columns, row)})
			continue
		}
		kept[key(row)] = true
		all = append(all, differences(f.Columns[1:], was, row, what+" "+key(row))...)
	}
	for _, row := range before {
		if !kept[key(row)] {
			all = append(all, Difference{What: what, Before: rowWords(f.Columns, row)})
		}
	}
	if len(all) == 0 {
		all = append(all, Difference{what, keys(before, key), keys(after, key)})
	}
	return all
}

func keys(rows []any, key func(any) string) string {
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = key(row)
	}
	return strings.Join(names, ", ")
}

func pairDifferences(what string, before, after map[string]string) (all []Difference) {
	names := maps.Clone(before)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, after)
	for name := range sorted(names) {
		if before[name] != after[name] {
			all = append(all, Difference{fmt.Sprintf("%s, %s", what, name), before[name], after[name]})
		}
	}
	return all
}

func listDifference(what string, before, after []string) (all []Difference) {
	for _, text := range after {
		if !slices.Contains(before, text) {
			all = append(all, Difference{What: what, After: text})
		}
	}
	for _, text := range before {
		if !slices.Contains(after, text) {
			all = append(all, Difference{What: what, Before: text})
		}
	}
	if len(all) == 0 && len(before) == len(after) && len(before) > 0 {
		all = append(all, Difference{what, strings.Join(before, ", "), strings.Join(after, ", ")})
	}
	return all
}
