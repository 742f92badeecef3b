package configs_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
)

// twoHosts is the demo, and a second environment on a host of its own.
func twoHosts(t *testing.T) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	for path, f := range demo(t, nil) {
		out[path] = f
		text := strings.NewReplacer(env, other, `"name": "Demo"`, `"name": "Other"`, `"authBase": "{base}"`, `"authBase": "https://other.example:8443"`).Replace(string(f.Data))
		out["other"+strings.TrimPrefix(path, "demo")] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func TestARequestHasOneTenant(t *testing.T) {
	const nowhere = "d0000000-0000-4000-8000-00000000ffff"
	tests := map[string]struct {
		host, path string
		env, rest  string
		code       flow.Code
		message    string
	}{
		"the host and the environment":        {host: "auth.example", path: "/" + env + "/as/authorize", env: env, rest: "/as/authorize"},
		"the host in upper case":              {host: "AUTH.example", path: "/" + env + "/flows/x", env: env, rest: "/flows/x"},
		"the other environment with its port": {host: "other.example:8443", path: "/" + other + "/as/token", env: other, rest: "/as/token"},
		"nothing behind the environment":      {host: "auth.example", path: "/" + env, env: env, rest: "/"},
		"another host":                        {host: "evil.example", path: "/" + env + "/x", code: flow.Misdirected, message: "Send the request to auth.example."},
		"another host and no environment":     {host: "evil.example", path: "/x", code: flow.Misdirected, message: "This host name is not served here."},
		"the host without its port":           {host: "other.example", path: "/" + other + "/x", code: flow.Misdirected, message: "other.example:8443"},
		"the host with a port":                {host: "auth.example:443", path: "/" + env + "/x", code: flow.Misdirected, message: "auth.example"},
		"the host with a port that is none":   {host: "auth.example:evil", path: "/" + env + "/x", code: flow.Misdirected, message: "auth.example"},
		"no host":                             {path: "/" + env + "/x", code: flow.Misdirected, message: "auth.example"},
		"an environment of another host":      {host: "other.example:8443", path: "/" + env + "/x", code: flow.NotFound},
		"an environment that is not there":    {host: "auth.example", path: "/" + nowhere + "/x", code: flow.NotFound},
		"an environment in upper case":        {host: "auth.example", path: "/" + strings.ToUpper(env) + "/x", code: flow.NotFound},
		"an environment without a slash":      {host: "auth.example", path: env + "/x", code: flow.NotFound},
		"an empty first segment":              {host: "auth.example", path: "//" + env + "/x", code: flow.NotFound},
		"no path":                             {host: "auth.example", code: flow.NotFound},
	}
	m := newMemory()
	apply(t, m, twoHosts(t))
	r := serve(t, m)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b, rest, err := r.Resolve(tt.host, tt.path)
			if tt.code != "" {
				if f := flow.AsFault(err); f.Code != tt.code || !strings.Contains(f.Message, tt.message) || b != nil {
					t.Errorf("fault %v, want %s with %q", err, tt.code, tt.message)
				}
				return
			}
			if err != nil || b.Environment().ID != tt.env || rest != tt.rest {
				t.Errorf("%v, %q, %v", b, rest, err)
			}
		})
	}
	t.Run("an environment of another host looks like none", func(t *testing.T) {
		_, _, theirs := r.Resolve("other.example:8443", "/"+env+"/x")
		_, _, none := r.Resolve("other.example:8443", "/"+nowhere+"/x")
		if diff := cmp.Diff(none, theirs); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheOnlyHostIsNamedToWhoeverMissesIt(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, nil))
	_, _, err := serve(t, m).Resolve("evil.example", "/x")
	if f := flow.AsFault(err); f.Code != flow.Misdirected || !strings.Contains(f.Message, "auth.example") {
		t.Error(err)
	}
}

func TestAddresses(t *testing.T) {
	e := configs.Environment{ID: env, AuthBase: "https://auth.example:8443"}
	want := "https://auth.example:8443/" + env
	tests := map[string][2]string{
		"Issuer":       {e.Issuer(), want + "/as"},
		"AuthorizeURL": {e.AuthorizeURL(), want + "/as/authorize"},
		"FlowURL":      {e.FlowURL("f"), want + "/flows/f"},
		"ResumeURL":    {e.ResumeURL("f"), want + "/as/resume?flowId=f"},
		"SignOnPage":   {e.SignOnPage("f"), want + "/signon/?flowId=f"},
		"CookiePath":   {e.CookiePath(), "/" + env},
		"Host":         {e.Host(), "auth.example:8443"},
	}
	for name, tt := range tests {
		if tt[0] != tt[1] {
			t.Errorf("%s = %q, want %q", name, tt[0], tt[1])
		}
	}
	if !e.Secure() || (configs.Environment{AuthBase: "http://localhost:8080"}).Secure() {
		t.Error("Secure does not follow the scheme")
	}
}

