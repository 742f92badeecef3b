// Package static holds what is built into the binary for browsers: the
// stylesheet, the script and the icon of the hosted pages.
package static

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed assets
var files embed.FS

// Prefix is where assets are served.
const Prefix = "/static/"

// Asset is one file for the browser. Path carries the digest of Body, so that it
// may be kept for ever.
type Asset struct {
	Path string // "/static/page.1f0c2b9a4e5d.css"
	Type string // Content-Type
	Body []byte
}

// Assets is every file for the browser.
type Assets struct {
	byName map[string]string
	byPath map[string]Asset
}

// Load reads the built-in assets. It fails only when the binary was built
// wrongly.
func Load() (*Assets, error) {
	a := &Assets{byName: map[string]string{}, byPath: map[string]Asset{}}
	err := fs.WalkDir(files, "assets", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := files.ReadFile(file)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(file, "assets/")
		ext := path.Ext(name)
		mime, ok := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}[ext]
		if !ok {
			return fmt.Errorf("asset %s: no media type for %s", name, ext)
		}
		body = trimmed(body, ext)
		sum := sha256.Sum256(body)
		p := Prefix + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.byName[name], a.byPath[p] = p, Asset{Path: p, Type: mime, Body: body}
		return nil
	})
	return a, err
}

// Path is where the named file ("page.css") is served; empty when there is none.
func (a *Assets) Path(name string) string { return a.byName[name] }

// Find returns the asset served at path.
func (a *Assets) Find(path string) (Asset, bool) {
	f, ok := a.byPath[path]
	return f, ok
}

// trimmed is a file without what only people read who change it: indentation, and the
// comments that have lines of their own. Style goes on one line: its rules end by
// themselves. Scripts keep their lines, at which statements may end.
func trimmed(body []byte, ext string) []byte {
	if ext != ".css" && ext != ".js" {
		return body
	}
	out := make([]byte, 0, len(body))
	comment := false
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		comment = comment || bytes.HasPrefix(line, []byte("/*"))
		switch ended := bytes.HasSuffix(line, []byte("*/")); {
		case comment:
			comment = !ended
		case len(line) == 0, ext == ".js" && bytes.HasPrefix(line, []byte("//")):
		case ext == ".js":
			out = append(append(out, line...), '\n')
		default:
			out = append(out, line...)
		}
	}
	return out
}
