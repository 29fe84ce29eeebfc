package control_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"keyholder/demo/shop/control"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

func TestSwitchRunsThePartOnlyWhileOn(t *testing.T) {
	running := make(chan bool, 10)
	power := control.NewSwitch("part", func(ctx context.Context, ready func()) error {
		running <- true
		ready()
		<-ctx.Done()
		running <- false
		return nil
	})
	if err := power.On(t.Context()); err == nil {
		t.Error("a part was started before its switch ran")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- power.Run(ctx, false, func() { close(ready) }) }()
	<-ready
	if power.IsOn() {
		t.Error("it runs and was never turned on")
	}
	for range 2 {
		if err := errors.Join(power.On(t.Context()), power.On(t.Context())); err != nil || !<-running || !power.IsOn() {
			t.Fatalf("turned on: %v", err)
		}
		if err := errors.Join(power.Off(), power.Off()); err != nil || <-running || power.IsOn() {
			t.Fatalf("turned off: %v", err)
		}
	}
	if err := power.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil || !<-running || <-running {
		t.Errorf("ended: %v", err)
	}
}

func TestPartThatStopsByItselfEndsTheSwitch(t *testing.T) {
	broken := errors.New("the disk is gone")
	fail := make(chan struct{})
	power := control.NewSwitch("part", func(_ context.Context, ready func()) error {
		ready()
		<-fail
		return broken
	})
	ended := make(chan error, 1)
	go func() { ended <- power.Run(t.Context(), true, func() { close(fail) }) }()
	if err := <-ended; !errors.Is(err, broken) || !contains(err.Error(), "part") {
		t.Errorf("ended with %v", err)
	}
}

func TestPartThatCannotStartSaysSo(t *testing.T) {
	broken := errors.New("the port is taken")
	power := control.NewSwitch("part", func(context.Context, func()) error { return broken })
	if err := power.Run(t.Context(), true, nil); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
