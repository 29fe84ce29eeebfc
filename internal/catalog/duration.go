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

// Lasting writes a duration for people, to the second.
func Lasting(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}
