package configs_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"doorward/configs"
	"doorward/runtime/flow"
)

func TestANewEnvironmentCanBeUsed(t *testing.T) {
	d := newDesk(t, nil)
	made, err := d.CreateEnvironment(t.Context(), []byte(`{"name":"New-Env","description":"New environment description","type":"SANDBOX","region":"EU","license":{"id":"x"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s := string(made.Body); !strings.Contains(s, `"region":"EU"`) || !strings.Contains(s, `"license":{"id":"x"}`) || !strings.Contains(s, `"authBase":"https://auth.example"`) {
		t.Error(s)
	}
	r := configs.NewRegistry(d.store, kinds(), "https://auth.example")
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, ok := r.Bundle(made.ID)
	if !ok || b.PasswordPolicy("").Name != "Standard" {
		t.Fatal("it is not served, or without the password policy")
	}
	if plans, err := b.Plans(nil, nil); err != nil || len(plans) != 1 {
		t.Error(plans, err)
	}
	if p, ok := b.Population(""); !ok || p.Name != "Default" {
		t.Error(p)
	}
	for body, want := range map[string][]string{
		`{"name":"New-Env"}`:          {"UNIQUENESS_VIOLATION /name"},
		`{}`:                          {"REQUIRED_VALUE /name"},
		`{"name":"A","managed":true}`: {"INVALID_VALUE /managed: takes true in a file only"},
		`{"name":"A","type":"TEST"}`:  {"INVALID_VALUE /type"},
		`{"name":"A","compatibility":{"disclosure":"all"}}`:  {"INVALID_VALUE /compatibility/disclosure"},
		`{"name":"New-Env","authBase":"ftp://auth.example"}`: {"INVALID_VALUE /authBase", "UNIQUENESS_VIOLATION /name"},
	} {
		_, err := d.CreateEnvironment(t.Context(), []byte(body))
		wants(t, err, want...)
	}
	k := kind(t, "environment")
	_, err = d.Replace(t.Context(), made.ID, k, nil, made.ID, []byte(`{"name":"Demo"}`))
	wants(t, err, "UNIQUENESS_VIOLATION /name")
	renamed, err := d.Replace(t.Context(), made.ID, k, nil, made.ID, []byte(`{"name":"Renamed","managed":true,"compatibility":{"disclosure":"vendor"}}`))
	if err != nil || !strings.Contains(string(renamed.Body), `"authBase":"https://auth.example"`) || strings.Contains(string(renamed.Body), "managed") {
		t.Errorf("%s %v", renamed.Body, err)
	}
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b, _ = r.Bundle(made.ID); !b.Disclosing() {
		t.Error("it does not disclose")
	}
	if list, err := d.List(t.Context(), "", k, nil); err != nil || len(list) != 2 {
		t.Error(list, err)
	}
	if err := d.Remove(t.Context(), made.ID, k, nil, made.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Bundle(made.ID); ok {
		t.Error("it is served still")
	}
}

func TestSecretsStayOutOfBodies(t *testing.T) {
	d := newDesk(t, nil)
	recaptcha := kind(t, "recaptchaConfig")
	_, err := d.Replace(t.Context(), env, recaptcha, nil, "", []byte(`{"siteKey":"site"}`))
	wants(t, err, "REQUIRED_VALUE /secretKey")
	for i, body := range []string{`{"siteKey":"site","secretKey":"hush"}`, `{"siteKey":"site2"}`} {
		item, err := d.Replace(t.Context(), env, recaptcha, nil, "", []byte(body))
		if err != nil || strings.Contains(string(item.Body), "hush") {
			t.Fatalf("%d: %s %v", i, item.Body, err)
		}
	}
	if diff := cmp.Diff(configs.Recaptcha{Provider: "GOOGLE", SiteKey: "site2", SecretKey: "hush"}, d.bundle().Recaptcha()); diff != "" {
		t.Error(diff)
	}
	if err := d.Remove(t.Context(), env, recaptcha, nil, ""); err != nil {
		t.Fatal(err)
	}
	if got := d.bundle().Recaptcha(); got.Provider != "PROOF_OF_WORK" || got.SecretKey != "" {
		t.Error(got)
	}

	const worker = `{"name":"W","enabled":true,"type":"WORKER","protocol":"OPENID_CONNECT","grantTypes":["AUTHORIZATION_CODE"],"responseTypes":["CODE"],
		"redirectUris":["https://w.example/cb"],"pkceEnforcement":"REQUIRED","tokenEndpointAuthMethod":"CLIENT_SECRET_POST"}`
	app := d.make("application", worker)
	first, err := d.Secret(t.Context(), env, app)
	if err != nil || len(first) != 64 {
		t.Fatal(first, err)
	}
	second, err := d.RotateSecret(t.Context(), env, app)
	if kept, _ := d.Secret(t.Context(), env, app); err != nil || second == first || kept != second {
		t.Error(second, err)
	}
	if a, _ := d.bundle().Application(app); a.Secret != second {
		t.Error("another secret is served")
	}
	if err := d.put("application", app, "CLIENT_SECRET_POST", "NONE"); err != nil {
		t.Fatal(err)
	}
	if s, err := d.Secret(t.Context(), env, app); err == nil {
		t.Errorf("kept %q of an application without a secret", s)
	}
	_, err = d.RotateSecret(t.Context(), env, app)
	wants(t, err, "CONSTRAINT_VIOLATION /tokenEndpointAuthMethod: is NONE")
}

func TestTwoEditorsLoseNoUpdate(t *testing.T) {
	d := newDesk(t, nil)
	policy := d.make("signOnPolicy", `{"name":"P"}`)
	action := kind(t, "signOnPolicyAction")
	const each = 6
	var wg sync.WaitGroup
	made := make(chan string, 2*each)
	for n := range 2 {
		e := configs.NewEditor(d.store, kinds(), "https://auth.example", func() time.Time { return d.now }, uuid.NewString)
		wg.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"type":"LOGIN","priority":%d}`, 2*i+n+1)
				for { // a client that is told that others were faster tries again
					item, err := e.Create(t.Context(), env, action, []string{policy}, []byte(body))
					if err == nil {
						made <- item.ID
						break
					}
					if !errors.Is(err, flow.ErrLost) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	list, err := d.List(t.Context(), env, action, []string{policy})
	if err != nil || len(list) != 2*each || len(made) != 2*each {
		t.Errorf("%d actions of %d made, %v", len(list), len(made), err)
	}
}

func TestAChangeIsServedByAnotherNode(t *testing.T) {
	d := newDesk(t, nil)
	other := configs.NewRegistry(d.store, kinds(), "https://auth.example")
	if err := other.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	def := d.make("flowDefinition", signOn(d.make("form", signOnForm)))
	if err := other.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, _ := other.Bundle(env)
	served, ok := b.FlowDefinition(def)
	if !ok {
		t.Fatal("the definition is not served")
	}
	plan, err := other.Plan(t.Context(), env, served.Plan)
	if err != nil || plan.Definition != def || plan.Trigger != flow.TriggerExperience {
		t.Errorf("%+v %v", plan, err)
	}
}

func TestPeopleAreSentBackToEnabledApplicationsOnly(t *testing.T) {
	d := newDesk(t, edit(t, "demo/applications/native.json", `"enabled": true`, `"enabled": false`))
	b := d.bundle()
	for uri, want := range map[string]bool{
		"https://auth.example/demo/callback": true, "https://auth.example/demo/": true, "https://auth.example/demo/callback/": false,
		"https://AUTH.example/demo/callback": false, "http://127.0.0.1/callback": false, "": false, "{base}/demo/callback": false,
	} {
		if app, ok := b.RedirectAllowed(uri); ok != want || want && app.ID != web {
			t.Errorf("%q allowed %v", uri, ok)
		}
	}
	if b.Disclosing() {
		t.Error("an environment discloses unless told otherwise")
	}
}

func TestCheckNamesWhatTheVerifierFinds(t *testing.T) {
	const id = "d0000000-0000-4000-8000-0000000000d1"
	with := func(body string) map[string]string {
		return map[string]string{"demo/flowDefinitions/a.json": strings.Replace(body, "{", `{"id":"`+id+`",`, 1)}
	}
	unproven := strings.Replace(basic, `"amr":[]`, `"amr":["pwd"]`, 1)
	faults, _, err := configs.Check(demo(t, with(unproven)), kinds())
	if err != nil || len(faults) != 1 || faults[0].File != "demo/flowDefinitions/a.json" || faults[0].Pointer() != "/stepDefinitions/done" || faults[0].Finding == "" || len(faults[0].Trail) == 0 {
		t.Errorf("%+v %v", faults, err)
	}
	unreachable := strings.Replace(basic, `"stepDefinitions":{`, `"stepDefinitions":{"alone":{"type":"TERMINATE_FLOW","input":{"error":{"code":"A","message":"B"}}},`, 1)
	faults, warnings, err := configs.Check(demo(t, with(unreachable)), kinds())
	if err != nil || len(faults) != 0 || len(warnings) != 1 || warnings[0].Finding != "UNREACHABLE_STEP" {
		t.Errorf("%v, %v, %v", faults, warnings, err)
	}
	d := newDesk(t, with(unreachable))
	item, err := d.Create(t.Context(), env, kind(t, "flowDefinition"), nil, []byte(strings.Replace(unreachable, "Basic", "Other", 1)))
	if err != nil || len(item.Warnings) != 1 {
		t.Errorf("%v %v", item.Warnings, err)
	}
}
