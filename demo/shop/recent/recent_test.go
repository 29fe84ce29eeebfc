package recent

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMemoryForgetsWhatIsOlderThanItsSpan(t *testing.T) {
	var m Memory[int]
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 100 {
		m.Add(start.Add(time.Duration(i)*time.Second), i)
	}
	if len(m.events) != 61 {
		t.Errorf("it keeps %d events, want 61", len(m.events))
	}
	var got []int
	m.Since(start.Add(97*time.Second), func(i int) { got = append(got, i) })
	if diff := cmp.Diff([]int{97, 98, 99}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWindowIsBounded(t *testing.T) {
	for asked, want := range map[string]time.Duration{"": 5 * time.Second, "3s": 3 * time.Second, "1m": time.Minute} {
		if got, err := Window(asked); err != nil || got != want {
			t.Errorf("Window(%q) = %v, %v", asked, got, err)
		}
	}
	for _, asked := range []string{"0s", "-1s", "2h", "five", "5"} {
		if got, err := Window(asked); err == nil {
			t.Errorf("Window(%q) = %v, want an error", asked, got)
		}
	}
}
