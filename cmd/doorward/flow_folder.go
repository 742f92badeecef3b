package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"doorward/configs"
	"doorward/runtime/definition"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// The kinds of documents that have a plan, as package configs names them.
const (
	kindFlowDefinition = "flowDefinition"
	kindSignOnPolicy   = "signOnPolicy"
)

// folder is the files of one environment, read without judging them: what is
// wrong is for check to say.
type folder struct {
	dir       string // inside the directory of configuration files
	ID, Name  string
	documents []*document
}

// document is one file of it.
type document struct {
	folder   *folder
	kind     *configs.Kind
	file     string // inside the directory of configuration files
	ID, Name string
	body     json.RawMessage
}

// configuration is a directory of configuration files. The folder of an environment
// in one stands for a directory that has no other. root is what the names of the
// files are below.
func configuration(dir string) (files fs.FS, root string, err error) {
	switch i, err := os.Stat(dir); {
	case err != nil:
		return nil, "", err
	case !i.IsDir():
		return nil, "", fmt.Errorf("%s is no directory", dir)
	}
	if _, err := os.Stat(filepath.Join(dir, "environment.json")); err != nil {
		return os.DirFS(dir), dir, nil //nolint:nilerr // it is no environment's own
	}
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, "", err
	}
	return alone{os.DirFS(filepath.Dir(whole)), filepath.Base(whole)}, filepath.Join(dir, ".."), nil
}

// alone is a directory in which there is one folder only.
type alone struct {
	fs.FS
	folder string
}

// ReadDir lists what there is.
func (a alone) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(a.FS, name)
	if name == "." {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() != a.folder })
	}
	return entries, err
}

// readFolders reads every environment of a directory.
func readFolders(fsys fs.FS) ([]*folder, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var out []*folder
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		f, err := readFolder(fsys, e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	if len(out) == 0 {
		return nil, errors.New("there is no environment in it: no folder with an environment.json")
	}
	return out, nil
}

// readFolder reads one environment; fs.ErrNotExist when dir is none.
func readFolder(fsys fs.FS, dir string) (*folder, error) {
	f := &folder{dir: dir}
	raw, err := fs.ReadFile(fsys, path.Join(dir, "environment.json"))
	if err != nil {
		return nil, err
	}
	about(raw, &f.ID, &f.Name)
	for _, k := range configs.Kinds() {
		if k.Parent != nil || k.Singleton {
			continue
		}
		files, err := fs.Glob(fsys, path.Join(dir, k.Collection, "*.json"))
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			raw, err := fs.ReadFile(fsys, name)
			if err != nil {
				return nil, err
			}
			f.documents = append(f.documents, newDocument(f, k, name, raw))
		}
	}
	return f, nil
}

func newDocument(f *folder, k *configs.Kind, file string, raw []byte) *document {
	d := &document{folder: f, kind: k, file: file, body: raw}
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) == nil && m != nil {
		for _, name := range unkept(k) {
			delete(m, name)
		}
		if b, err := json.Marshal(m); err == nil {
			d.body = b
		}
	}
	about(d.body, &d.ID, &d.Name)
	return d
}

// unkept are the members of an exported body that no file needs and no plan holds.
func unkept(k *configs.Kind) []string {
	return []string{"environment", "_links", "_embedded", "fieldTypes", k.Created, k.Modified}
}

func about(raw []byte, id, name *string) {
	var m struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	_ = json.Unmarshal(raw, &m) // what cannot be read has no name
	*id, *name = m.ID, m.Name
}

func (f *folder) is(asked string) bool { return asked == f.ID || asked == f.Name || asked == f.dir }

func (f *folder) name() string { return cmp.Or(f.Name, f.dir) }

// Resource makes the folder what definitions refer to.
func (f *folder) Resource(kind, id string) (json.RawMessage, bool) {
	if f == nil {
		return nil, false
	}
	i := slices.IndexFunc(f.documents, func(d *document) bool { return d.kind.Name == kind && d.ID == id && id != "" })
	if i < 0 {
		return nil, false
	}
	return f.documents[i].body, true
}

// all are the documents of a kind, of all folders.
func all(folders []*folder, kind string) []*document {
	var out []*document
	for _, f := range folders {
		for _, d := range f.documents {
			if d.kind.Name == kind {
				out = append(out, d)
			}
		}
	}
	return out
}

// source is what the plan of the document is made from. The error names the file
// and everything that is wrong in it.
func (d *document) source(kinds []flow.Kind) ([]byte, flow.Digest, error) {
	var src []byte
	var hash flow.Digest
	var err error
	if d.kind.Name == kindSignOnPolicy {
		var p struct {
			Actions []json.RawMessage `json:"actions"`
		}
		_ = json.Unmarshal(d.body, &p) // a policy without actions is refused below
		src, hash, err = policy.Source(d.body, p.Actions, d.folder, kinds)
	} else {
		src, hash, err = definition.Source(d.body, d.folder, kinds)
	}
	if found := policy.Faults(nil); errors.As(err, &found) {
		lines := make([]string, len(found))
		for i, f := range found {
			lines[i] = d.file + ": " + f.Error()
		}
		return nil, hash, errors.New(strings.Join(lines, "\n"))
	}
	if err != nil {
		return nil, hash, fmt.Errorf("%s: %w", d.file, err)
	}
	return src, hash, nil
}

// plan is the compiled document.
func (d *document) plan(kinds []flow.Kind) (*flow.Plan, error) {
	src, _, err := d.source(kinds)
	if err != nil {
		return nil, err
	}
	p, err := policy.Compile(src, kinds)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.file, err)
	}
	return p, nil
}

// titleOf is a kind as a sentence names it.
func titleOf(kind string) string {
	for _, k := range configs.Kinds() {
		if k.Name == kind {
			return k.Title
		}
	}
	return kind
}
