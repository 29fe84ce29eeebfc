package shop

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"keyholder/demo/shop/control"
)

const defaultLag = 200 * time.Millisecond

func unbroken() control.Breaks {
	breaks := control.Breaks{
		Sites: map[string]control.SiteBreaks{}, Parts: map[string]control.PartBreaks{}, LagMS: defaultLag.Milliseconds(),
	}
	for _, name := range control.Parts() {
		breaks.Parts[name] = control.PartBreaks{}
	}
	for _, slug := range siteSlugs() {
		breaks.Sites[slug] = control.SiteBreaks{}
	}
	return breaks
}

// breakBook keeps what is broken, in memory and on disk.
type breakBook struct {
	path string
	mu   sync.RWMutex
	now  control.Breaks
}

func openBreaks(dir string) (*breakBook, error) {
	book := &breakBook{path: filepath.Join(dir, "breaks.json"), now: unbroken()}
	raw, err := os.ReadFile(book.path)
	if errors.Is(err, fs.ErrNotExist) {
		return book, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is broken: %w", err)
	}
	if err := json.Unmarshal(raw, &book.now); err != nil {
		return nil, fmt.Errorf("read what is broken in %s: %w", book.path, err)
	}
	return book, nil
}

func (b *breakBook) get() control.Breaks {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.now.Clone()
}

func (b *breakBook) frozen(slug string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.now.Sites[slug].Frozen
}

func (b *breakBook) part(name string) control.PartBreaks {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.now.Parts[name]
}

func (b *breakBook) lag() time.Duration {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.now.Lag()
}

// change is on disk when it returns; a kill in between leaves the old state whole.
func (b *breakBook) change(edit func(*control.Breaks)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.now.Clone()
	edit(&next)
	raw, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("write what is broken: %w", err)
	}
	fresh := b.path + ".new"
	if err := os.WriteFile(fresh, raw, 0o600); err != nil {
		return fmt.Errorf("write what is broken: %w", err)
	}
	if err := os.Rename(fresh, b.path); err != nil {
		return fmt.Errorf("write what is broken: %w", err)
	}
	b.now = next
	return nil
}

func (b *breakBook) changeSite(slug string, edit func(*control.SiteBreaks)) error {
	return b.change(func(breaks *control.Breaks) {
		broken := breaks.Sites[slug]
		edit(&broken)
		breaks.Sites[slug] = broken
	})
}
