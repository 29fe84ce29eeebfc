package recent

import (
	"fmt"
	"time"
)

// Window reads the length of time over which someone asks, at least a second and at most Span; "" is five seconds.
func Window(asked string) (time.Duration, error) {
	if asked == "" {
		return 5 * time.Second, nil
	}
	window, err := time.ParseDuration(asked)
	if err != nil {
		return 0, fmt.Errorf("window must be a duration like 5s, not %q", asked)
	}
	if window < time.Second || window > Span {
		return 0, fmt.Errorf("window must be between 1s and %s, not %s", Span, window)
	}
	return window, nil
}

// Ratio is part of whole; of nothing it is 0, because nothing succeeded.
func Ratio(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
