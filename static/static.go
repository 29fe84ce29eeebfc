// Package static owns what browsers are given as it is: style sheets and scripts, embedded, under names that carry the
// hash of their content. It never draws pages.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed app.css app.js vendor
var files embed.FS

// Set is the static files under their hashed names.
type Set struct {
	paths map[string]string // of names
	names map[string]string // of hashed names
}

// New reads the embedded files.
func New() (*Set, error) {
	s := &Set{paths: map[string]string{}, names: map[string]string{}}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(name)
		hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		s.paths[name], s.names[hashed] = Prefix+hashed, name
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	return s, nil
}

// Prefix is where the files are served.
const Prefix = "/static/"

// Path is the address of a file. A name that is not there is a bug that shows as a broken link.
func (s *Set) Path(name string) string { return s.paths[name] }

// ServeHTTP serves a file under its hashed name, for ever.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := s.names[strings.TrimPrefix(r.URL.Path, Prefix)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeFileFS(w, r, files, name)
}
