package store

import (
	"context"
	"fmt"

	"keyholder/internal/access"
	"keyholder/internal/audit"
)

// RecordDecoding records that somebody had payloads decrypted that processes keep in Temporal, or tried to. What they say is on no record.
func (s *Store) RecordDecoding(ctx context.Context, by access.Principal, payloads int, decrypted bool) error {
	e := audit.Event{
		Action: "process.decode", Object: "temporal", Text: fmt.Sprintf("%s read %d payloads of processes.", by.Name, payloads),
		Detail: detail(map[string]int{"payloads": payloads}),
	}
	if !decrypted {
		e.Outcome, e.Text = audit.Failed, fmt.Sprintf("%s asked for %d payloads of processes, which could not be decrypted.", by.Name, payloads)
	}
	err := s.personal(ctx, by.Person(), e.Action, e.Object, func(t *tx) error {
		t.record(e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("record that payloads were decrypted: %w", err)
	}
	return nil
}
