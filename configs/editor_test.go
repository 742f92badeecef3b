package configs_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/configs"
	"doorward/runtime/flow"
)

func TestEveryKindSaysWhatIsWrongWithABody(t *testing.T) {
	const app = `"name":"A","enabled":true,"type":"WORKER","protocol":"OPENID_CONNECT","grantTypes":["CLIENT_CREDENTIALS"],"tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC"`
	tests := map[string]struct {
		where, body string
		want        []string
	}{
		"no JSON":                             {"population", `{"name":`, []string{"INVALID_VALUE /name: unexpected EOF"}},
		"no object":                           {"population", `[]`, []string{"INVALID_VALUE : takes an object"}},
		"a member twice":                      {"population", `{"name":"A","name":"B"}`, []string{"INVALID_VALUE /name: duplicate"}},
		"nothing":                             {"population", `{}`, []string{"REQUIRED_VALUE /name: is required"}},
		"what is read-only":                   {"population", `{"id":1,"name":"A","environment":{},"createdAt":2,"updatedAt":3,"_links":{},"userCount":7}`, nil},
		"an unknown member":                   {"population", `{"name":"A","nome":"B"}`, []string{"INVALID_VALUE /nome: is no member here"}},
		"a name that is taken":                {"population", `{"name":"Default"}`, []string{`UNIQUENESS_VIOLATION /name: is that of population "Default" too`}},
		"a reference to nothing":              {"population", `{"name":"A","passwordPolicy":{"id":"` + nothing + `"}}`, []string{"INVALID_VALUE /passwordPolicy/id: there is no such password policy"}},
		"two faults":                          {"population", `{"name":"Default","preferredLanguage":"!"}`, []string{"INVALID_VALUE /preferredLanguage", "UNIQUENESS_VIOLATION /name"}},
		"a rule out of its range":             {"passwordPolicy", `{"name":"A","lockout":{"failureCount":0,"durationSeconds":1}}`, []string{"OUT_OF_RANGE /lockout/failureCount"}},
		"a policy without actions":            {"signOnPolicy", `{"name":"A"}`, nil},
		"a default policy without actions":    {"signOnPolicy", `{"name":"A","default":true}`, []string{"INVALID_VALUE /actions: takes 1 to 20 actions"}},
		"an action of another type":           {"signOnPolicyAction/" + single, `{"type":"X","priority":2}`, []string{"INVALID_VALUE /type: action"}},
		"an action of a priority that is had": {"signOnPolicyAction/" + single, `{"type":"LOGIN","priority":1}`, []string{"INVALID_VALUE /priority: is that of"}},
		"an action that registers nowhere":    {"signOnPolicyAction/" + single, `{"type":"LOGIN","priority":2,"registration":{"enabled":true,"population":{"id":"` + nothing + `"}}}`, []string{"INVALID_VALUE /registration/population/id: there is no such population"}},
		"an action that runs nothing":         {"signOnPolicyAction/" + single, `{"type":"FLOW_DEFINITION","priority":2,"flowDefinition":{"id":"` + nothing + `"}}`, []string{"INVALID_VALUE /flowDefinition/id: there is no such flow definition"}},
		"an assignment to nothing":            {"signOnPolicyAssignment/" + web, `{"priority":1,"signOnPolicy":{"id":"` + nothing + `"}}`, []string{"INVALID_VALUE /signOnPolicy/id: there is no such sign-on policy"}},
		"an assignment without a policy":      {"signOnPolicyAssignment/" + web, `{"priority":0}`, []string{"INVALID_VALUE /priority", "REQUIRED_VALUE /signOnPolicy: is required"}},
		"an application without a secret":     {"application", `{` + app + `}`, nil}, // it is given one
		"an application with a short secret":  {"application", `{` + app + `,"secret":"short"}`, []string{"INVALID_VALUE /secret: takes at least 8"}},
		"roles of a worker":                   {"application", `{` + app + `,"roles":["ENVIRONMENT_ADMIN","IDENTITY_DATA_ADMIN","CONFIGURATION_READ_ONLY"]}`, nil},
		"an unknown role":                     {"application", `{` + app + `,"roles":["ROOT"]}`, []string{"INVALID_VALUE /roles/0: takes one of"}},
		"roles of a web application":          {"application", `{` + strings.Replace(app, "WORKER", "SERVICE", 1) + `,"roles":["ENVIRONMENT_ADMIN"]}`, []string{"INVALID_VALUE /roles: are for WORKER alone"}},
		"an agreement":                        {"agreement", `{"name":"A","enabled":false,"reconsentPeriodDays":31.5}`, nil},
		"a reconsent period of nothing":       {"agreement", `{"name":"A","enabled":false,"reconsentPeriodDays":0}`, []string{"OUT_OF_RANGE /reconsentPeriodDays"}},
		"an agreement in no language":         {"agreement", `{"name":"A","enabled":true}`, []string{"CONSTRAINT_VIOLATION /enabled: needs the language en"}},
		"a form of nothing":                   {"form", `{}`, []string{"REQUIRED_VALUE /category", "REQUIRED_VALUE /components", "REQUIRED_VALUE /markOptional", "REQUIRED_VALUE /markRequired", "REQUIRED_VALUE /name"}},
		"a definition of nothing":             {"flowDefinition", `{}`, []string{"INVALID_VALUE /enabled", "INVALID_VALUE /name", "INVALID_VALUE /stepDefinitions", "INVALID_VALUE /trigger"}},
		"a definition of no form":             {"flowDefinition", signOn(nothing), []string{"INVALID_VALUE /stepDefinitions/form/configuration/form/id: there is no such form"}},
		"a definition with a hole":            {"flowDefinition", strings.Replace(basic, `"amr":[]`, `"amr":["pwd"],"user":{"id":"${flow.context.user.id}"}`, 1), []string{"CONSTRAINT_VIOLATION /stepDefinitions/done"}},
	}
	unchanged := newDesk(t, nil)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := unchanged
			if tt.want == nil {
				d = newDesk(t, nil)
			}
			k, parents := d.at(tt.where)
			_, err := d.Create(t.Context(), env, k, parents, []byte(tt.body))
			wants(t, err, tt.want...)
		})
	}
}