func TestTheDemoAsItIsServed(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, nil))
	b, ok := serve(t, m).Bundle(env)
	if !ok {
		t.Fatal("the demo is not served")
	}
	e := configs.Environment{ID: env, Name: "Demo", AuthBase: "https://auth.example", APIBase: "https://auth.example", Demo: true}
	if diff := cmp.Diff(e, b.Environment()); diff != "" {
		t.Error(diff)
	}
	none := configs.CORSSettings{Behavior: "ALLOW_NO_ORIGINS"}
	for _, want := range []*configs.Application{
		{
			ID: web, Name: "Demo web application", Type: "WEB_APP", Protocol: "OPENID_CONNECT", Enabled: true,
			RedirectURIs: []string{"https://auth.example/demo/callback"}, PostLogoutRedirectURIs: []string{"https://auth.example/demo/"},
			GrantTypes: []string{"AUTHORIZATION_CODE"}, ResponseTypes: []string{"CODE"}, ResponseModes: []string{"query"},
			TokenEndpointAuthMethod: "CLIENT_SECRET_BASIC", PKCEEnforcement: "OPTIONAL", CORSSettings: none,
			HomePageURL: "https://auth.example/demo/", SigningAlgorithm: "RS256", Secret: "demo-web-secret",
		},
		{
			ID: native, Name: "Demo native application", Type: "NATIVE_APP", Protocol: "OPENID_CONNECT", Enabled: true,
			RedirectURIs: []string{"http://127.0.0.1/callback"}, GrantTypes: []string{"AUTHORIZATION_CODE"}, ResponseTypes: []string{"CODE"},
			ResponseModes: []string{"query", "pi.flow"}, FlowTokenEnabled: true, TokenEndpointAuthMethod: "NONE",
			PKCEEnforcement: "S256_REQUIRED", CORSSettings: none, SigningAlgorithm: "RS256",
		},
		{
			ID: worker, Name: "Demo worker", Type: "WORKER", Protocol: "OPENID_CONNECT", Enabled: true,
			GrantTypes: []string{"CLIENT_CREDENTIALS"}, ResponseModes: []string{"query"}, TokenEndpointAuthMethod: "CLIENT_SECRET_BASIC",
			PKCEEnforcement: "OPTIONAL", CORSSettings: none, SigningAlgorithm: "RS256", Roles: []string{"ENVIRONMENT_ADMIN"}, Secret: "demo-worker-secret",
		},
	} {
		got, _ := b.Application(want.ID)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	rule := passwordpolicy.Policy{
		ID: "d0000000-0000-4000-8000-0000000000c1", Name: "Standard", MinLength: 8, MaxLength: 255,
		MinCharacters: map[string]int{"ABCDEFGHIJKLMNOPQRSTUVWXYZ": 1, "abcdefghijklmnopqrstuvwxyz": 1, "0123456789": 1, "~!@#$%^&*()-_=+[]{}|;:,.<>/?": 1},
		MaxRepeated:   2, MinUnique: 5, ExcludesCommonlyUsed: true, ExcludesProfileData: true, NotSimilarToCurrent: true, MaxAge: 182 * 24 * time.Hour,
	}
	rule.History.Count, rule.History.RetentionDays = 6, 365
	rule.Lockout.Failures, rule.Lockout.Duration = 5, 15*time.Minute
	if diff := cmp.Diff(rule, b.PasswordPolicy("d0000000-0000-4000-8000-0000000000b1")); diff != "" {
		t.Error(diff)
	}
	if p, ok := b.Population(""); !ok || p.Name != "Default" {
		t.Errorf("default population %v, %v", p, ok)
	}
}

func TestTheSigningAlgorithmsAreThoseInUse(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, edit(t, "demo/applications/web.json", `"enabled"`, `"signingAlgorithm": "ES256", "enabled"`)))
	b, _ := serve(t, m).Bundle(env)
	if diff := cmp.Diff([]string{"ES256", "RS256"}, b.SigningAlgorithms()); diff != "" {
		t.Error(diff)
	}
}

