package config

import (
	"fmt"
	"strings"
)

// KeyReference is a key by its name and the reference to it: env:NAME or file:PATH.
type KeyReference struct{ Name, Reference string }

// KeyReferences are the keys of what processes keep in Temporal. What cannot be read is named by its place and not repeated: it may
// be the key itself.
func (c Config) KeyReferences() ([]KeyReference, error) {
	if c.TemporalKeys == "" {
		return nil, nil
	}
	var keys []KeyReference
	for i, part := range strings.Split(c.TemporalKeys, ",") {
		name, reference, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found || name == "" || !strings.HasPrefix(reference, "file:") && !strings.HasPrefix(reference, "env:") {
			return nil, fmt.Errorf("KEYHOLDER_TEMPORAL_KEYS: key %d must be NAME=file:PATH or NAME=env:NAME, never the key itself", i+1)
		}
		keys = append(keys, KeyReference{name, reference})
	}
	return keys, nil
}
