package management_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// aProvider is an external provider as it is sent.
const aProvider = `{"name":"Partner","enabled":true,"type":"OPENID_CONNECT","issuer":"https://op.example",
	"authorizationEndpoint":"https://op.example/authorize","tokenEndpoint":"https://op.example/token","jwksEndpoint":"https://op.example/jwks",
	"clientId":"doorward","clientSecret":"hidden-secret","tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC","pkceMethod":"S256","scopes":["openid"]}`

// The secret of a provider is written, kept and never shown.
func TestAProvidersSecretIsNotShown(t *testing.T) {
	h := newHouse(t)
	made := h.post("/identityProviders", aProvider)
	id := made.is(http.StatusCreated)["id"].(string)
	read := h.get("/identityProviders/" + id)
	sent := h.put("/identityProviders/"+id, read.text)
	for _, r := range []reply{made, read, sent, h.get("/identityProviders"), h.put("/identityProviders/"+id, strings.Replace(aProvider, "hidden", "hidden-other", 1))} {
		if strings.Contains(r.text, "hidden") || strings.Contains(r.text, "clientSecret") {
			t.Errorf("shown: %s", r.text)
		}
	}
	sent.is(http.StatusOK)
	h.post("/identityProviders", strings.NewReplacer(`"Partner"`, `"Other"`, `"clientSecret":"hidden-secret",`, "").Replace(aProvider)).refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE clientSecret")
}

func TestAProviderComesWithItsUsername(t *testing.T) {
	h := newHouse(t)
	made := h.post("/identityProviders", aProvider).is(http.StatusCreated)
	path := "/identityProviders/" + made["id"].(string)
	self := h.URL + "/v1/environments/" + envID + path
	if got := at(made, "_links", "attributes", "href"); got != self+"/attributes" {
		t.Errorf("attributes are at %v", got)
	}
	list := embedded(h.get(path + "/attributes").is(http.StatusOK))
	if len(list) != 1 {
		t.Fatalf("%v", list)
	}
	core := list[0]
	shown := map[string]any{"name": core["name"], "value": core["value"], "update": core["update"], "mappingType": core["mappingType"], "identityProvider": core["identityProvider"]}
	want := map[string]any{
		"name": "username", "value": "${providerAttributes.sub}", "update": "EMPTY_ONLY", "mappingType": "CORE",
		"identityProvider": map[string]any{"id": made["id"]},
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Error(diff)
	}
	h.remove(path + "/attributes/" + core["id"].(string)).oneOf(http.StatusBadRequest)
}

func TestAProviderThatIsLedToIsNotDeleted(t *testing.T) {
	h := newHouse(t)
	id := h.post("/identityProviders", aProvider).is(http.StatusCreated)["id"].(string)
	policy := h.post("/signOnPolicies", `{"name":"Led"}`).is(http.StatusCreated)["id"].(string)
	rule := func(provider string) string {
		return `{"type":"IDENTIFIER_FIRST","priority":1,"discoveryRules":[{"condition":{"contains":"@a","value":"${identifier}"},"identityProvider":{"id":"` + provider + `"}}]}`
	}
	h.post("/signOnPolicies/"+policy+"/actions", rule(policyID)).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE discoveryRules[0].identityProvider.id")
	action := h.post("/signOnPolicies/"+policy+"/actions", rule(id)).is(http.StatusCreated)
	if got := at(action, "discoveryRules"); got == nil {
		t.Errorf("%v", action)
	}
	h.remove("/identityProviders/"+id).oneOf(http.StatusBadRequest, http.StatusConflict)
	h.remove("/signOnPolicies/" + policy).is(http.StatusNoContent)
	h.remove("/identityProviders/" + id).is(http.StatusNoContent)
}