func TestAPopulationHasItsPolicyOrTheDefault(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, map[string]string{
		"demo/passwordPolicies/strict.json": `{"id":"d0000000-0000-4000-8000-0000000000c2","name":"Strict","length":{"min":16}}`,
		"demo/populations/staff.json":       `{"id":"d0000000-0000-4000-8000-0000000000b2","name":"Staff","passwordPolicy":{"id":"d0000000-0000-4000-8000-0000000000c2"}}`,
		"demo/populations/guests.json":      `{"id":"d0000000-0000-4000-8000-0000000000b3","name":"Guests","preferredLanguage":"de-CH"}`,
	}))
	b, _ := serve(t, m).Bundle(env)
	for population, want := range map[string]string{"b1": "Standard", "b2": "Strict", "b3": "Standard", "ff": "Standard"} {
		if got := b.PasswordPolicy("d0000000-0000-4000-8000-0000000000" + population); got.Name != want {
			t.Errorf("population %s has %s, want %s", population, got.Name, want)
		}
	}
	strict := passwordpolicy.Policy{ID: "d0000000-0000-4000-8000-0000000000c2", Name: "Strict", MinLength: 16, MaxLength: 255}
	if diff := cmp.Diff(strict, b.PasswordPolicy("d0000000-0000-4000-8000-0000000000b2")); diff != "" {
		t.Error(diff)
	}
	if p, _ := b.Population("d0000000-0000-4000-8000-0000000000b3"); p.PreferredLanguage != "de-CH" {
		t.Errorf("population %v", p)
	}
}

func TestOriginsOfEnabledApplicationsAreAllowed(t *testing.T) {
	files := edit(t, "demo/applications/web.json", `"enabled"`, `"corsSettings":{"behavior":"ALLOW_SPECIFIC_ORIGINS","origins":["https://app.example","{base}"]}, "enabled"`)
	for path, text := range edit(t, "demo/applications/native.json", `"enabled": true`, `"corsSettings":{"behavior":"ALLOW_SPECIFIC_ORIGINS","origins":["https://off.example"]}, "enabled": false`) {
		files[path] = text
	}
	m := newMemory()
	apply(t, m, demo(t, files))
	b, _ := serve(t, m).Bundle(env)
	for origin, want := range map[string]bool{"https://app.example": true, "https://auth.example": true, "https://off.example": false, "https://APP.example": false, "null": false, "": false} {
		if got := b.OriginAllowed(origin); got != want {
			t.Errorf("%q allowed %v, want %v", origin, got, want)
		}
	}
}

const stepUp = `{"id":"d0000000-0000-4000-8000-0000000000e2","name":"Step_Up","actions":[{"type":"LOGIN","priority":1}]}`

