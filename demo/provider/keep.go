package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"keyholder/demo/stack"
)

// readKept fills value from a file of the provider's folder; a file that does not exist leaves it as it is.
func readKept(path string, value any) error {
	raw, err := os.ReadFile(path) //nolint:gosec // a file name of ours in the folder we were given
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if err := json.Unmarshal(raw, value); err != nil {
		return fmt.Errorf("understand %s: %w", path, err)
	}
	return nil
}

func keep(path string, value any) error {
	raw, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	return stack.Replace(path, raw)
}
