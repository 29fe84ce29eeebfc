package pgrole

import (
	"regexp"
	"strings"
)

// hidden is a statement without the passwords that it sets: the record is read by more people than the log. A password is a literal after
// the word, or what follows password= within a literal. What is a comment, or no literal, is left as it is: whoever writes a statement
// does not choose what is hidden of it.
func hidden(statement string) string { return hide(statement, 3) }

// hide reads literals as statements too, so deep: the body of a DO, and what that executes.
func hide(sql string, deep int) string {
	var out strings.Builder
	after := false // the word password, and nothing since
	for len(sql) > 0 {
		kind, n := next(sql)
		part := sql[:n]
		sql = sql[n:]
		switch {
		case kind == literal && after:
			part, after = "'…'", false
		case kind == literal:
			part = within(part, deep)
		case kind == word:
			after = strings.EqualFold(part, "password")
		case kind == other:
			after = after && part == "="
		}
		out.WriteString(part)
	}
	return out.String()
}

// connection finds the password of a connection's parameters. It takes no more than a word, and nothing that a statement needs.
var connection = regexp.MustCompile(`(?i)(\bpassword\s*=\s*)[^\s'"();*/…]{1,128}`)

// within is a literal without what is to be hidden in it. One that does not end is left as it is: the server took none of it.
func within(part string, deep int) string {
	start := strings.IndexAny(part, "'$")
	mark := "'"
	if part[start] == '$' {
		mark = dollar.FindString(part)
	}
	start += len(mark)
	if deep == 0 || len(part) < start+len(mark) || !strings.HasSuffix(part, mark) {
		return part
	}
	body := part[start : len(part)-len(mark)]
	plain := body
	if mark == "'" {
		plain = strings.ReplaceAll(body, "''", "'")
	}
	kept := connection.ReplaceAllString(hide(plain, deep-1), "${1}…")
	if kept == plain {
		return part
	}
	if mark == "'" {
		kept = strings.ReplaceAll(kept, "'", "''")
	}
	return part[:start] + kept + mark
}

// kind is what a part of a statement is, as far as it matters here.
type kind int

const (
	other kind = iota
	space      // and comments
	word
	literal
)

var (
	blank   = regexp.MustCompile(`\A(?:\s+|--[^\n]*)`)
	name    = regexp.MustCompile(`\A[A-Za-z_\x{80}-\x{10FFFF}][A-Za-z0-9_$\x{80}-\x{10FFFF}]*`)
	dollar  = regexp.MustCompile(`\A\$(?:[A-Za-z_\x{80}-\x{10FFFF}][A-Za-z0-9_\x{80}-\x{10FFFF}]*)?\$`)
	plain   = regexp.MustCompile(`\A(?:[UuNn]&?)?'(?:[^']|'')*'?`)
	escaped = regexp.MustCompile(`\A[Ee]'(?:[^'\\]|''|\\(?s:.))*'?`)
	ident   = regexp.MustCompile(`\A"(?:[^"]|"")*"?`)
)

// next is the first part of a statement, which is not empty, as PostgreSQL would read it.
func next(sql string) (kind, int) {
	if strings.HasPrefix(sql, "/*") {
		return space, commented(sql)
	}
	if tag := dollar.FindString(sql); tag != "" {
		if end := strings.Index(sql[len(tag):], tag); end >= 0 {
			return literal, end + 2*len(tag)
		}
		return literal, len(sql)
	}
	for _, one := range []struct {
		kind kind
		form *regexp.Regexp
	}{{space, blank}, {literal, escaped}, {literal, plain}, {other, ident}, {word, name}} {
		if found := one.form.FindString(sql); found != "" {
			return one.kind, len(found)
		}
	}
	return other, 1
}

// commented is how long a comment is: they nest.
func commented(sql string) int {
	deep := 0
	for i := 0; i < len(sql); i++ {
		switch {
		case strings.HasPrefix(sql[i:], "/*"):
			deep++
			i++
		case strings.HasPrefix(sql[i:], "*/"):
			i++
			if deep--; deep == 0 {
				return i + 1
			}
		}
	}
	return len(sql)
}
