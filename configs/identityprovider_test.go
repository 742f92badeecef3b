package configs_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/configs"
	"doorward/runtime/federation"
)

// abroad is an external provider.
const abroad = `{"name":"Partner","enabled":true,"type":"OPENID_CONNECT","issuer":"https://op.example",
	"authorizationEndpoint":"https://op.example/authorize","tokenEndpoint":"https://op.example/token","jwksEndpoint":"https://op.example/jwks",
	"clientId":"doorward","clientSecret":"hidden-secret","scopes":["openid","email"]}`

// led is a sign-on policy whose one rule leads to a provider.
func led(provider string) string {
	return `{"name":"Led","actions":[{"type":"IDENTIFIER_FIRST","priority":1,"discoveryRules":[
		{"condition":{"contains":"@partner.example","value":"${identifier}"},"identityProvider":{"id":"` + provider + `"}}]}]}`
}

func TestAProviderIsServed(t *testing.T) {
	d := newDesk(t, nil)
	id := d.make("identityProvider", abroad)
	username := federation.Mapping{Name: "username", Value: "${providerAttributes.sub}"}
	want := federation.Provider{
		ID: id, Name: "Partner", Type: "OPENID_CONNECT", Enabled: true, Issuer: "https://op.example",
		AuthorizationEndpoint: "https://op.example/authorize", TokenEndpoint: "https://op.example/token", JWKSEndpoint: "https://op.example/jwks",
		ClientID: "doorward", ClientSecret: "hidden-secret", AuthMethod: "CLIENT_SECRET_BASIC", Scopes: []string{"openid", "email"},
		Mappings: []federation.Mapping{username},
	}
	serves := func() {
		t.Helper()
		got, _ := d.bundle().IdentityProvider(id)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	serves()
	if shown := d.body("identityProvider", id); shown["clientSecret"] != nil || shown["attributes"] != nil {
		t.Errorf("shown: %v", shown)
	}
	d.leaks()
	d.make("identityProviderAttribute/"+id, `{"name":"email","value":"${providerAttributes.email}","update":"ALWAYS","mappingType":"CORE"}`)
	want.Mappings = append(want.Mappings, federation.Mapping{Name: "email", Value: "${providerAttributes.email}", Always: true})
	serves()

	// A replacement without secret and attributes keeps both.
	if err := d.put("identityProvider", id, `"enabled":true`, `"enabled":false,"pkceMethod":"S256","userInfoEndpoint":"https://op.example/me","registration":{"population":{"id":"`+everybody+`"}}`); err != nil {
		t.Fatal(err)
	}
	want.Enabled, want.PKCE, want.UserInfoEndpoint, want.Population = false, true, "https://op.example/me", everybody
	serves()
	if err := d.put("identityProvider", id, `"type":`, `"tokenEndpointAuthMethod":"NONE","type":`); err != nil {
		t.Fatal(err)
	}
	want.AuthMethod, want.ClientSecret = "NONE", ""
	serves()
	err := d.put("identityProvider", id, `"NONE"`, `"CLIENT_SECRET_POST"`)
	wants(t, err, "REQUIRED_VALUE /clientSecret: is required")
	if _, known := d.bundle().IdentityProvider(nothing); known {
		t.Error("a provider is served that is not there")
	}
}

func TestEveryProviderMapsTheUsername(t *testing.T) {
	d := newDesk(t, nil)
	id := d.make("identityProvider", abroad)
	k, parents := d.at("identityProviderAttribute/" + id)
	list, err := d.List(t.Context(), env, k, parents)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	core := list[0].ID
	if m := d.body("identityProviderAttribute/"+id, core); m["mappingType"] != "CORE" || m["update"] != "EMPTY_ONLY" {
		t.Errorf("%v", m)
	}
	wants(t, d.Remove(t.Context(), env, k, parents, core), "CONSTRAINT_VIOLATION : is the mapping of username")
	if _, err := d.Replace(t.Context(), env, k, parents, core, []byte(`{"name":"email","value":"${providerAttributes.upn}","update":"ALWAYS"}`)); err != nil {
		t.Fatal(err)
	}
	if m := d.body("identityProviderAttribute/"+id, core); m["name"] != "username" || m["value"] != "${providerAttributes.upn}" || m["update"] != "ALWAYS" {
		t.Errorf("%v", m)
	}
	email := d.make("identityProviderAttribute/"+id, `{"name":"email","value":"${providerAttributes.email}","update":"ALWAYS"}`)
	if m := d.body("identityProviderAttribute/"+id, email); m["mappingType"] != "CUSTOM" {
		t.Errorf("%v", m)
	}
	if err := d.Remove(t.Context(), env, k, parents, email); err != nil {
		t.Error(err)
	}
}

func TestWhatIsWrongWithAProvider(t *testing.T) {
	d := newDesk(t, nil)
	with := func(old, replaced string) string {
		if !strings.Contains(abroad, old) {
			t.Fatalf("there is no %s", old)
		}
		return strings.Replace(abroad, old, replaced, 1)
	}
	attribute := func(of string) string { return with(`"name"`, `"attributes":[`+of+`],"name"`) }
	for name, row := range map[string]struct {
		body string
		want []string
	}{
		"nothing": {`{}`, []string{
			"REQUIRED_VALUE /authorizationEndpoint", "REQUIRED_VALUE /clientId", "REQUIRED_VALUE /clientSecret", "REQUIRED_VALUE /enabled", "REQUIRED_VALUE /issuer",
			"REQUIRED_VALUE /jwksEndpoint", "REQUIRED_VALUE /name", "REQUIRED_VALUE /scopes", "REQUIRED_VALUE /tokenEndpoint", "REQUIRED_VALUE /type",
		}},
		"another type":              {with("OPENID_CONNECT", "SAML"), []string{`INVALID_VALUE /type: takes one of ["OPENID_CONNECT"]`}},
		"a picture":                 {with(`"name"`, `"icon":{"id":"x"},"name"`), []string{"INVALID_VALUE /icon: is shown nowhere by this server"}},
		"a member of another type":  {with(`"name"`, `"appId":"x","name"`), []string{"INVALID_VALUE /appId: is no member here"}},
		"plain http":                {with("https://op.example/token", "http://op.example/token"), []string{"INVALID_VALUE /tokenEndpoint: takes https, or http to localhost"}},
		"plain http, for discovery": {with(`"name"`, `"discoveryEndpoint":"http://op.example/x","name"`), []string{"INVALID_VALUE /discoveryEndpoint: takes https"}},
		"an issuer with a query":    {with(`"https://op.example"`, `"https://op.example?a=b"`), []string{"INVALID_VALUE /issuer: takes no query"}},
		"an endpoint that is none":  {with("https://op.example/jwks", "jwks"), []string{"INVALID_VALUE /jwksEndpoint: takes an absolute URI"}},
		"a client that is unheard of": {
			with(`"doorward"`, `"door`+"ä"+`ward"`), []string{"INVALID_VALUE /clientId: takes 1 to 1024 printable ASCII"},
		},
		"another method":           {with(`"name"`, `"tokenEndpointAuthMethod":"PRIVATE_KEY_JWT","name"`), []string{"INVALID_VALUE /tokenEndpointAuthMethod: takes one of"}},
		"a secret for nothing":     {with(`"name"`, `"tokenEndpointAuthMethod":"NONE","name"`), []string{"INVALID_VALUE /clientSecret: is of no use"}},
		"no secret":                {with(`"clientSecret":"hidden-secret",`, ""), []string{"REQUIRED_VALUE /clientSecret"}},
		"another pkceMethod":       {with(`"name"`, `"pkceMethod":"plain","name"`), []string{"INVALID_VALUE /pkceMethod: takes one of"}},
		"two scopes in one":        {with(`"email"`, `"email profile"`), []string{"INVALID_VALUE /scopes/1: takes one scope"}},
		"a population that is not": {with(`"name"`, `"registration":{"population":{"id":"`+nothing+`"}},"name"`), []string{"INVALID_VALUE /registration/population/id: there is no such population"}},
		"a registration nowhere":   {with(`"name"`, `"registration":{},"name"`), []string{"REQUIRED_VALUE /registration/population"}},
		"attributes that are none": {with(`"name"`, `"attributes":{},"name"`), []string{"INVALID_VALUE /attributes: takes a list"}},
		"an attribute of nobody":   {attribute(`{"name":"enabled","value":"x","update":"ALWAYS"}`), []string{"INVALID_VALUE /attributes/1/name: is no attribute of users"}},
		"an attribute twice": {
			attribute(`{"name":"email","value":"x","update":"ALWAYS"},{"name":"email","value":"x","update":"ALWAYS"}`),
			[]string{"UNIQUENESS_VIOLATION /attributes/2/name: is that of another attribute"},
		},
		"a value of something else": {attribute(`{"name":"username","value":"${user.email}","update":"ALWAYS"}`), []string{"INVALID_VALUE /attributes/0/value: refers to something other"}},
		"another update":            {attribute(`{"name":"username","value":"x","update":"NEVER"}`), []string{"INVALID_VALUE /attributes/0/update: takes one of"}},
		"plain http to itself":      {strings.ReplaceAll(with(`"Partner"`, `"Near"`), "https://op.example", "http://127.0.0.1:8080"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Create(t.Context(), env, kind(t, "identityProvider"), nil, []byte(row.body))
			wants(t, err, row.want...)
		})
	}
}

func TestAProviderThatRulesLeadToStays(t *testing.T) {
	d := newDesk(t, nil)
	policies := kind(t, "signOnPolicy")
	_, err := d.Create(t.Context(), env, policies, nil, []byte(led(nothing)))
	wants(t, err, "INVALID_VALUE /actions/0/discoveryRules/0/identityProvider/id: there is no such identity provider")
	id := d.make("identityProvider", abroad)
	policy := d.make("signOnPolicy", led(id))
	var named *configs.Referenced
	if err := d.Remove(t.Context(), env, kind(t, "identityProvider"), nil, id); !errors.As(err, &named) || len(named.By) != 1 || named.By[0].ID != policy {
		t.Fatal(err)
	}

	// It can be switched off, and then nobody is led there anew.
	if err := d.put("identityProvider", id, `"enabled":true`, `"enabled":false`); err != nil {
		t.Fatal(err)
	}
	_, err = d.Create(t.Context(), env, policies, nil, []byte(strings.Replace(led(id), "Led", "Misled", 1)))
	wants(t, err, `CONSTRAINT_VIOLATION /actions/0/discoveryRules/0/identityProvider/id: is the identity provider "Partner", which is not enabled`)
	if err := d.Remove(t.Context(), env, policies, nil, policy); err != nil {
		t.Fatal(err)
	}
	if err := d.Remove(t.Context(), env, kind(t, "identityProvider"), nil, id); err != nil {
		t.Error(err)
	}
}

func TestAProviderInAFile(t *testing.T) {
	const id = "d0000000-0000-4000-8000-0000000000e1"
	file := strings.Replace(abroad, `"name"`, `"id":"`+id+`","name"`, 1)
	led := strings.Replace(led(id), `"name"`, `"id":"d0000000-0000-4000-8000-0000000000e2","name"`, 1)
	m := newMemory()
	apply(t, m, demo(t, map[string]string{"demo/identityProviders/partner.json": file, "demo/signOnPolicies/led.json": led}))
	b, _ := serve(t, m).Bundle(env)
	if p, _ := b.IdentityProvider(id); p.ClientSecret != "hidden-secret" || len(p.Mappings) != 1 || p.Mappings[0].Name != "username" {
		t.Errorf("%+v", p)
	}
	if got, want := b.Environment().ProviderCallbackURL(), b.Environment().AuthBase+"/"+env+"/rp/callback/openid_connect"; got != want {
		t.Error(got)
	}
	if got, want := b.Environment().AuthenticateURL(id, "f"), b.Environment().AuthBase+"/"+env+"/rp/authenticate?providerId="+id+"&flowId=f"; got != want {
		t.Error(got)
	}

	off := strings.Replace(file, `"enabled":true`, `"enabled":false`, 1)
	_, warnings, err := configs.Check(demo(t, map[string]string{"demo/identityProviders/partner.json": off, "demo/signOnPolicies/led.json": led}), kinds())
	if err != nil || len(warnings) != 1 || warnings[0].Finding != configs.ProviderDisabled || warnings[0].File != "demo/signOnPolicies/led.json" {
		t.Errorf("%v %v", warnings, err)
	}
}