func TestTheServedPolicyIsSelected(t *testing.T) {
	assigned := `"signOnPolicyAssignments":[{"priority":9,"signOnPolicy":{"id":"` + single + `"}},{"priority":2,"signOnPolicy":{"id":"d0000000-0000-4000-8000-0000000000e2"}}], "enabled"`
	files := edit(t, "demo/applications/web.json", `"enabled"`, assigned)
	files["demo/signOnPolicies/step-up.json"] = stepUp
	m := newMemory()
	apply(t, m, demo(t, files))
	r := serve(t, m)
	b, _ := r.Bundle(env)
	tests := map[string]struct {
		app  string
		acr  []string
		want string // names in order; empty: refused
	}{
		"without assignments the default":           {native, nil, "Single_Factor"},
		"the assignments by priority":               {web, nil, "Step_Up Single_Factor"},
		"the one asked for":                         {web, []string{"Single_Factor"}, "Single_Factor"},
		"those asked for that are assigned":         {web, []string{"Other", "Single_Factor", "Step_Up"}, "Single_Factor Step_Up"},
		"one asked for twice":                       {web, []string{"Step_Up", "Step_Up"}, "Step_Up"},
		"the default by name":                       {native, []string{"Single_Factor"}, "Single_Factor"},
		"one that is not assigned":                  {native, []string{"Step_Up"}, ""},
		"one that does not exist":                   {web, []string{"Other"}, ""},
		"a name in another case":                    {web, []string{"step_up"}, ""},
		"an empty name":                             {web, []string{""}, ""},
		"without an application known, the default": {"", nil, "Single_Factor"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			app, _ := b.Application(tt.app)
			hashes, err := b.Plans(app, tt.acr)
			if (err != nil) != (tt.want == "") {
				t.Errorf("selected %v, error %v", hashes, err)
			}
			var names []string
			for _, hash := range hashes {
				plan, err := r.Plan(t.Context(), env, hash)
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, plan.Name)
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("plans %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAChangeIsServedAfterReloadAndTheOldPlanLivesOn(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, managed(t, nil)))
	r := serve(t, m)
	before, _ := r.Bundle(env)
	plans, err := before.Plans(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	old := plans[0]
	apply(t, m, demo(t, managed(t, edit(t, "demo/signOnPolicies/single-factor.json", "28800", "60"))))
	if b, _ := r.Bundle(env); b != before {
		t.Error("the change is served before Reload")
	}
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, _ := r.Bundle(env)
	plans, err = after.Plans(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	changed := plans[0]
	if changed == old {
		t.Errorf("the plan stays %s: %v", changed, err)
	}
	fresh := configs.NewRegistry(m, kinds(), "https://auth.example") // knows no plan yet
	for name, registry := range map[string]*configs.Registry{"this node": r, "another node": fresh} {
		for _, hash := range []flow.Digest{old, changed} {
			if plan, err := registry.Plan(t.Context(), env, hash); err != nil || plan.Hash != hash {
				t.Errorf("%s: plan %v, %v", name, plan, err)
			}
		}
	}
	if _, err := r.Plan(t.Context(), env, flow.Sum("x")); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("an unknown plan: %v", err)
	}
}

func TestBundlesAreRebuiltOnlyWhenTheRevisionMoved(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, nil))
	r := serve(t, m)
	before, _ := r.Bundle(env)
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b, _ := r.Bundle(env); b != before {
		t.Error("rebuilt although nothing moved")
	}
	m.revision++
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b, _ := r.Bundle(env); b == before {
		t.Error("not rebuilt although the revision moved")
	}
}

func TestWhatCannotBeBuiltLeavesWhatIsServed(t *testing.T) {
	spoil := func(kind, id, body string) func(*memory) {
		return func(m *memory) {
			m.resources[[3]string{env, kind, id}] = flow.Resource{Env: env, Kind: kind, ID: id, Body: []byte(body)}
		}
	}
	tests := map[string]struct {
		spoil func(*memory)
		want  string
	}{
		"a member of a later version":  {spoil("population", "p", `{"id":"p","name":"p","later":1}`), "population p: $.later: is no member here"},
		"a policy that cannot run":     {spoil("signOnPolicy", single, `{"id":"`+single+`","name":"P","default":true,"actions":[]}`), "takes 1 to 20 actions"},
		"a policy that is unpublished": {spoil("signOnPolicy", single, `{"id":"`+single+`","name":"P","default":true,"actions":[{"type":"LOGIN","priority":1}]}`), "unknown record"},
		"no default":                   {func(m *memory) { delete(m.resources, [3]string{env, "signOnPolicy", single}) }, "lacks a default"},
		"an assignment to nothing":     {spoil("application", native, `{"id":"`+native+`","name":"n","enabled":true,"type":"NATIVE_APP","protocol":"OPENID_CONNECT","grantTypes":[],"tokenEndpointAuthMethod":"NONE","signOnPolicyAssignments":[{"priority":1,"signOnPolicy":{"id":"x"}}]}`), "is assigned sign-on policy x, which does not exist"},
		"an application's secret gone": {func(m *memory) { clear(m.secrets) }, "has no secret"},
		"an address of no host":        {spoil("environment", env, `{"id":"`+env+`","name":"Demo","authBase":"auth.example"}`), "authBase"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			apply(t, m, demo(t, nil))
			r := serve(t, m)
			before, _ := r.Bundle(env)
			tt.spoil(m)
			m.revision++
			if err := r.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if b, _ := r.Bundle(env); b != before {
				t.Error("another bundle is served")
			}
			if err := r.Reload(t.Context()); err != nil {
				t.Errorf("the same fault is reported again: %v", err)
			}
		})
	}
}

func TestAStoreThatCannotBeReadIsReadAgain(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, nil))
	r := configs.NewRegistry(m, kinds(), "https://auth.example")
	m.err = errors.New("disk")
	if err := r.Reload(t.Context()); !errors.Is(err, m.err) {
		t.Errorf("error %v", err)
	}
	m.err = nil
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(r.Bundles()) != 1 {
		t.Error("nothing is served")
	}
}

func TestWatchServesAChange(t *testing.T) {
	m := newMemory()
	r := serve(t, m)
	apply(t, m, demo(t, nil)) // before anybody watches: m is for one goroutine
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Watch(ctx, time.Millisecond, func(err error) { t.Error(err) })
	}()
	for len(r.Bundles()) == 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
	if len(r.Bundles()) != 1 {
		t.Error("nothing is served")
	}
}

func TestResolvingAllocatesNothing(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, nil))
	r := serve(t, m)
	path := "/" + env + "/flows/x"
	if n := testing.AllocsPerRun(100, func() { _, _, _ = r.Resolve("auth.example", path) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
