package main

import (
	"fmt"
	"os"
	"strings"
)

const (
	from = "static/vendor/tabler.min.css"
	into = "static/vendor/tabler-dark.css"
	mark = "[data-bs-theme=dark]"
)

func main() {
	css, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(into, []byte(dark(string(css))), 0o644) //nolint:gosec // a style sheet is public
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// dark collects the rules whose selector names the mark, with :root in its place.
func dark(css string) string {
	var b strings.Builder
	b.WriteString("@media (prefers-color-scheme: dark) {\n:root { color-scheme: dark; }\n")
	for _, rule := range rules(css) {
		selector, _, _ := strings.Cut(rule, "{")
		if strings.Contains(selector, mark) && !strings.HasPrefix(selector, "@") {
			b.WriteString(strings.ReplaceAll(rule, mark, ":root") + "\n")
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// rules splits a style sheet into its top-level rules.
func rules(css string) []string {
	var all []string
	depth, start := 0, 0
	for i, r := range css {
		switch r {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				all = append(all, css[start:i+1])
				start = i + 1
			}
		}
	}
	return all
}
