package app

import (
	"encoding/base64"
	"fmt"

	"keyholder/internal/config"
	"keyholder/internal/connector"
	"keyholder/workflows"
)

// codec reads the keys of what processes keep in Temporal.
func codec(c config.Config) (*workflows.Codec, error) {
	references, err := c.KeyReferences()
	if err != nil {
		return nil, err
	}
	secrets := connector.NewSecrets(config.Lookup)
	keys := make([]workflows.Key, len(references))
	for i, r := range references {
		secret, err := secrets.Resolve(r.Reference)
		if err != nil {
			return nil, fmt.Errorf("KEYHOLDER_TEMPORAL_KEYS: key %d: %w", i+1, err)
		}
		keys[i].Name = r.Name
		if keys[i].Value, err = base64.StdEncoding.DecodeString(string(secret.Reveal())); err != nil || len(keys[i].Value) != 32 {
			return nil, fmt.Errorf("KEYHOLDER_TEMPORAL_KEYS: key %d: %s does not hold 32 bytes in base64", i+1, r.Reference)
		}
	}
	made, err := workflows.NewCodec(keys...)
	if err != nil {
		return nil, fmt.Errorf("KEYHOLDER_TEMPORAL_KEYS: %w", err)
	}
	return made, nil
}
