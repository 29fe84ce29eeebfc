package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"

	"keyholder/internal/store"
)

// Write writes a bundle so that Read reads the same: one document per record, in the order of kinds and slugs.
func Write(w io.Writer, b store.Bundle) error {
	for i, e := range b.Records {
		if err := writeDocument(w, i == 0, string(e.Kind), e.Record); err != nil {
			return fmt.Errorf("write %s: %w", e.Ref, err)
		}
	}
	for i, p := range b.Plans {
		if err := writeDocument(w, i == 0 && len(b.Records) == 0, kindPlan, p); err != nil {
			return fmt.Errorf("write plan %s: %w", p.Slug, err)
		}
	}
	return nil
}

func writeDocument(w io.Writer, first bool, kind string, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	head, err := json.Marshal(kind)
	if err != nil {
		return err
	}
	whole := append(append([]byte(`{"kind":`), head...), ',')
	if bytes.Equal(body, []byte("{}")) {
		whole = append(whole[:len(whole)-1], '}')
	} else {
		whole = append(whole, body[1:]...)
	}
	text, err := yaml.JSONToYAML(whole)
	if err != nil {
		return err
	}
	if !first {
		text = append([]byte("---\n"), text...)
	}
	_, err = w.Write(text)
	return err
}
