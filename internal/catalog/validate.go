package catalog

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"keyholder/internal/fault"
)

// Problem is one thing that is wrong with a record.
type Problem struct {
	At   Ref
	Path string // of the field: "dependencies[2].on"
	What string // what is wrong and what was expected
}

func (p Problem) String() string { return fmt.Sprintf("%s: %s: %s", p.At, p.Path, p.What) }

// Bounds of what a record may hold. They keep a page readable and an answer small.
const (
	LongestText   = 4000
	LongestSlug   = 80
	MostRows      = 2000
	LargestNumber = 1e12
)

var slugs = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`) //nolint:gochecknoglobals // made once

// Problems goes through what is wrong with the catalogue: references that lead nowhere, and values that cannot be.
func (c Catalog) Problems() iter.Seq[Problem] {
	return func(yield func(Problem) bool) {
		for e := range c.Entries() {
			for p := range c.ProblemsOf(e) {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// ProblemsOf goes through what is wrong with a record in this catalogue.
func (c Catalog) ProblemsOf(e Entry) iter.Seq[Problem] {
	return func(yield func(Problem) bool) {
		say := func(path, format string, args ...any) bool {
			return yield(Problem{e.Ref, path, fmt.Sprintf(format, args...)})
		}
		if !checkFields(e.Kind.Fields(), e.Record, say) || !checkRules(c, e, say) {
			return
		}
		for r := range e.References() {
			if _, ok := c.Leads(r); !ok && !say(r.Path, "there is no %s %q", orKinds(r.May), r.To) {
				return
			}
		}
	}
}

// Validate collects what is wrong with the catalogue by record and field.
func (c Catalog) Validate() error {
	wrong := fault.Wrong{}
	for p := range c.Problems() {
		wrong.Add(p.At.String()+": "+p.Path, "%s", p.What)
	}
	return wrong.Err()
}

// sayer notes a problem, and says whether to go on.
type sayer func(path, format string, args ...any) bool

// under says it of what lies within something.
func (s sayer) under(what string) sayer {
	return func(path, format string, args ...any) bool { return s(what+path, format, args...) }
}

// checkFields checks each value against the form of its field.
func checkFields(fields []Field, record any, say sayer) bool {
	for _, f := range fields {
		if !f.check(record, say) {
			return false
		}
	}
	return true
}

func (f Field) check(record any, say sayer) bool {
	switch f.Form {
	case Text, Long, URL, Choice:
		what := f.wrongText(f.TextIn(record))
		return what == "" || say(f.Key, "%s", what)
	case Choices, List:
		texts := f.TextsIn(record)
		if len(texts) > MostRows {
			return say(f.Key, "has more than %d", MostRows)
		}
		for i, text := range texts {
			if what := f.wrongItem(texts[:i], text); what != "" && !say(f.Key+nth(i), "%s", what) {
				return false
			}
		}
	case Rows:
		rows := f.RowsIn(record)
		if len(rows) > MostRows {
			return say(f.Key, "has more than %d", MostRows)
		}
		return checkRows(f.Key, f.Columns, rows, say)
	case Number, Whole, Span:
		if what := f.wrongNumber(f.In(record)); what != "" {
			return say(f.Key, "%s", what)
		}
	case Group:
		if group := f.In(record); !f.Optional || !isZero(group) {
			return checkFields(f.Columns, group, say.under(f.Key+"."))
		}
	case YesNo, Pairs, JSON:
	}
	return true
}

func checkRows(key string, columns []Field, rows []any, say sayer) bool {
	at := 0
	inRow := func(path, format string, args ...any) bool { return say(key+nth(at)+"."+path, format, args...) }
	for at = range rows {
		if !checkFields(columns, rows[at], inRow) {
			return false
		}
	}
	return true
}

// nth is how a path names one of many.
func nth(i int) string { return "[" + strconv.Itoa(i) + "]" }

func isZero(v any) bool {
	z, ok := v.(interface{ IsZero() bool })
	return ok && z.IsZero()
}

func (f Field) wrongText(text string) string {
	switch {
	case strings.TrimSpace(text) == "":
		if f.Needed() {
			return "is missing"
		}
		return ""
	case f.Key == "slug" && (!slugs.MatchString(text) || len(text) > LongestSlug):
		return fmt.Sprintf("%q is not a short name: small letters, digits and single dashes, at most 80", text)
	case f.Key == "slug" && text == "new":
		return "\"new\" cannot be a short name: it is where one is added"
	case len(text) > LongestText:
		return fmt.Sprintf("is longer than %d characters", LongestText)
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && (f.Form != Long || r != '\n') || r == 0x7f }):
		return "holds a character that cannot be shown"
	case f.Form == Choice && !slices.Contains(f.Choices, text):
		return fmt.Sprintf("%q is not one of %s", text, strings.Join(f.Choices, ", "))
	case f.Form == URL && !strings.HasPrefix(text, "https://") && !strings.HasPrefix(text, "http://"):
		return fmt.Sprintf("%q is not an address that begins with https://", text)
	}
	return ""
}

func (f Field) wrongItem(before []string, text string) string {
	switch {
	case strings.TrimSpace(text) == "" || len(text) > LongestText:
		return "is empty or too long"
	case len(f.Choices) > 0 && !slices.Contains(f.Choices, text):
		return fmt.Sprintf("%q is not one of %s", text, strings.Join(f.Choices, ", "))
	case slices.Contains(before, text):
		return fmt.Sprintf("%q stands twice", text)
	}
	return ""
}

func (f Field) wrongNumber(value any) string {
	var number float64
	switch v := value.(type) {
	case float64:
		number = v
	case int:
		number = float64(v)
	case Duration:
		number = v.D().Hours()
	}
	if number != number || number < 0 || number > LargestNumber {
		return "must not be negative, nor absurdly large"
	}
	return ""
}

// checkRules checks what no single field can say.
func checkRules(c Catalog, e Entry, say sayer) bool {
	switch r := e.Record.(type) {
	case Settings:
		if len(r.Currency) != 3 || strings.ToUpper(r.Currency) != r.Currency {
			return say("currency", "must be three capital letters, such as GBP")
		}
		if _, err := time.LoadLocation(r.TimeZone); err != nil {
			return say("time_zone", "%q is not a time zone such as Europe/London", r.TimeZone)
		}
		if len(r.Roles) > 0 {
			return say("roles", "are records of their own now: a document of kind assignment for each")
		}
	case Site:
		if within := c.within([]string{r.Slug}); r.Within != "" && within[r.Within] {
			return say("within", "%s lies within itself, through %s", r.Slug, r.Within)
		}
	case Tier:
		if r.RTO <= 0 {
			return say("rto", "must be longer than nothing")
		}
		if r.Approvals > 0 {
			return say("approvals", "are said by policies now: a document of kind policy for the tier")
		}
	case Capability:
		for i, p := range r.Peaks {
			if what := p.wrong(); what != "" && !say("peaks"+nth(i), "%s", what) {
				return false
			}
		}
	case ThirdParty:
		if c.Has(KindService, r.Slug) {
			return say("slug", "a service is called %q too, and dependencies could mean either", r.Slug)
		}
	case Service:
		return checkService(c, r, say)
	case Policy:
		return checkPolicy(r, say)
	case Assignment:
		return c.checkAssignment(r, say)
	case Deputy:
		return c.checkDeputy(r, say)
	case StandingOrder:
		return c.checkStandingOrder(r, say)
	case Channel:
		return checkChannel(r, say)
	case System:
		return checkSystem(r, say)
	case Eligibility:
		return c.checkEligibility(r, say)
	case DegradedModeRule:
		return c.checkDegradedModeRule(r, say)
	case Flow:
		return c.checkFlow(r, say)
	}
	return true
}

func checkService(c Catalog, s Service, say sayer) bool {
	if c.Has(KindThirdParty, s.Slug) && !say("slug", "a third party is called %q too, and dependencies could mean either", s.Slug) {
		return false
	}
	seen := map[string]bool{}
	for i, d := range s.Deployments {
		if seen[d.Site] && !say("deployments"+nth(i)+".site", "%q stands twice", d.Site) {
			return false
		}
		seen[d.Site] = true
	}
	seen = map[string]bool{}
	for i, d := range s.Dependencies {
		switch {
		case d.On == s.Slug:
			if !say(dependency(i)+"on", "a service cannot depend on itself") {
				return false
			}
		case seen[d.On]:
			if !say(dependency(i)+"on", "%q stands twice", d.On) {
				return false
			}
		case d.Queue != "" && d.Coupling != Asynchronous:
			if !say(dependency(i)+"queue", "only an asynchronous dependency has a queue") {
				return false
			}
		case d.LongestDelay != 0 && d.Coupling != Deferrable:
			if !say(dependency(i)+"longest_delay", "only a deferrable dependency has a longest delay") {
				return false
			}
		}
		seen[d.On] = true
	}
	return true
}

func dependency(i int) string { return "dependencies" + nth(i) + "." }

func orKinds(kinds []Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.One()
	}
	return strings.Join(names, " or ")
}

func unknownKind(k Kind) error {
	names := make([]string, 0, len(shelves))
	for _, one := range Kinds() {
		names = append(names, string(one))
	}
	return fmt.Errorf("%q is not a kind of record; those are %s", k, strings.Join(names, ", "))
}
