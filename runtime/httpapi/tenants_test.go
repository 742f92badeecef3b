package httpapi_test

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"doorward/configs"
	"doorward/runtime/flow"
)

// journey reports whether a file of the demo is there for its flow definitions,
// which these tests do without.
func journey(file string) bool {
	for _, of := range []string{"/agreements/", "/forms/", "/flowDefinitions/", "/applications/journeys"} {
		if strings.Contains(file, of) {
			return true
		}
	}
	return strings.Contains(file, "/signOnPolicies/") && !strings.HasSuffix(file, "/single-factor.json")
}

// tenants loads the demo configuration three times over.
func tenants(t testing.TB, base, host string, kinds []flow.Kind) *configs.Registry {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(configs.Demo, "demo", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || journey(file) {
			return err
		}
		b, err := configs.Demo.ReadFile(file)
		text := strings.Replace(string(b), `"redirectUris": ["{base}/demo/callback"],`, `"redirectUris": ["{base}/demo/callback"], "corsSettings": {"behavior": "ALLOW_SPECIFIC_ORIGINS", "origins": ["`+custom+`"]},`, 1)
		rest := strings.TrimPrefix(file, "demo/")
		files["demo/"+rest] = &fstest.MapFile{Data: []byte(text)}
		files["other/"+rest] = &fstest.MapFile{Data: bytes.ReplaceAll([]byte(strings.Replace(text, `"Demo"`, `"Other", "languages": ["es", "de"], "theme": {"accent": "#0a6640", "logo": "https://cdn.example.com/logo.svg"}`, 1)), []byte("d0000000"), []byte("e0000000"))}
		files["far/"+rest] = &fstest.MapFile{Data: bytes.ReplaceAll([]byte(strings.NewReplacer(`"Demo"`, `"Far"`, `"authBase": "{base}"`, `"authBase": "https://`+farHost+`"`, `"demo": true`, `"demo": false`).Replace(text)), []byte("d0000000"), []byte("f0000000"))}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]string{"Partner": partner, "Another": another} {
		files["demo/identityProviders/"+name+".json"] = &fstest.MapFile{Data: []byte(`{"id": "` + id + `", "name": "` + name + `", "enabled": true, "type": "OPENID_CONNECT", "issuer": "` + host + `",
			"authorizationEndpoint": "` + host + `/authorize", "tokenEndpoint": "` + host + `/token", "jwksEndpoint": "` + host + `/jwks",
			"clientId": "c1", "tokenEndpointAuthMethod": "NONE", "pkceMethod": "S256", "scopes": ["email"]}`)}
	}
	loaded, err := configs.Load(files, kinds)
	if err != nil {
		t.Fatal(err)
	}
	s := &store{resources: map[string][]flow.Resource{}, secrets: map[string]map[string][]byte{}, plans: map[flow.Digest][]byte{}}
	if _, err := configs.Apply(t.Context(), loaded, s, s); err != nil {
		t.Fatal(err)
	}
	r := configs.NewRegistry(s, kinds, base)
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// store is a configs.Store in memory.
type store struct {
	resources map[string][]flow.Resource
	secrets   map[string]map[string][]byte
	plans     map[flow.Digest][]byte
}

func (s *store) Environments(context.Context) (out []flow.Resource, err error) {
	for _, env := range slices.Sorted(maps.Keys(s.resources)) {
		for _, r := range s.resources[env] {
			if r.Kind == "environment" {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

func (s *store) List(_ context.Context, env string) ([]flow.Resource, error) {
	return s.resources[env], nil
}

func (s *store) Secrets(_ context.Context, env string) (map[string][]byte, error) {
	return s.secrets[env], nil
}

func (s *store) Revision(context.Context) (int64, error)  { return 1, nil }
func (s *store) Seed(context.Context, configs.User) error { return nil }

func (s *store) Plan(_ context.Context, _ string, hash flow.Digest) ([]byte, error) {
	if p, ok := s.plans[hash]; ok {
		return p, nil
	}
	return nil, flow.ErrUnknown
}

func (s *store) Edit(_ context.Context, e flow.Edit) (flow.Edited, error) {
	s.resources[e.Env], s.secrets[e.Env] = e.Put, e.Secrets
	maps.Copy(s.plans, e.Plans)
	return flow.Edited{Revision: 1}, nil
}
