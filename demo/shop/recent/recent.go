package recent

import (
	"sync"
	"time"
)

// Span is how far back a memory goes.
const Span = time.Minute

// Memory keeps the events of the last Span, in the order in which they were added. Its zero value is empty.
type Memory[T any] struct {
	mu     sync.Mutex
	events []event[T]
}

type event[T any] struct {
	at    time.Time
	value T
}

// Add remembers value.
func (m *Memory[T]) Add(at time.Time, value T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, event[T]{at: at, value: value})
	old := 0
	for old < len(m.events) && at.Sub(m.events[old].at) > Span {
		old++
	}
	m.events = append(m.events[:0], m.events[old:]...)
}

// Since calls visit for every event that is not older than the given time.
func (m *Memory[T]) Since(from time.Time, visit func(T)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, each := range m.events {
		if !each.at.Before(from) {
			visit(each.value)
		}
	}
}
