package configs

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// The kinds of resources.
const (
	kindEnvironment    = "environment"
	kindPopulation     = "population"
	kindPasswordPolicy = "passwordPolicy"
	kindSignOnPolicy   = "signOnPolicy"
	kindApplication    = "application"
)

// tenant is one environment with everything that its files hold.
type tenant struct {
	environment Environment
	resources   []flow.Resource
	secrets     map[string][]byte      // "kind/id/name" to plaintext
	plans       map[flow.Digest][]byte // sources of the sign-on policies
	users       []User
}

// tree is the files of one environment.
type tree struct {
	environment  *file[environmentDocument]
	passwords    []*file[passwordPolicyDocument]
	populations  []*file[populationDocument]
	policies     []*file[signOnPolicyDocument]
	applications []*file[applicationDocument]
	users        []*file[userDocument]
}

func (l *loader) tenant(dir string) *tenant {
	folders := []string{"applications", "passwordPolicies", "populations", "signOnPolicies", "users"}
	for _, e := range l.entries(dir) {
		belongs := e.Name() == "environment.json" || e.IsDir() && slices.Contains(folders, e.Name())
		if !belongs {
			l.faults.add(path.Join(dir, e.Name()), root, "does not belong here; there are environment.json and the folders applications, passwordPolicies, populations, signOnPolicies and users")
		}
	}
	in := func(folder string) string { return path.Join(dir, folder) }
	files := tree{
		environment:  one[environmentDocument](l, in("environment.json")),
		passwords:    read[passwordPolicyDocument](l, in("passwordPolicies")),
		populations:  read[populationDocument](l, in("populations")),
		policies:     read[signOnPolicyDocument](l, in("signOnPolicies")),
		applications: read[applicationDocument](l, in("applications")),
		users:        read[userDocument](l, in("users")),
	}
	t := &tenant{environment: files.environment.doc.environment(), secrets: map[string][]byte{}, plans: map[flow.Digest][]byte{}}
	add(t, kindEnvironment, files.environment)
	add(t, kindPasswordPolicy, files.passwords...)
	add(t, kindPopulation, files.populations...)
	add(t, kindSignOnPolicy, files.policies...)
	add(t, kindApplication, files.applications...)
	l.defaults(&files)
	l.plans(t, &files)
	l.applications(t, &files)
	l.users(t, &files)
	return t
}

// add keeps documents as resources, without what is secret.
func add[D any, P interface {
	*D
	document
}](t *tenant, kind string, files ...*file[D],
) {
	for _, f := range files {
		var m map[string]json.RawMessage
		if json.Unmarshal(f.body, &m) != nil {
			continue // has been reported
		}
		delete(m, "secret")
		b, _ := json.Marshal(m) // cannot fail: it was JSON
		body, _ := canonical(b)
		id, _ := P(&f.doc).key()
		t.resources = append(t.resources, flow.Resource{Env: t.environment.ID, Kind: kind, ID: id, Body: body})
	}
}

// defaults makes sure that there is one of each for whoever names none.
func (l *loader) defaults(files *tree) {
	for _, f := range files.populations {
		if id := f.doc.PasswordPolicy.id(); id != "" && find(files.passwords, id) == nil {
			l.faults.add(f.path, root.Member("passwordPolicy").Member("id"), "there is no such password policy in this environment")
		}
	}
	one := func(folder string, n int) {
		if n != 1 {
			l.faults.add(path.Join(path.Dir(files.environment.path), folder), root, fmt.Sprintf(`needs one file with "default": true, not %d`, n))
		}
	}
	one("passwordPolicies", len(standard(files.passwords)))
	one("populations", len(standard(files.populations)))
	one("signOnPolicies", len(standard(files.policies)))
}

func (l *loader) plans(t *tenant, files *tree) {
	for _, f := range files.policies {
		src, hash, err := policy.Source(f.body, f.doc.Actions)
		if found := policy.Faults(nil); errors.As(err, &found) {
			l.faults.merge(f.path, found)
			continue
		}
		t.plans[hash] = src
		for _, r := range policy.Populations(f.doc.Actions) {
			if find(files.populations, r.ID) == nil {
				l.faults.add(f.path, r.Path, "there is no such population in this environment")
			}
		}
	}
}

func (l *loader) applications(t *tenant, files *tree) {
	for _, f := range files.applications {
		var faults policy.Faults
		if f.body != nil {
			f.doc.checkSecret(&faults)
		}
		l.faults.merge(f.path, faults)
		if f.doc.Secret != "" {
			t.secrets[secretKey(kindApplication, f.doc.ID)] = []byte(f.doc.Secret)
		}
		for i, a := range f.doc.Assignments {
			if id := a.SignOnPolicy.ID; id != "" && find(files.policies, id) == nil {
				l.faults.add(f.path, root.Member("signOnPolicyAssignments").Index(i).Member("signOnPolicy").Member("id"), "there is no such sign-on policy in this environment")
			}
		}
	}
}

// secretKey is what the store keeps the member "secret" of a resource under.
func secretKey(kind, id string) string { return kind + "/" + id + "/secret" }

func (l *loader) users(t *tenant, files *tree) {
	for _, f := range files.users {
		population := either(files.populations, f.doc.Population)
		if population == nil {
			l.faults.add(f.path, root.Member("population").Member("id"), "there is no such population in this environment")
			continue
		}
		t.users = append(t.users, f.doc.user(t.environment.ID, population.doc.ID))
		rule := either(files.passwords, population.doc.PasswordPolicy)
		var faults policy.Faults
		if rule != nil {
			rule.doc.check(&faults)
		}
		if rule == nil || len(faults) > 0 {
			continue // has been reported
		}
		if broken := f.doc.breaks(rule.doc.policy()); len(broken) > 0 {
			l.faults.add(f.path, root.Member("password"), fmt.Sprintf("breaks rules of the password policy %q: %s", rule.doc.Name, strings.Join(broken, ", ")))
		}
	}
}

// either is the file that r names, or the default one when there is no r.
func either[D any, P interface {
	*D
	document
	standard() bool
}](files []*file[D], r *reference,
) *file[D] {
	if r != nil {
		return find[D, P](files, r.ID)
	}
	if s := standard[D, P](files); len(s) > 0 {
		return s[0]
	}
	return nil
}

// standard are the files that call themselves the default.
func standard[D any, P interface {
	*D
	standard() bool
}](files []*file[D],
) (out []*file[D]) {
	for _, f := range files {
		if P(&f.doc).standard() {
			out = append(out, f)
		}
	}
	return out
}

// find is the file whose document has the id.
func find[D any, P interface {
	*D
	document
}](files []*file[D], id string,
) *file[D] {
	for _, f := range files {
		if is, _ := P(&f.doc).key(); is == id {
			return f
		}
	}
	return nil
}
