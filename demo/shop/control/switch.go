package control

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Part runs until its context ends, and calls ready once it serves.
type Part func(ctx context.Context, ready func()) error

// Switch runs a part while it is on. Off is abrupt: the part is stopped as a killed process would be.
type Switch struct {
	name string
	part Part

	mu     sync.Mutex
	root   context.Context // nil until Run
	cancel context.CancelFunc
	ended  chan struct{} // closed when the running part is down; nil while off
	failed chan error
}

// NewSwitch is off until it is turned on under a running Run.
func NewSwitch(name string, part Part) *Switch {
	return &Switch{name: name, part: part, failed: make(chan error, 1)}
}

// Run keeps the switch usable until ctx ends, and then turns it off. A part that stops by itself ends it with an error.
func (s *Switch) Run(ctx context.Context, on bool, ready func()) error {
	s.mu.Lock()
	s.root = ctx
	s.mu.Unlock()
	if on {
		if err := s.On(ctx); err != nil {
			return err
		}
	}
	if ready != nil {
		ready()
	}
	select {
	case err := <-s.failed:
		return err
	case <-ctx.Done():
		return s.Off()
	}
}

// On starts the part and returns once it serves. It does nothing if the part runs.
func (s *Switch) On(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.root == nil || s.root.Err() != nil:
		return fmt.Errorf("%s cannot start: the shop is not running", s.name)
	case s.ended != nil:
		return nil
	}
	run, cancel := context.WithCancel(s.root)
	serving, ended, result := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(ended)
		err := s.part(run, sync.OnceFunc(func() { close(serving) }))
		result <- err
		if run.Err() == nil {
			s.fail(err)
		}
	}()
	select {
	case <-serving:
		s.cancel, s.ended = cancel, ended
		return nil
	case <-ended:
		cancel()
		return s.failure(<-result)
	case <-ctx.Done():
		cancel()
		<-ended
		return fmt.Errorf("%s did not start: %w", s.name, ctx.Err())
	}
}

func (s *Switch) fail(err error) {
	select {
	case s.failed <- s.failure(err):
	default:
	}
}

func (s *Switch) failure(err error) error {
	if err == nil {
		err = errors.New("it stopped by itself")
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

// Off stops the part and returns once it is down. It does nothing if the part does not run.
func (s *Switch) Off() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		return nil
	}
	s.cancel()
	<-s.ended
	s.cancel, s.ended = nil, nil
	return nil
}

// IsOn tells whether the part runs.
func (s *Switch) IsOn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended != nil
}
