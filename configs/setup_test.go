package configs_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/steps"
)

const (
	env    = "d0000000-0000-4000-8000-000000000001"
	other  = "d0000000-0000-4000-8000-000000000002"
	web    = "d0000000-0000-4000-8000-0000000000a1"
	native = "d0000000-0000-4000-8000-0000000000a2"
	worker = "d0000000-0000-4000-8000-0000000000a9"
	single = "d0000000-0000-4000-8000-0000000000e1"
)

// demo is the demo's files without its journeys, with some replaced, or removed
// when empty.
func demo(t *testing.T, replaced map[string]string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(configs.Demo, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || journey(path) {
			return err
		}
		b, err := fs.ReadFile(configs.Demo, path)
		out[path] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range replaced {
		if text == "" {
			delete(out, path)
			continue
		}
		out[path] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

// journey reports whether a file of the demo is there for its flow definitions, or
// for devices.
func journey(path string) bool {
	for _, of := range []string{"/agreements/", "/forms/", "/externalServices/", "/flowDefinitions/", "/applications/journeys", "/deviceAuthenticationPolicies/", "/fido2Policies/"} {
		if strings.Contains(path, of) {
			return true
		}
	}
	return strings.Contains(path, "/signOnPolicies/") && !strings.HasSuffix(path, "/single-factor.json")
}

// edit is one of the demo's files with old replaced by new.
func edit(t *testing.T, path, old, new string) map[string]string {
	t.Helper()
	b, err := fs.ReadFile(configs.Demo, path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		t.Fatalf("%s has no %s", path, old)
	}
	return map[string]string{path: strings.Replace(string(b), old, new, 1)}
}

func load(t *testing.T, fsys fs.FS) *configs.Files {
	t.Helper()
	files, err := configs.Load(fsys, kinds())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// kinds are the step kinds, with nothing behind them.
func kinds() []flow.Kind { return steps.Builtin(steps.Parts{}) }

// memory is a Store and a Seeder.
type memory struct {
	revision  int64
	resources map[[3]string]flow.Resource
	secrets   map[[2]string][]byte
	plans     map[flow.Digest][]byte
	versions  []flow.Version
	users     []configs.User
	err       error
}

func newMemory() *memory {
	return &memory{resources: map[[3]string]flow.Resource{}, secrets: map[[2]string][]byte{}, plans: map[flow.Digest][]byte{}}
}

func (m *memory) List(_ context.Context, env string) (out []flow.Resource, _ error) {
	for key, r := range m.resources {
		if key[0] == env {
			out = append(out, r)
		}
	}
	return out, m.err
}

func (m *memory) Environments(context.Context) (out []flow.Resource, _ error) {
	for key, r := range m.resources {
		if key[1] == "environment" {
			out = append(out, r)
		}
	}
	return out, m.err
}

func (m *memory) Secrets(_ context.Context, env string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for key, s := range m.secrets {
		if key[0] == env {
			out[key[1]] = s
		}
	}
	return out, m.err
}

func (m *memory) Revision(context.Context) (int64, error) { return m.revision, m.err }

func (m *memory) Plan(_ context.Context, _ string, hash flow.Digest) ([]byte, error) {
	if src, ok := m.plans[hash]; ok {
		return src, m.err
	}
	return nil, errors.Join(flow.ErrUnknown, m.err)
}

func (m *memory) Edit(_ context.Context, e flow.Edit) (flow.Edited, error) {
	for _, r := range e.Remove {
		delete(m.resources, [3]string{e.Env, r.Kind, r.ID})
	}
	for _, r := range e.Put {
		m.resources[[3]string{e.Env, r.Kind, r.ID}] = r
	}
	for key, s := range e.Secrets {
		m.secrets[[2]string{e.Env, key}] = s
	}
	maps.Copy(m.plans, e.Plans)
	m.versions = append(m.versions, e.Versions...)
	m.revision++
	return flow.Edited{Revision: m.revision}, m.err
}

func (m *memory) Seed(_ context.Context, u configs.User) error {
	if !slices.ContainsFunc(m.users, func(v configs.User) bool { return v.ID == u.ID }) {
		m.users = append(m.users, u)
	}
	return m.err
}

func apply(t *testing.T, m *memory, fsys fs.FS) []string {
	t.Helper()
	changes, err := configs.Apply(t.Context(), load(t, fsys), m, m)
	if err != nil {
		t.Fatal(err)
	}
	return lines(changes)
}

func lines(changes []configs.Change) []string {
	out := make([]string, len(changes))
	for i, c := range changes {
		out[i] = c.String()
	}
	return out
}

// serve is a Registry that has loaded what m holds.
func serve(t *testing.T, m *memory) *configs.Registry {
	t.Helper()
	r := configs.NewRegistry(m, kinds(), "https://auth.example")
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}
