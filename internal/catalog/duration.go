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

// Lasting writes a duration for people, in its two greatest units: "15 min", "1 h 30 min", "7 days".
func Lasting(d time.Duration) string {
	d = d.Round(time.Second)
	units := []struct {
		is, from time.Duration // it is used from some duration on
		name     string
	}{{24 * time.Hour, 48 * time.Hour, "days"}, {time.Hour, time.Hour, "h"}, {time.Minute, time.Minute, "min"}, {time.Second, 0, "s"}}
	for i, u := range units {
		if d < u.from || u.is == time.Second {
			continue
		}
		words := fmt.Sprintf("%d %s", d/u.is, u.name)
		if rest := d % u.is / units[i+1].is; rest > 0 {
			words += fmt.Sprintf(" %02d %s", rest, units[i+1].name)
		}
		return words
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}
