package configs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/steps/externalinvoke"
)

// partner is a service with every type of credential, and a secret that its
// request reads.
const partner = `{"name":"Partner","variables":{"base":"https://partner.example"},"authSchemes":[
	{"name":"the/key","type":"API_KEY","key":"hidden-key"},
	{"name":"token","type":"BEARER","token":"hidden-token"},
	{"name":"basic","type":"BASIC","username":"u","password":"hidden-password"},
	{"name":"oauth","type":"OAUTH_2","tokenEndpointAuthType":"client_secret_basic","tokenEndpoint":"https://idp.example/token","clientId":"c","clientSecret":"hidden-client"}],
	"requests":[{"name":"ask","request":{"method":"GET","url":"variables.base + '/ask'","headers":{"X-Key":"secrets.apiKey"},"authScheme":"the/key"}}]}`

// hidden are all that partner holds of secrets, by the name they are asked for.
func hidden() map[string]string {
	return map[string]string{
		"authSchemes/the/key/key": "hidden-key", "authSchemes/token/token": "hidden-token",
		"authSchemes/basic/password": "hidden-password", "authSchemes/oauth/clientSecret": "hidden-client",
	}
}

// kept are the secrets of a service that are served.
func (d *desk) kept(service string) map[string]string {
	d.t.Helper()
	out, b := map[string]string{}, d.bundle()
	for _, name := range []string{
		"authSchemes/the/key/key", "authSchemes/token/token", "authSchemes/basic/password", "authSchemes/oauth/clientSecret",
		"authSchemes/the/key/token", "secrets/apiKey", "secrets/other",
	} {
		if s, is := b.ServiceSecret(service, name); is {
			out[name] = s
		}
	}
	return out
}

// leaks fails where something hidden is in what the store holds in plain.
func (d *desk) leaks() {
	d.t.Helper()
	all, err := d.store.List(d.t.Context(), env)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, r := range all {
		if bytes.Contains(r.Body, []byte("hidden")) {
			d.t.Errorf("%s holds a secret: %s", r.Kind, r.Body)
		}
	}
}

// service gives a service another body.
func (d *desk) service(id, body string) (configs.Item, error) {
	d.t.Helper()
	return d.Replace(d.t.Context(), env, kind(d.t, "externalService"), nil, id, []byte(body))
}

func TestCredentialsAreKeptBesideAService(t *testing.T) {
	d := newDesk(t, nil)
	item, err := d.Create(t.Context(), env, kind(t, "externalService"), nil, []byte(partner))
	if err != nil {
		t.Fatal(err)
	}
	id := item.ID
	if diff := cmp.Diff(hidden(), d.kept(id)); diff != "" {
		t.Error(diff)
	}
	if len(item.Warnings) != 1 || item.Warnings[0].Finding != configs.SecretUnset || item.Warnings[0].Pointer() != "/requests/0" {
		t.Errorf("warnings %+v", item.Warnings)
	}
	shown := d.body("externalService", id)
	if diff := cmp.Diff([]any{}, shown["secrets"]); diff != "" {
		t.Error(diff)
	}
	request, _ := shown["requests"].([]any)[0].(map[string]any)
	if request["displayName"] != "GET variables.base + '/ask'" || request["inputs"] == nil {
		t.Error(request)
	}
	back, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(back), "hidden") {
		t.Errorf("shown: %s", back)
	}
	if _, err := d.service(id, string(back)); err != nil {
		t.Fatal(err) // what was read may be sent back
	}
	if diff := cmp.Diff(hidden(), d.kept(id)); diff != "" {
		t.Errorf("after sending back what was read: %s", diff)
	}
	stored := d.body("externalService", id)
	delete(shown, "updatedAt")
	if diff := cmp.Diff(shown, stored); diff != "" {
		t.Error(diff)
	}
	d.leaks()
}

