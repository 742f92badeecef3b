package configs

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"doorward/runtime/policy"
)

// tenant is one environment with everything that its files hold.
type tenant struct {
	environment Environment
	tree        *tree
	made        verdict
	users       []User
}

// tenant reads and checks one environment's folder.
func (l *loader) tenant(dir string) *tenant {
	t := l.tree(dir)
	out := &tenant{tree: t}
	if d := t.environment(); d != nil {
		out.environment = d.environment()
	}
	out.made = t.check(nil)
	for _, f := range out.made.faults {
		l.faults.append(f)
	}
	l.warnings = append(l.warnings, out.made.warnings...)
	l.users(out, path.Join(dir, "users"))
	return out
}

// tree reads one environment's folder, and judges nothing in it but what does not
// belong there.
func (l *loader) tree(dir string) *tree {
	t := newTree(l.kinds, l.steps)
	t.dir = dir
	belongs := []string{environmentFile}
	var folders []string
	for _, k := range l.kinds {
		switch {
		case k.Parent != nil:
		case k.Singleton:
			belongs = append(belongs, k.file())
			l.singleton(t, k, path.Join(dir, k.file()))
		default:
			folders = append(folders, k.Collection)
			l.folder(path.Join(dir, k.Collection), func(name string) { l.document(t, k, name) })
		}
	}
	folders = append(folders, "users")
	slices.Sort(folders)
	belongs = slices.Compact(belongs)
	for _, e := range l.entries(dir) {
		if !slices.Contains(belongs, e.Name()) && (!e.IsDir() || !slices.Contains(folders, e.Name())) {
			l.misplaced(path.Join(dir, e.Name()), "does not belong here; there are "+strings.Join(belongs, ", ")+" and the folders "+strings.Join(folders, ", "))
		}
	}
	if d := t.environment(); d != nil {
		t.env = d.ID
	}
	for _, e := range t.entries() {
		if e.kind.borrows() {
			e.id = t.env
		}
	}
	return t
}

// environment is the document of the environment itself; nil when it was not read.
func (t *tree) environment() *environmentDocument {
	if len(t.all[kindEnvironment]) == 0 {
		return nil
	}
	d, _ := t.all[kindEnvironment][0].doc.(*environmentDocument)
	return d
}

// document reads one file. What cannot be read leaves an empty document and a
// fault.
func (l *loader) document(t *tree, k *Kind, name string) {
	raw := l.bytes(name)
	if raw == nil {
		return
	}
	t.add(k.parse(name, raw))
}

// singleton is document for a file that may be missing, unless it is the
// environment's own.
func (l *loader) singleton(t *tree, k *Kind, name string) {
	there := slices.ContainsFunc(l.entries(t.dir), func(e fs.DirEntry) bool { return path.Join(t.dir, e.Name()) == name })
	if there || k.Name == kindEnvironment {
		l.document(t, k, name)
	}
}

// users reads the seeds, and judges their passwords by the policy that will hold.
func (l *loader) users(t *tenant, folder string) {
	known := named{}
	l.folder(folder, func(name string) {
		raw := l.bytes(name)
		if raw == nil {
			return
		}
		var d userDocument
		body, faults := canonical(raw)
		if body != nil {
			faults = decode(body, standIn, &d)
			d.check(&faults)
			say(&faults, root.Member("id"), uuidFault(d.ID))
		}
		l.faults.merge(name, faults)
		l.unique(known, name, d.ID, d.Username)
		l.seed(t, name, &d)
	})
}

func (l *loader) seed(t *tenant, name string, d *userDocument) {
	population := t.tree.either(kindPopulation, d.Population)
	if population == nil {
		l.faults.add(name, policy.Fault{Path: root.Member("population").Member("id"), Message: "there is no such population in this environment"})
		return
	}
	t.users = append(t.users, d.user(t.environment.ID, population.id))
	p, _ := population.doc.(*populationDocument)
	rule := t.tree.either(kindPasswordPolicy, p.PasswordPolicy)
	if rule == nil || len(rule.alone) > 0 {
		return // has been reported
	}
	r, _ := rule.doc.(*passwordPolicyDocument)
	if broken := d.breaks(r.policy()); len(broken) > 0 {
		l.faults.add(name, policy.Fault{Path: root.Member("password"), Message: fmt.Sprintf("breaks rules of the password policy %q: %s", r.Name, strings.Join(broken, ", "))})
	}
}

// either is the document that r names, or the default one when there is no r.
func (t *tree) either(kind string, r *reference) *entry {
	if r != nil {
		return t.find(kind, r.ID)
	}
	return t.standard(kind)
}
