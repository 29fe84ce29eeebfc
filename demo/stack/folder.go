package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Folder is where one demo keeps everything. Its path is absolute.
type Folder struct{ path string }

// Open makes the folder if it is missing, for its owner alone.
func Open(dir string) (Folder, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return Folder{}, fmt.Errorf("find the demo's folder: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil { //nolint:gosec // the folder is its owner's choice
		return Folder{}, fmt.Errorf("make the demo's folder: %w", err)
	}
	return Folder{path: path}, nil
}

// Path names something inside the folder.
func (f Folder) Path(elements ...string) string {
	return filepath.Join(append([]string{f.path}, elements...)...)
}

// Lock claims the folder for this process until it unlocks or ends, however it ends.
func (f Folder) Lock() (unlock func() error, err error) {
	path := f.Path("lock")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // a file name of ours
	if err != nil {
		return nil, fmt.Errorf("lock the demo's folder: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(f.heldBy(path, err), file.Close())
	}
	if err := writeOwner(file); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the demo's folder: %w", err), file.Close())
	}
	return file.Close, nil
}

func (f Folder) heldBy(path string, cause error) error {
	if !errors.Is(cause, syscall.EWOULDBLOCK) {
		return fmt.Errorf("lock %s: %w", path, cause)
	}
	owner, err := os.ReadFile(path) //nolint:gosec // a file name of ours
	who := strings.TrimSpace(string(owner))
	if err != nil || who == "" {
		who = "unknown"
	}
	return fmt.Errorf("another demo (process %s) is running on %s: stop it, or set KEYHOLDER_DEMO_DIR to another folder",
		who, f.path)
}

// writeOwner notes this process for the message another one would print; the lock itself is the kernel's.
func writeOwner(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// Replace writes a file of the folder in one step and for its owner alone: a reader or a kill meets the old content or
// the new.
func Replace(path string, content []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = temp.Write(content)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path) //nolint:gosec // a file name of ours
	}
	if err != nil {
		err = fmt.Errorf("write %s: %w", path, err)
		return errors.Join(err, os.Remove(temp.Name())) //nolint:gosec // a file name of ours
	}
	return nil
}