func TestACredentialGoesWithItsScheme(t *testing.T) {
	scheme := func(of string) string { return `{"name":"P","authSchemes":[` + of + `]}` }
	const before = `{"name":"a","type":"API_KEY","key":"hidden-1"}`
	for name, row := range map[string]struct {
		after string
		want  map[string]string // authSchemes/…
		fault string
	}{
		"kept":            {`{"name":"a","type":"API_KEY"}`, map[string]string{"a/key": "hidden-1"}, ""},
		"another":         {`{"name":"a","type":"API_KEY","key":"hidden-2"}`, map[string]string{"a/key": "hidden-2"}, ""},
		"another type":    {`{"name":"a","type":"BEARER","token":"hidden-2"}`, map[string]string{"a/token": "hidden-2"}, ""},
		"gone":            {``, map[string]string{}, ""},
		"none of a type":  {`{"name":"a","type":"BEARER"}`, nil, "REQUIRED_VALUE /authSchemes/0/token: is required"},
		"none of a name":  {`{"name":"b","type":"API_KEY"}`, nil, "REQUIRED_VALUE /authSchemes/0/key: is required"},
		"an empty one":    {`{"name":"a","type":"API_KEY","key":""}`, nil, "REQUIRED_VALUE /authSchemes/0/key: is required"},
		"not of its type": {`{"name":"a","type":"API_KEY","token":"x"}`, nil, "INVALID_VALUE /authSchemes/0/token: is no member"},
		"no text":         {`{"name":"a","type":"API_KEY","key":7}`, nil, "INVALID_VALUE /authSchemes/0/key: takes a string"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, nil)
			id := d.make("externalService", scheme(before))
			_, err := d.service(id, scheme(row.after))
			if row.fault != "" {
				wants(t, err, row.fault)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			all, err := d.store.Secrets(t.Context(), env)
			if err != nil {
				t.Fatal(err)
			}
			got, b := map[string]string{}, d.bundle()
			for key := range all {
				if strings.HasPrefix(key, "externalService/"+id) {
					name := strings.ReplaceAll(strings.TrimPrefix(key, "externalService/"+id+"/authSchemes%2F"), "%2F", "/")
					got[name], _ = b.ServiceSecret(id, "authSchemes/"+name)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSecretsAreSetBesideAService(t *testing.T) {
	d := newDesk(t, nil)
	id := d.make("externalService", partner)
	put := func(body string) ([]string, error) { return d.PutServiceSecrets(t.Context(), env, id, []byte(body)) }
	holds := func(want map[string]string) {
		t.Helper()
		got := d.kept(id)
		for name, s := range hidden() {
			if got[name] != s {
				t.Errorf("the credential %s is now %q", name, got[name])
			}
			delete(got, name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		d.leaks()
	}
	if names, err := put(`{"secrets":[{"name":"other","value":"hidden-2"},{"name":"apiKey","value":"hidden-1"}]}`); err != nil || !cmp.Equal(names, []string{"apiKey", "other"}) {
		t.Fatal(names, err)
	}
	holds(map[string]string{"secrets/apiKey": "hidden-1", "secrets/other": "hidden-2"})
	if diff := cmp.Diff([]any{"apiKey", "other"}, d.body("externalService", id)["secrets"]); diff != "" {
		t.Error(diff)
	}
	if item, err := d.service(id, strings.Replace(partner, `"name":"Partner"`, `"name":"Renamed","secrets":["apiKey"]`, 1)); err != nil || len(item.Warnings) > 0 {
		t.Errorf("%v %v", item.Warnings, err)
	}
	holds(map[string]string{"secrets/apiKey": "hidden-1", "secrets/other": "hidden-2"})
	if _, err := put(`{"secrets":[{"name":"apiKey"}]}`); err != nil {
		t.Error(err)
	}
	holds(map[string]string{"secrets/apiKey": "hidden-1"})
	for body, want := range map[string]string{
		`{"secrets":[]}`: `CONSTRAINT_VIOLATION /secrets: must hold "apiKey", which the request "ask" reads`,
		`{"secrets":[{"name":"apiKey"},{"name":"new"}]}`:      "REQUIRED_VALUE /secrets/1/value: is required of a secret that is new",
		`{"secrets":[{"name":"apiKey"},{"name":"apiKey"}]}`:   "UNIQUENESS_VIOLATION /secrets/1/name",
		`{"secrets":[{"name":"apiKey","value":7}]}`:           "INVALID_VALUE /secrets/0/value: takes a string",
		`{"secrets":[{"name":"apiKey","values":"hidden-3"}]}`: "INVALID_VALUE /secrets/0/values",
		`{}`: "REQUIRED_VALUE /secrets: is required",
	} {
		_, err := put(body)
		wants(t, err, want)
		if strings.Contains(err.Error(), "hidden") {
			t.Errorf("a fault tells a secret: %v", err)
		}
	}
	holds(map[string]string{"secrets/apiKey": "hidden-1"})
	_, err := d.service(id, strings.Replace(partner, `"name":"Partner"`, `"name":"P","secrets":[{"name":"apiKey","value":"hidden-4"}]`, 1))
	wants(t, err, "CONSTRAINT_VIOLATION /secrets: takes the names as they are shown")
	if _, err := d.PutServiceSecrets(t.Context(), env, nothing, []byte(`{"secrets":[]}`)); !errors.Is(err, flow.ErrUnknown) {
		t.Error(err)
	}
	if _, err := d.ServiceSecrets(t.Context(), env, nothing); !errors.Is(err, flow.ErrUnknown) {
		t.Error(err)
	}
	if err := d.Remove(t.Context(), env, kind(t, "externalService"), nil, id); err != nil {
		t.Fatal(err)
	}
	all, err := d.store.Secrets(t.Context(), env)
	for key := range all {
		if err != nil || strings.Contains(key, id) {
			t.Errorf("%s is left, %v", key, err)
		}
	}
}

func TestPublishedServicesAreTaken(t *testing.T) {
	d := newDesk(t, nil)
	b, err := os.ReadFile("testdata/rec-external-service-create.json")
	if err != nil {
		t.Fatal(err)
	}
	id := d.make("externalService", string(b))
	b, err = os.ReadFile("testdata/rec-external-service-secrets-update.json")
	if err != nil {
		t.Fatal(err)
	}
	if names, err := d.PutServiceSecrets(t.Context(), env, id, b); err != nil || !cmp.Equal(names, []string{"apiKey"}) {
		t.Error(names, err)
	}
	service, is := d.bundle().ExternalService(id)
	if !is {
		t.Fatal("it is not served")
	}
	if r, is := service.Request("inputRequest"); !is || !cmp.Equal(r.Inputs(), []string{"userId"}) {
		t.Errorf("%+v", r)
	}
	if _, is := d.bundle().ExternalService(nothing); is {
		t.Error("what is not there is served")
	}
}

// asking is a flow definition that invokes a service.
func asking(service string) string {
	return `{"name":"Asking","enabled":true,"trigger":{"type":"EXPERIENCE","next":"ask"},"stepDefinitions":{
		"ask":{"type":"EXTERNAL_SERVICE_INVOKE","configuration":{"externalService":{"id":"` + service + `"},"request":{"id":"ask"}},"input":{},
			"outlets":{"INVOCATION_OUTPUT":{"next":"done"},"ERROR":{"next":"stop"}}},
		"stop":{"type":"TERMINATE_FLOW","input":{"error":{"code":"X","message":"no"}}},
		"done":{"type":"COMPLETE_FLOW","configuration":{"result":"REDIRECT"},"input":{"parameters":{},"context":{"amr":[]}}}}}`
}

func TestADefinitionHoldsTheServiceThatItInvokes(t *testing.T) {
	d := newDesk(t, nil)
	invoking := func(k flow.Kind) bool { return k.Meta().Name == "EXTERNAL_SERVICE_INVOKE" }
	steps := append(slices.DeleteFunc(kinds(), invoking), externalinvoke.New(nil))
	d.Editor = configs.NewEditor(d.store, steps, "https://auth.example", func() time.Time { return d.now }, uuid.NewString)
	plan := func(definition string) string {
		t.Helper()
		r := configs.NewRegistry(d.store, steps, "https://auth.example")
		if err := r.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		b, _ := r.Bundle(env)
		f, _ := b.FlowDefinition(definition)
		src, err := d.store.Plan(t.Context(), env, f.Plan)
		if err != nil {
			t.Fatal(err)
		}
		return string(src)
	}
	service := d.make("externalService", partner)
	k, _ := d.at("flowDefinition")
	_, err := d.Create(t.Context(), env, k, nil, []byte(asking(nothing)))
	wants(t, err, "INVALID_VALUE /stepDefinitions/ask/configuration/externalService/id: there is no such external service")
	definition := d.make("flowDefinition", asking(service))
	first := plan(definition)
	if !strings.Contains(first, "variables.base") || strings.Contains(first, "hidden") {
		t.Errorf("the plan is %s", first)
	}
	if _, err := d.PutServiceSecrets(t.Context(), env, service, []byte(`{"secrets":[{"name":"apiKey","value":"hidden-1"}]}`)); err != nil {
		t.Fatal(err)
	}
	if plan(definition) != first {
		t.Error("a secret makes another plan")
	}
	if _, err := d.service(service, strings.Replace(partner, "'/ask'", "'/answer'", 1)); err != nil {
		t.Fatal(err)
	}
	if second := plan(definition); !strings.Contains(second, "'/answer'") || strings.Contains(second, "hidden") {
		t.Errorf("the plan is %s", second)
	}
	versions, err := d.Versions(t.Context(), env, definition, "", 10)
	if err != nil || versions.Count != 2 {
		t.Errorf("%d versions, %v", versions.Count, err)
	}
	var used *configs.Referenced
	if err := d.Remove(t.Context(), env, kind(t, "externalService"), nil, service); !errors.As(err, &used) || len(used.By) != 1 || used.By[0].ID != definition {
		t.Error(err)
	}
	d.leaks()
}
