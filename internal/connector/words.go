package connector

import (
	"slices"
	"strings"
	"unicode"

	"keyholder/internal/fault"
)

// Tidy makes foreign text harmless to show and keep: valid, without control characters but line ends and tabs, and of at most so many bytes.
func Tidy(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.TrimSpace(s)
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// CannotGive says in its message what is wrong with access that is to be brought about, because no form shows these fields.
func CannotGive(wrong fault.Wrong) error {
	if len(wrong) == 0 {
		return nil
	}
	var said []string
	for field, problem := range wrong {
		said = append(said, field+" "+problem)
	}
	slices.Sort(said)
	message := "The access cannot be brought about: " + strings.Join(said, "; ") + "."
	return &fault.Error{Kind: fault.Invalid, Message: message, Fields: wrong}
}
