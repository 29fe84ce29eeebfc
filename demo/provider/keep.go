package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// keep replaces the file in one step, so that a kill leaves the old or the new content, never a part.
func keep(path string, value any) (err error) {
	raw, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("keep %s: %w", path, err)
	}
	_, err = temp.Write(raw)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep %s: %w", path, err), os.Remove(temp.Name()))
	}
	return nil
}
