package mailbox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"
)

// kept bounds how many messages are remembered.
const kept = 200

// Message is one thing that arrived.
type Message struct {
	At      time.Time `json:"at"`
	By      string    `json:"by"` // mail, or the name of a hook
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
}

// box remembers what arrived, in memory and in a file, to which each message is a line.
type box struct {
	mu   sync.Mutex
	file *os.File
	all  []Message
}

// openBox reads what had arrived before. A line that was cut off by a kill is left out.
func openBox(path string) (*box, error) {
	b := &box{}
	raw, err := os.Open(path) //nolint:gosec // a file name of ours in the folder we were given
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the mailbox: %w", err)
	}
	if err == nil {
		lines := bufio.NewScanner(raw)
		lines.Buffer(nil, maxMessage*2)
		for lines.Scan() {
			var m Message
			if json.Unmarshal(lines.Bytes(), &m) == nil {
				b.all = append(b.all, m)
			}
		}
		if err := errors.Join(lines.Err(), raw.Close()); err != nil {
			return nil, fmt.Errorf("read the mailbox: %w", err)
		}
		b.all = b.all[max(0, len(b.all)-kept):]
	}
	b.file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // as above
	if err != nil {
		return nil, fmt.Errorf("open the mailbox: %w", err)
	}
	for _, m := range b.all {
		if err := b.write(m); err != nil {
			return nil, errors.Join(err, b.file.Close())
		}
	}
	return b, nil
}

func (b *box) write(m Message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write a message: %w", err)
	}
	if _, err := b.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("keep a message: %w", err)
	}
	return nil
}

// take keeps a message; it has not arrived unless it is kept.
func (b *box) take(m Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.write(m); err != nil {
		return err
	}
	b.all = append(b.all, m)
	b.all = b.all[max(0, len(b.all)-kept):]
	return nil
}

// newest are the messages, the last first.
func (b *box) newest() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := slices.Clone(b.all)
	slices.Reverse(all)
	return all
}