func TestAResourceIsShownAsItIs(t *testing.T) {
	d := newDesk(t, nil)
	id := d.make("population", `{"name":"Staff","default":"false","passwordPolicy":{"id":"`+standard+`"}}`)
	want := map[string]any{"id": id, "environment": map[string]any{"id": env}, "name": "Staff", "default": false, "passwordPolicy": map[string]any{"id": standard}}
	if diff := cmp.Diff(want, d.body("population", id)); diff != "" {
		t.Error(diff)
	}
	if got := d.body("environment", ""); got["authBase"] != "https://auth.example" || got["environment"] != nil {
		t.Error(got)
	}
	policy := d.body("signOnPolicy", single)
	if policy["actions"] != nil {
		t.Errorf("a policy shows its actions: %v", policy)
	}
	k, parents := d.at("signOnPolicyAction/" + single)
	list, err := d.List(t.Context(), env, k, parents)
	if err != nil || len(list) != 1 || list[0].Parent != single {
		t.Fatal(list, err)
	}
	again, _ := d.List(t.Context(), env, k, parents)
	if list[0].ID != again[0].ID || d.body("signOnPolicyAction/"+single, list[0].ID)["type"] != "LOGIN" {
		t.Error("an action of a file has no id that stays")
	}
	form := d.body("form", d.make("form", signOnForm))
	if diff := cmp.Diff([]any{"PASSWORD", "SUBMIT_BUTTON", "TEXT"}, form["fieldTypes"]); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNotThereIsUnknown(t *testing.T) {
	d := newDesk(t, nil)
	population, action, revision := kind(t, "population"), kind(t, "signOnPolicyAction"), kind(t, "agreementRevision")
	tests := map[string]func() error{
		"read": func() error { _, err := d.Read(t.Context(), env, population, nil, nothing); return err },
		"replace": func() error {
			_, err := d.Replace(t.Context(), env, population, nil, nothing, []byte(`{"name":"A"}`))
			return err
		},
		"remove":             func() error { return d.Remove(t.Context(), env, population, nil, nothing) },
		"list below nothing": func() error { _, err := d.List(t.Context(), env, action, []string{nothing}); return err },
		"create below nothing": func() error {
			_, err := d.Create(t.Context(), env, action, []string{nothing}, []byte(`{}`))
			return err
		},
		"read a part": func() error { _, err := d.Read(t.Context(), env, action, []string{single}, nothing); return err },
		"replace a part": func() error {
			_, err := d.Replace(t.Context(), env, action, []string{single}, nothing, []byte(`{}`))
			return err
		},
		"remove a part": func() error { return d.Remove(t.Context(), env, action, []string{single}, nothing) },
		"read a part of a part": func() error {
			_, err := d.Read(t.Context(), env, revision, []string{nothing, nothing}, nothing)
			return err
		},
		"another environment": func() error {
			_, err := d.Create(t.Context(), other, population, nil, []byte(`{"name":"A"}`))
			return err
		},
		"the secret of nobody":   func() error { _, err := d.Secret(t.Context(), env, nothing); return err },
		"rotate nobody's secret": func() error { _, err := d.RotateSecret(t.Context(), env, nothing); return err },
		"recaptcha before it is": func() error { _, err := d.Read(t.Context(), env, kind(t, "recaptchaConfig"), nil, ""); return err },
		"a draft":                func() error { _, err := d.Draft(t.Context(), env, nothing); return err },
		"publish no draft":       func() error { _, err := d.Publish(t.Context(), env, nothing); return err },
		"restore no version":     func() error { _, err := d.Restore(t.Context(), env, nothing, flow.Sum("x")); return err },
	}
	for name, do := range tests {
		t.Run(name, func(t *testing.T) {
			if err := do(); !errors.Is(err, flow.ErrUnknown) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestAReplacementClearsWhatItLeavesOut(t *testing.T) {
	d := newDesk(t, nil)
	replace := func(where, id, body string) configs.Item {
		t.Helper()
		k, parents := d.at(where)
		item, err := d.Replace(t.Context(), env, k, parents, id, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return item
	}
	replace("population", everybody, `{"name":"All"}`)
	if got := d.body("population", everybody); got["passwordPolicy"] != nil || got["name"] != "All" || got["default"] != true {
		t.Errorf("%v: want no password policy, and still the default", got)
	}
	replace("signOnPolicy", single, `{"name":"Single"}`)
	k, parents := d.at("signOnPolicyAction/" + single)
	if list, _ := d.List(t.Context(), env, k, parents); len(list) != 1 {
		t.Error("the actions went along")
	}
	f := d.make("form", signOnForm)
	replace("form", f, strings.Replace(signOnForm, "CUSTOM", "REGISTRATION", 1))
	if got := d.body("form", f); got["category"] != "CUSTOM" {
		t.Errorf("category %v", got["category"])
	}
	shown := d.body("application", web)
	sent, _ := json.Marshal(shown)
	replace("application", web, string(sent))
	if diff := cmp.Diff(shown, d.body("application", web)); diff != "" {
		t.Error(diff)
	}
	moved := configs.NewRegistry(d.store, kinds(), "https://moved.example")
	if err := moved.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, _ := moved.Bundle(env)
	if a, _ := b.Application(web); a.Secret != "demo-web-secret" || a.RedirectURIs[0] != "https://moved.example/demo/callback" {
		t.Errorf("what was read and written back is now %v", a)
	}
}

func TestThereIsAlwaysOneDefault(t *testing.T) {
	d := newDesk(t, nil)
	population := kind(t, "population")
	staff := d.make("population", `{"name":"Staff","default":"true"}`)
	if d.body("population", everybody)["default"] != false || d.body("population", staff)["default"] != true {
		t.Error("the new default did not take the place of the old one")
	}
	_, err := d.Replace(t.Context(), env, population, nil, staff, []byte(`{"name":"Staff","default":false}`))
	wants(t, err, "CONSTRAINT_VIOLATION /default: takes true")
	wants(t, d.Remove(t.Context(), env, population, nil, staff), "CONSTRAINT_VIOLATION : is the default one")
	if err := d.Remove(t.Context(), env, population, nil, everybody); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNamedStays(t *testing.T) {
	d := newDesk(t, nil)
	f := d.make("form", signOnForm)
	def := d.make("flowDefinition", signOn(f))
	policy := d.make("signOnPolicy", `{"name":"P","actions":[{"type":"LOGIN","priority":1,"registration":{"enabled":true,"flowDefinition":{"id":"`+def+`"}}}]}`)
	assignment := d.make("signOnPolicyAssignment/"+native, `{"priority":1,"signOnPolicy":{"id":"`+policy+`"}}`)
	for _, tt := range []struct{ where, id, by, at string }{
		{"passwordPolicy", d.make("passwordPolicy", `{"name":"Other"}`), "", ""},
		{"form", f, def, "$.stepDefinitions.form.configuration.form.id"},
		{"flowDefinition", def, policy, "$.actions[0].registration.flowDefinition.id"},
		{"signOnPolicy", policy, native, "$.signOnPolicyAssignments[0].signOnPolicy.id"},
	} {
		var refused *configs.Referenced
		err := d.Remove(t.Context(), env, kind(t, tt.where), nil, tt.id)
		switch {
		case tt.by == "":
			if err != nil {
				t.Errorf("%s: %v", tt.where, err)
			}
		case !errors.As(err, &refused) || len(refused.By) != 1 || refused.By[0].ID != tt.by || string(refused.By[0].Path) != tt.at:
			t.Errorf("%s: %v", tt.where, err)
		}
	}
	action, _ := d.List(t.Context(), env, kind(t, "signOnPolicyAction"), []string{policy})
	wants(t, d.Remove(t.Context(), env, kind(t, "signOnPolicyAction"), []string{policy}, action[0].ID), `CONSTRAINT_VIOLATION : leaves the sign-on policy "P" wrong: $.actions: takes 1 to 20`)
	for _, step := range []struct {
		where string
		ids   []string
		id    string
	}{{"signOnPolicyAssignment", []string{native}, assignment}, {"signOnPolicyAction", []string{policy}, action[0].ID}, {"signOnPolicy", nil, policy}, {"flowDefinition", nil, def}, {"form", nil, f}} {
		if err := d.Remove(t.Context(), env, kind(t, step.where), step.ids, step.id); err != nil {
			t.Errorf("%s: %v", step.where, err)
		}
	}
	d.Counting("population", func(context.Context, string, string) (int, error) { return 3, nil })
	staff := d.make("population", `{"name":"Staff"}`)
	var refused *configs.Referenced
	if err := d.Remove(t.Context(), env, kind(t, "population"), nil, staff); !errors.As(err, &refused) || refused.Users != 3 {
		t.Errorf("a population with users: %v", err)
	}
}

func TestAnEnvironmentOfFilesIsNotChanged(t *testing.T) {
	d := newDesk(t, managed(t, nil))
	population := kind(t, "population")
	for name, do := range map[string]func() error{
		"create": func() error {
			_, err := d.Create(t.Context(), env, population, nil, []byte(`{"name":"A"}`))
			return err
		},
		"replace": func() error {
			_, err := d.Replace(t.Context(), env, population, nil, everybody, []byte(`{"name":"A"}`))
			return err
		},
		"remove": func() error { return d.Remove(t.Context(), env, population, nil, everybody) },
		"rotate": func() error { _, err := d.RotateSecret(t.Context(), env, web); return err },
		"draft":  func() error { _, err := d.SaveDraft(t.Context(), env, "", []byte(basic)); return err },
		"all":    func() error { return d.RemoveEnvironment(t.Context(), env) },
	} {
		var refused *configs.Managed
		if err := do(); !errors.As(err, &refused) || !strings.Contains(err.Error(), `the environment "Demo" is kept by files`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if revision, _ := d.store.Revision(t.Context()); revision != 1 {
		t.Errorf("revision %d", revision)
	}
}
