package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// diary notes what happened in which order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

func (d *diary) part(name string, after ...string) Part {
	return Part{Name: name, After: after, Run: func(ctx context.Context, ready func()) error {
		d.note("%s starts", name)
		ready()
		<-ctx.Done()
		d.note("%s stops", name)
		return nil
	}}
}

// runGroup fails the test if the group does not end in time.
func runGroup(t *testing.T, ctx context.Context, g Group) error { //nolint:revive // t first, as everywhere
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the group does not end")
		return nil
	}
}

func TestPartsStartInOrderAndStopInReverse(t *testing.T) {
	var d diary
	ctx, cancel := context.WithCancel(t.Context())
	err := runGroup(t, ctx, Group{
		Parts: []Part{d.part("portal", "temporal"), d.part("temporal", "disk"), d.part("disk")},
		Ready: func() { d.note("ready"); cancel() },
	})
	if err != nil {
		t.Error(err)
	}
	want := []string{
		"disk starts", "temporal starts", "portal starts", "ready", "portal stops", "temporal stops", "disk stops",
	}
	if diff := cmp.Diff(want, d.read()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestFirstFailureEndsAllAndIsNamed(t *testing.T) {
	var d diary
	broken := errors.New("disk full")
	err := runGroup(t, t.Context(), Group{Parts: []Part{
		d.part("portal"),
		{Name: "shop", After: []string{"portal"}, Run: func(context.Context, func()) error { return broken }},
		d.part("browser", "shop"),
	}})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "shop: ") {
		t.Errorf("error = %v", err)
	}
	if diff := cmp.Diff([]string{"portal starts", "portal stops"}, d.read()); diff != "" {
		t.Errorf("others (-want +got):\n%s", diff)
	}
}

func TestPartThatEndsByItselfIsAFailure(t *testing.T) {
	var d diary
	err := runGroup(t, t.Context(), Group{Parts: []Part{
		d.part("portal"),
		{Name: "shop", Run: func(context.Context, func()) error { return nil }},
	}})
	if err == nil || err.Error() != "shop: ended by itself" {
		t.Errorf("error = %v", err)
	}
}

func TestFailureWhileStoppingIsReported(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stuck := errors.New("would not flush")
	err := runGroup(t, ctx, Group{Ready: cancel, Parts: []Part{{
		Name: "temporal",
		Run: func(ctx context.Context, ready func()) error {
			ready()
			<-ctx.Done()
			return stuck
		},
	}}})
	if !errors.Is(err, stuck) {
		t.Errorf("error = %v", err)
	}
}

func TestStopBeforeReadyIsNoFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := runGroup(t, ctx, Group{
		Parts: []Part{
			{Name: "slow", Run: func(ctx context.Context, _ func()) error {
				cancel()
				<-ctx.Done()
				return ctx.Err()
			}},
			{Name: "later", After: []string{"slow"}, Run: func(context.Context, func()) error {
				t.Error("started although what it needs never was ready")
				return nil
			}},
		},
		Ready: func() { t.Error("said to be ready") },
	})
	if err != nil {
		t.Error(err)
	}
}

func TestImpossibleOrdersAreRefused(t *testing.T) {
	var d diary
	for want, parts := range map[string][]Part{
		"two parts are called a":         {d.part("a"), d.part("a")},
		"a comes after x, which is no p": {d.part("a", "x")},
		"waits for itself":               {d.part("a", "b"), d.part("b", "a")},
	} {
		if err := runGroup(t, t.Context(), Group{Parts: parts}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want %q", err, want)
		}
	}
	if got := d.read(); len(got) != 0 {
		t.Errorf("something started: %v", got)
	}
}
