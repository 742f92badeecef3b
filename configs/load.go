package configs

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"doorward/runtime/policy"
)

// standIn is the base URL that addresses are checked with. The real one is put
// in when a Bundle is built, so that a deployment may move.
const standIn = "https://base.invalid"

// Files is a loaded directory. It is complete and consistent in itself.
type Files struct{ tenants []*tenant }

// DemoSecrets reports whether an environment says of itself that its secrets are
// known to everybody.
func (f *Files) DemoSecrets() bool {
	return slices.ContainsFunc(f.tenants, func(t *tenant) bool { return t.environment.Demo })
}

// Load reads and checks a directory. The error is a Faults that names everything
// that is wrong, or that of the file system.
func Load(fsys fs.FS) (*Files, error) {
	l := loader{fsys: fsys}
	files := &Files{}
	known := named{}
	for _, e := range l.entries(".") {
		if !e.IsDir() {
			l.faults.add(e.Name(), root, "does not belong here; every environment is a folder")
			continue
		}
		t := l.tenant(e.Name())
		l.unique(known, path.Join(e.Name(), "environment.json"), t.environment.ID, t.environment.Name)
		files.tenants = append(files.tenants, t)
	}
	switch {
	case l.err != nil:
		return nil, l.err
	case len(l.faults) > 0:
		slices.SortStableFunc(l.faults, func(a, b Fault) int {
			return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Path, b.Path))
		})
		return nil, l.faults
	}
	return files, nil
}

type loader struct {
	fsys   fs.FS
	faults Faults
	err    error // the first of the file system
}

// document is what a file holds.
type document interface {
	key() (id, name string)
	check(f *policy.Faults)
}

// file is a document and where it came from.
type file[D any] struct {
	path string
	body []byte // canonical
	doc  D
}

// read reads every file of a folder.
func read[D any, P interface {
	*D
	document
}](l *loader, folder string,
) []*file[D] {
	var out []*file[D]
	known := named{}
	for _, e := range l.entries(folder) {
		name := path.Join(folder, e.Name())
		if e.IsDir() || path.Ext(name) != ".json" {
			l.faults.add(name, root, "does not belong here; there are .json files in this folder")
			continue
		}
		f := one[D, P](l, name)
		id, label := P(&f.doc).key()
		l.unique(known, name, id, label)
		out = append(out, f)
	}
	return out
}

// one reads one file. What cannot be read leaves an empty document and a fault.
func one[D any, P interface {
	*D
	document
}](l *loader, name string,
) *file[D] {
	f := &file[D]{path: name}
	raw, err := fs.ReadFile(l.fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.faults.add(name, root, "is missing")
		return f
	case err != nil:
		l.fail(err)
		return f
	}
	body, faults := canonical(raw)
	if body != nil {
		f.body = body
		faults = decode(body, standIn, &f.doc)
		P(&f.doc).check(&faults)
		id, _ := P(&f.doc).key()
		say(&faults, root.Member("id"), uuidFault(id))
	}
	l.faults.merge(name, faults)
	return f
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
			l.faults.add(file, root.Member(member), "is that of "+first+" too")
		default:
			known[member+" "+value] = file
		}
	}
}
