package fault

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Kind says what a caller can do about an error. An error without a Kind is Internal: nobody but us can mend it.
type Kind int

// The kinds, from the most to the least expected.
const (
	Internal    Kind = iota // a bug or a broken machine
	Invalid                 // the input must be corrected; Fields says where
	NotFound                // there is no such thing, or this person may not know of it
	Forbidden               // a rule says no; Rule names it
	Conflict                // someone or something was first
	Unavailable             // a part we need does not answer; trying again later may help
	SignInAgain             // the act needs a more recent sign-in
)

var kindNames = map[Kind]string{
	Internal: "internal", Invalid: "invalid", NotFound: "not found", Forbidden: "forbidden",
	Conflict: "conflict", Unavailable: "unavailable", SignInAgain: "sign in again",
}

func (k Kind) String() string { return kindNames[k] }

// Error is a refusal or failure that may be shown to people as it stands.
type Error struct {
	Kind    Kind
	Message string            // a whole sentence for the person who meets it
	Rule    string            // the name of the rule that refused, where one did
	Who     string            // who can act instead, where known
	Fields  map[string]string // for Invalid: what is wrong, by form field
	Err     error             // the cause, for the log only
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	if e.Rule != "" {
		fmt.Fprintf(&b, " [rule %s]", e.Rule)
	}
	for _, name := range e.fieldNames() {
		fmt.Fprintf(&b, "; %s: %s", name, e.Fields[name])
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *Error) fieldNames() []string {
	names := make([]string, 0, len(e.Fields))
	for name := range e.Fields {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Refused is a no by a named rule. Who says who can act instead; it may be empty.
func Refused(rule, who, format string, args ...any) *Error {
	return &Error{Kind: Forbidden, Rule: rule, Who: who, Message: fmt.Sprintf(format, args...)}
}

// Late is a no because of what happened before: the message names who was first and when.
func Late(rule, format string, args ...any) *Error {
	return &Error{Kind: Conflict, Rule: rule, Message: fmt.Sprintf(format, args...)}
}

// Missing says that there is no such thing.
func Missing(what, id string) *Error {
	return &Error{Kind: NotFound, Message: fmt.Sprintf("There is no %s %q.", what, id)}
}

// Away says that a part does not answer.
func Away(part string, err error) *Error {
	return &Error{Kind: Unavailable, Message: part + " does not answer. Nothing was changed; try again in a moment.", Err: err}
}

// Wrong collects what is wrong with a form.
type Wrong map[string]string

// Add notes what is wrong with a field; the first note of a field stays.
func (w Wrong) Add(field, format string, args ...any) {
	if _, there := w[field]; !there {
		w[field] = fmt.Sprintf(format, args...)
	}
}

// Err is nil when nothing was added.
func (w Wrong) Err() error {
	if len(w) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Message: "Please correct what is marked below.", Fields: w}
}

// KindOf finds the kind of any error.
func KindOf(err error) Kind {
	if e := As(err); e != nil {
		return e.Kind
	}
	return Internal
}

// As finds the Error in a chain, or nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
