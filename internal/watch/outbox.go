package watch

import (
	"errors"
	"sync"
)

// outbox is what is being sent at the moment. Its zero value is empty.
type outbox struct {
	mu       sync.Mutex
	sending  map[string]bool // by message
	by       map[string]int  // how many, by channel
	failures []error         // that no channel is to blame for
	all      sync.WaitGroup
}

// take says whether a message is to be sent now by a channel, and notes that it is: none twice, and no more by one channel than
// leaves the others room.
func (o *outbox) take(message, via string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sending == nil {
		o.sending, o.by = map[string]bool{}, map[string]int{}
	}
	if o.sending[message] || o.by[via] >= sentAtOnce {
		return false
	}
	o.sending[message] = true
	o.by[via]++
	return true
}

// done notes that it was sent, or not; err is what went wrong on our side.
func (o *outbox) done(message, via string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.sending, message)
	o.by[via]--
	if err != nil {
		o.failures = append(o.failures, err)
	}
}

// trouble is what has gone wrong on our side since it was last asked.
func (o *outbox) trouble() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := errors.Join(o.failures...)
	o.failures = nil
	return err
}
