package configs

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// standIn is the base URL that addresses are checked with. The real one is put
// in when a Bundle is built, so that a deployment may move.
const standIn = "https://base.invalid"

// Files is a loaded directory. It is complete and consistent in itself.
type Files struct {
	tenants  []*tenant
	warnings Faults
}

// DemoSecrets reports whether an environment says of itself that its secrets are
// known to everybody.
func (f *Files) DemoSecrets() bool {
	return slices.ContainsFunc(f.tenants, func(t *tenant) bool { return t.environment.Demo })
}

// Names reports whether the files hold an environment with an id; nil files hold none.
func (f *Files) Names(id string) bool {
	return f != nil && slices.ContainsFunc(f.tenants, func(t *tenant) bool { return t.environment.ID == id })
}

// Warnings are what works, and looks as if it were not meant.
func (f *Files) Warnings() Faults { return f.warnings }

// Load reads and checks a directory. Plans are made for steps. The error is a
// Faults that names everything that is wrong, or that of the file system.
func Load(fsys fs.FS, steps []flow.Kind) (*Files, error) {
	files, faults, err := load(fsys, steps)
	switch {
	case err != nil:
		return nil, err
	case len(faults) > 0:
		return nil, faults
	}
	return files, nil
}

// Check is Load for whoever wants to know everything: faults keep a directory
// from being applied, warnings do not. The error is that of the file system.
func Check(fsys fs.FS, steps []flow.Kind) (faults, warnings Faults, err error) {
	files, faults, err := load(fsys, steps)
	return faults, files.warnings, err
}

func load(fsys fs.FS, steps []flow.Kind) (*Files, Faults, error) {
	l := loader{fsys: fsys, kinds: Kinds(), steps: steps}
	files := &Files{}
	known := named{}
	for _, e := range l.entries(".") {
		if !e.IsDir() {
			l.misplaced(e.Name(), "does not belong here; every environment is a folder")
			continue
		}
		t := l.tenant(e.Name())
		l.unique(known, path.Join(e.Name(), environmentFile), t.environment.ID, t.environment.Name)
		files.tenants = append(files.tenants, t)
	}
	l.faults.sort()
	l.warnings.sort()
	files.warnings = l.warnings
	return files, l.faults, l.err
}

type loader struct {
	fsys             fs.FS
	kinds            []*Kind
	steps            []flow.Kind
	faults, warnings Faults
	err              error // the first of the file system
}

func (l *loader) misplaced(name, message string) {
	l.faults.add(name, policy.Fault{Path: root, Message: message})
}

// folder reads every file of a folder with read, which is given the path.
func (l *loader) folder(folder string, read func(name string)) {
	for _, e := range l.entries(folder) {
		name := path.Join(folder, e.Name())
		if e.IsDir() || path.Ext(name) != ".json" {
			l.misplaced(name, "does not belong here; there are .json files in this folder")
			continue
		}
		read(name)
	}
}

// bytes is what a file holds; nil when it cannot be read.
func (l *loader) bytes(name string) []byte {
	raw, err := fs.ReadFile(l.fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.misplaced(name, "is missing")
		return nil
	case err != nil:
		l.fail(err)
		return nil
	}
	return append([]byte{}, raw...)
}

// entries lists a folder in order, without names that begin with a dot. A folder
// of an environment may be missing.
func (l *loader) entries(folder string) []fs.DirEntry {
	es, err := fs.ReadDir(l.fsys, folder)
	if err != nil && (folder == "." || !errors.Is(err, fs.ErrNotExist)) {
		l.fail(err)
	}
	return slices.DeleteFunc(es, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
}

func (l *loader) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

// named maps an id or a name to the file that has it first.
type named map[string]string

// unique reports an id or a name that another file has too.
func (l *loader) unique(known named, file, id, name string) {
	for member, value := range map[string]string{"id": id, "name": name} {
		first, taken := known[member+" "+value]
		switch {
		case value == "":
		case taken:
			l.faults.add(file, policy.Fault{Path: root.Member(member), Message: "is that of " + first + " too", Code: flow.UniquenessViolation})
		default:
			known[member+" "+value] = file
		}
	}
}
