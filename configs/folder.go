package configs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// Directory opens a directory of configuration files. The folder of an environment
// may be given in its place, and then is the only one there is. root is what the
// names of the files are below.
func Directory(dir string) (files fs.FS, root string, err error) {
	switch i, err := os.Stat(dir); {
	case err != nil:
		return nil, "", err
	case !i.IsDir():
		return nil, "", fmt.Errorf("%s is no directory", dir)
	}
	if _, err := os.Stat(filepath.Join(dir, environmentFile)); err != nil {
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

// Folder is the files of one environment, read without judging them: what is wrong
// with them is for Check to say.
type Folder struct {
	Dir      string // inside the directory of configuration files
	ID, Name string // of the environment
	tree     *tree
}

// Folders reads every environment of a directory; plans are made for steps.
func Folders(fsys fs.FS, steps []flow.Kind) ([]*Folder, error) {
	l := loader{fsys: fsys}
	var out []*Folder
	for _, e := range l.entries(".") {
		if !e.IsDir() {
			continue
		}
		f, err := ReadFolder(fsys, e.Name(), steps)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	if l.err == nil && len(out) == 0 {
		return nil, errors.New("there is no environment in it: no folder with an " + environmentFile)
	}
	return out, l.err
}

// ReadFolder reads the environment of one folder; the error is fs.ErrNotExist where
// there is none in it.
func ReadFolder(fsys fs.FS, dir string, steps []flow.Kind) (*Folder, error) {
	if _, err := fs.Stat(fsys, path.Join(dir, environmentFile)); err != nil {
		return nil, err
	}
	l := loader{fsys: fsys, kinds: Kinds(), steps: steps}
	f := &Folder{Dir: dir, tree: l.tree(dir)}
	if l.err != nil {
		return nil, l.err
	}
	if d := f.tree.environment(); d != nil {
		f.ID, f.Name = d.ID, d.Name
	}
	return f, nil
}

// Resource is what a reference of a flow definition leads to. A nil Folder has
// nothing.
func (f *Folder) Resource(kind, id string) (json.RawMessage, bool) {
	if f == nil {
		return nil, false
	}
	return f.tree.Resource(kind, id)
}

// Planned are the documents of a kind that has plans, such as "flowDefinition", in
// the order of their files.
func (f *Folder) Planned(kind string) []*Planned {
	var out []*Planned
	for _, e := range f.tree.all[kind] {
		if e.kind.plan != nil {
			out = append(out, &Planned{Folder: f, ID: e.id, Name: e.name, entry: e})
		}
	}
	return out
}

// Planned is a document that has a plan.
type Planned struct {
	Folder   *Folder
	ID, Name string
	entry    *entry
}

// Plan is the plan of the document, compiled and not verified. The error names the
// file and everything that keeps it from having one.
func (p *Planned) Plan() (*flow.Plan, error) {
	e, t := p.entry, p.Folder.tree
	found := e.alone
	if e.body != nil {
		src, _, err := e.kind.plan(t, e)
		if err == nil && src == nil { // a policy that nobody is led to yet may be without actions
			_, _, err = policy.Source(e.body, nil, t, t.steps)
		}
		if err == nil {
			var plan *flow.Plan
			if plan, err = compile(src, t.steps); err == nil {
				return plan, nil
			}
		}
		if found = nil; !errors.As(err, &found) {
			return nil, fmt.Errorf("%s: %w", e.place, err)
		}
	}
	faults := make(Faults, len(found)) // all, also where several are of one place
	for i, f := range found {
		faults[i] = Fault{File: e.place, Fault: f}
	}
	return nil, faults
}

// Kept is a body of the kind as canonical JSON, without what is shown and not kept.
// The error says what of it is no JSON.
func (k *Kind) Kept(body []byte) ([]byte, error) {
	b, faults := canonical(body)
	if faults != nil {
		return nil, faults
	}
	if m := object(nil); json.Unmarshal(b, &m) == nil && m != nil {
		k.strip(m)
		b = encode(m)
	}
	return b, nil
}
