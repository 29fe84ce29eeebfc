package catalog

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time written as people write it: "15m", "1h 30m", "2d". A day has 24 hours.
type Duration time.Duration

// D is the standard library's form.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String leaves out what is nought: "15m", not "15m0s".
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText writes the form that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads Go's notation, with spaces and days allowed.
func (d *Duration) UnmarshalText(text []byte) error {
	words := strings.ReplaceAll(string(text), " ", "")
	if words == "" {
		*d = 0
		return nil
	}
	days, rest, found := strings.Cut(words, "d")
	if !found {
		days, rest = "", words
	}
	var sum time.Duration
	if found {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || n < 0 || n > 36500 {
			return fmt.Errorf("%q is not a duration such as 15m, 8h or 2d", text)
		}
		sum = time.Duration(n * 24 * float64(time.Hour))
	}
	if rest != "" {
		parsed, err := time.ParseDuration(rest)
		if err != nil {
			return fmt.Errorf("%q is not a duration such as 15m, 8h or 2d", text)
		}
		sum += parsed
	}
	*d = Duration(sum)
	return nil
}
