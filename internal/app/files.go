package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"

	"keyholder/internal/access"
	"keyholder/internal/bundle"
	"keyholder/internal/catalog"
	"keyholder/internal/config"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web"
)

// Migrate brings the database to the newest schema, and gives an empty one what every retailer begins with.
func Migrate(ctx context.Context, c config.Config) error {
	if err := c.CheckDatabase(); err != nil {
		return err
	}
	if err := store.Migrate(ctx, c.Database); err != nil {
		return err
	}
	return withStore(ctx, c, func(s *store.Store) error { return s.Ship(ctx, c.FirstAdministrator) })
}

// ValidateFiles reads files as if on an empty catalogue and says how many records they hold.
func ValidateFiles(paths []string) (int, error) {
	files, err := readFiles(paths)
	if err != nil {
		return 0, err
	}
	b, err := bundle.Read(files, bundle.Context{Catalog: catalog.Shipped(), Kinds: Connectors()})
	return len(b.Records) + len(b.Plans), err
}

// PlanFiles says what applying files would change, and changes nothing.
func PlanFiles(ctx context.Context, c config.Config, paths []string, m store.Manner) (p store.Preview, err error) {
	err = withFiles(ctx, c, paths, func(s *store.Store, b store.Bundle) error {
		p, err = s.Preview(ctx, b, m)
		return err
	})
	return p, err
}

// ApplyFiles puts files in force, all or nothing, and says what that changed.
func ApplyFiles(ctx context.Context, c config.Config, paths []string, m store.Manner) (applied store.Applied, err error) {
	err = withFiles(ctx, c, paths, func(s *store.Store, b store.Bundle) error {
		applied, err = applyOrPropose(ctx, s, c, b, m)
		return err
	})
	return applied, err
}

// applyOrPropose puts a bundle in force, or asks two people for it where one does not change it alone. Who runs the command line is
// known by the machine's word only, so that they count for nobody.
func applyOrPropose(ctx context.Context, s *store.Store, c config.Config, b store.Bundle, m store.Manner) (store.Applied, error) {
	applied, err := s.Apply(ctx, operator(), b, m)
	if f := fault.As(err); f == nil || f.Rule != store.RuleFourEyes {
		return applied, err
	}
	asked, err := s.ProposeBundle(ctx, operator(), store.NewID(), b, m)
	if err != nil {
		return nil, err
	}
	return store.Applied{fmt.Sprintf("%s is proposed, and not in force yet: two people must approve it at %s/change-requests/%s until %s.",
		asked.Code, c.PublicURL, asked.Code, asked.ExpiresAt.Format("2 January 15:04 UTC"))}, nil
}

// PublishPlans puts the plans of files in force and says what that changed. Files that hold anything else are refused.
func PublishPlans(ctx context.Context, c config.Config, paths []string) (applied store.Applied, err error) {
	err = withFiles(ctx, c, paths, func(s *store.Store, b store.Bundle) error {
		if len(b.Plans) == 0 || len(b.Records) > 0 {
			return errors.New("the files must hold plans and nothing else; \"keyholder catalog apply\" takes the rest")
		}
		applied, err = applyOrPropose(ctx, s, c, b, store.Manner{})
		return err
	})
	return applied, err
}

// Export writes all that is in force as one file that can be applied.
func Export(ctx context.Context, c config.Config, w io.Writer) error {
	return withStore(ctx, c, func(s *store.Store) error {
		b, err := s.Export(ctx)
		if err != nil {
			return err
		}
		return bundle.Write(w, b)
	})
}

// withFiles reads files on top of what is in force.
func withFiles(ctx context.Context, c config.Config, paths []string, do func(*store.Store, store.Bundle) error) error {
	files, err := readFiles(paths)
	if err != nil {
		return err
	}
	return withStore(ctx, c, func(s *store.Store) error {
		in, err := Context(ctx, s)
		if err != nil {
			return err
		}
		b, err := bundle.Read(files, in)
		if err != nil {
			return err
		}
		return do(s, b)
	})
}

// Files reads and writes files for the portal.
type Files struct{ store *store.Store }

// NewFiles reads files on top of what a store holds.
func NewFiles(s *store.Store) Files { return Files{s} }

// Read reads files on top of what is in force. What is wrong with them is a fault.Invalid.
func (f Files) Read(ctx context.Context, sent []web.File) (store.Bundle, error) {
	in, err := Context(ctx, f.store)
	if err != nil {
		return store.Bundle{}, err
	}
	files := make([]bundle.File, len(sent))
	for i, one := range sent {
		files[i] = bundle.File{Name: one.Name, Body: one.Body}
	}
	b, err := bundle.Read(files, in)
	if err != nil {
		return b, &fault.Error{Kind: fault.Invalid, Message: err.Error()}
	}
	return b, nil
}

// Write writes a bundle as one file.
func (Files) Write(w io.Writer, b store.Bundle) error { return bundle.Write(w, b) }

// Schema is the JSON Schema of a document.
func (Files) Schema() ([]byte, error) { return bundle.Schema() }

// Context is what files are read against: what is in force.
func Context(ctx context.Context, s *store.Store) (bundle.Context, error) {
	version, err := s.Catalog(ctx)
	if err != nil {
		return bundle.Context{}, err
	}
	return bundle.Context{Catalog: version.Catalog, Kinds: Connectors()}, nil
}

func withStore(ctx context.Context, c config.Config, do func(*store.Store) error) (err error) {
	if err := c.CheckDatabase(); err != nil {
		return err
	}
	s, err := store.Open(ctx, c.Database, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.CheckSchema(ctx); err != nil {
		return err
	}
	return do(s)
}

// readFiles reads files, and the YAML files of folders with those within them, in the order of their names.
func readFiles(paths []string) ([]bundle.File, error) {
	var files []bundle.File
	for _, path := range paths {
		some, err := filesIn(path)
		if err != nil {
			return nil, err
		}
		for _, name := range some {
			body, err := os.ReadFile(name) //nolint:gosec // the operator names the file
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", name, err)
			}
			files = append(files, bundle.File{Name: name, Body: body})
		}
	}
	return files, nil
}

func filesIn(path string) ([]string, error) {
	about, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if !about.IsDir() {
		return []string{path}, nil
	}
	var names []string
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(name)) {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return names, nil
}

// operator is who runs the command line, by the machine's word.
func operator() access.Person {
	name := "unknown"
	if who, err := user.Current(); err == nil {
		name = who.Username
	}
	return access.Person{ID: store.CommandLine + name, Name: name + " (command line)"}
}
