package management_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"doorward/configs"
	"doorward/runtime/flow"
)

func aFIDO2Policy(name, more string) string {
	return `{"name":"` + name + `","deviceDisplayName":"Key","attestationRequirements":"NONE","authenticatorAttachment":"BOTH","discoverableCredentials":"REQUIRED",
		"userVerification":{"option":"REQUIRED","enforceDuringAuthentication":true},"backupEligibility":{"allow":true,"enforceDuringAuthentication":false},
		"mdsAuthenticatorsRequirements":{"option":"NONE","enforceDuringAuthentication":false},"userDisplayNameAttributes":{"attributes":[{"name":"username"}]}` + more + `}`
}

const aForm = `{"name":%q,"category":"CUSTOM","cols":4,"markRequired":true,"markOptional":false,"components":{"fields":[
	{"type":"TEXT","key":"user.username","label":"Username","required":true,"position":{"row":0,"col":0},"validation":{"type":"NONE"}},
	{"type":"SUBMIT_BUTTON","label":"Go","position":{"row":1,"col":0}}]}}`

// TestEveryKindIsCreatedReadListedChangedAndDeleted goes through the kinds that
// are declared: one that is declared and not here fails.
func TestEveryKindIsCreatedReadListedChangedAndDeleted(t *testing.T) {
	h := newHouse(t)
	policy := h.post("/signOnPolicies", published(t, "doc-sop.json")).is(http.StatusCreated)["id"].(string)
	h.post("/signOnPolicies/"+policy+"/actions", `{"type":"LOGIN","priority":1}`).is(http.StatusCreated)
	agreement := h.post("/agreements", `{"name":"Terms","description":"of use","enabled":false,"reconsentPeriodDays":31}`).is(http.StatusCreated)["id"].(string)
	language := h.post("/agreements/"+agreement+"/languages", `{"displayName":"English","locale":"en","enabled":false}`).is(http.StatusCreated)["id"].(string)
	h.post("/deviceAuthenticationPolicies", policyOfAll()).is(http.StatusCreated)
	keys := h.post("/fido2Policies", aFIDO2Policy("Keys", `,"default":true`)).is(http.StatusCreated)["id"].(string)
	provider := h.post("/identityProviders", aProvider).is(http.StatusCreated)["id"].(string)
	tried := map[string]bool{}
	for kind, c := range map[string]struct {
		path, body, changed string
		shows               map[string]any // of changed
	}{
		"population": {"/populations", published(t, "doc-population.json"), `{"name":"Finance and more","passwordPolicy":{"id":"` + policyID + `"}}`, map[string]any{"name": "Finance and more", "description": nil}},
		"passwordPolicy": {
			"/passwordPolicies", strings.Replace(strings.Replace(published(t, "doc-password-policy.json"), `"default": true`, `"default": false`, 1), `"Standard"`, `"Strict"`, 1),
			`{"name":"Strict","excludesProfileData":true,"notSimilarToCurrent":true,"excludesCommonlyUsed":true}`,
			map[string]any{"maxAgeDays": nil, "excludesProfileData": true},
		},
		"agreement":         {"/agreements", `{"name":"Privacy","enabled":false}`, `{"name":"Privacy","enabled":false,"description":"new"}`, map[string]any{"description": "new"}},
		"agreementLanguage": {"/agreements/" + agreement + "/languages", `{"displayName":"Deutsch","locale":"de","enabled":false}`, `{"displayName":"German","locale":"de","enabled":false}`, map[string]any{"displayName": "German"}},
		"agreementRevision": {"/agreements/" + agreement + "/languages/" + language + "/revisions", published(t, "doc-agreement-revision.json"), "", nil},
		"form":              {"/forms", fmt.Sprintf(aForm, "Ask"), fmt.Sprintf(aForm, "Ask again"), map[string]any{"name": "Ask again", "category": "CUSTOM"}},
		"externalService": {
			"/externalServices", `{"name":"S","variables":{"a":"b"},"authSchemes":[{"name":"a","type":"BEARER","token":"hidden"}]}`, `{"name":"Renamed","description":"D"}`,
			map[string]any{"name": "Renamed", "variables": nil, "authSchemes": nil},
		},
		"fido2Policy": {"/fido2Policies", aFIDO2Policy("Other", ""), aFIDO2Policy("Others", `,"relyingPartyId":"127.0.0.1"`), map[string]any{"name": "Others", "relyingPartyId": "127.0.0.1", "default": nil}},
		"deviceAuthenticationPolicy": {
			"/deviceAuthenticationPolicies", strings.Replace(published(t, "comp-device-authentication-policy.json"), `"default": true`, `"default": false`, 1),
			strings.NewReplacer(`"All","default":true`, `"Strict"`, `"fido2":{"enabled":true}`, `"fido2":{"enabled":true,"fido2PolicyId":"`+keys+`"}`).Replace(policyOfAll()),
			map[string]any{"name": "Strict", "default": false, "fido2.fido2PolicyId": keys, "newDeviceNotification": nil},
		},
		"identityProvider": {
			"/identityProviders", strings.Replace(aProvider, `"Partner"`, `"Other"`, 1), strings.NewReplacer(`"Partner"`, `"Others"`, `"pkceMethod":"S256",`, "").Replace(aProvider),
			map[string]any{"name": "Others", "pkceMethod": nil, "clientSecret": nil},
		},
		"identityProviderAttribute": {
			"/identityProviders/" + provider + "/attributes", `{"name":"name.given","value":"${providerAttributes.given_name}","update":"EMPTY_ONLY"}`,
			`{"name":"name.given","value":"${providerAttributes.first}","update":"ALWAYS"}`,
			map[string]any{"update": "ALWAYS", "mappingType": "CUSTOM"},
		},
		"flowDefinition": {"/flowDefinitions", fmt.Sprintf(definition1, "Stop", "X"), fmt.Sprintf(definition1, "Stop", "Y"), map[string]any{"name": "Stop"}},
		"signOnPolicy":   {"/signOnPolicies", `{"name":"Other","default":"false"}`, `{"name":"Another"}`, map[string]any{"name": "Another", "default": false}},
		"signOnPolicyAction": {
			"/signOnPolicies/" + policy + "/actions", strings.Replace(published(t, "doc-sop-action-login-8h.json"), `"enabled": true`, `"enabled": false`, 1),
			`{"type":"LOGIN","priority":31}`,
			map[string]any{"priority": 31.0, "condition": nil},
		},
		"application": {
			"/applications", `{"name":"A new one","enabled":true,"type":"WORKER","protocol":"OPENID_CONNECT","grantTypes":["CLIENT_CREDENTIALS"],"tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC"}`,
			`{"name":"A new one","enabled":false,"type":"WORKER","protocol":"OPENID_CONNECT","grantTypes":["CLIENT_CREDENTIALS"],"tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC","roles":["CONFIGURATION_READ_ONLY"]}`,
			map[string]any{"enabled": false},
		},
		"signOnPolicyAssignment": {
			"/applications/" + admin + "/signOnPolicyAssignments", fmt.Sprintf(`{"priority":1,"signOnPolicy":{"id":%q}}`, policy),
			fmt.Sprintf(`{"priority":2,"signOnPolicy":{"id":%q}}`, policy),
			map[string]any{"priority": 2.0},
		},
	} {
		r := h.post(c.path, c.body)
		made := r.is(http.StatusCreated)
		id := made["id"].(string)
		self := h.URL + "/v1/environments/" + envID + c.path + "/" + id
		if r.Header.Get("Location") != self || at(made, "_links", "self", "href") != self || at(made, "environment", "id") != envID {
			t.Errorf("%s: %q %v", kind, r.Header.Get("Location"), made)
		}
		now := cmpopts.IgnoreMapEntries(func(name string, _ any) bool { return name == "consentsAggregatedAt" })
		if diff := cmp.Diff(made, h.get(c.path+"/"+id).is(http.StatusOK), now); diff != "" {
			t.Errorf("%s: what is made is not what is read: %s", kind, diff)
		}
		all := h.get(c.path).is(http.StatusOK)
		found := false
		for _, one := range embedded(all) {
			found = found || cmp.Equal(one, made, now)
		}
		if !found || all["size"] != float64(len(embedded(all))) {
			t.Errorf("%s is not listed: %v", kind, all)
		}
		if c.changed == "" {
			h.put(c.path+"/"+id, c.body).refuses(http.StatusMethodNotAllowed, "INVALID_REQUEST")
		} else {
			h.put(c.path+"/"+id, c.changed).is(http.StatusOK)
			got := h.get(c.path + "/" + id)
			for path, want := range c.shows {
				if v := at(got.is(http.StatusOK), strings.Split(path, ".")...); v != want {
					t.Errorf("%s: %s is %v, want %v", kind, path, v, want)
				}
			}
			h.put(c.path+"/"+id, got.text).is(http.StatusOK) // what was read may be sent back
		}
		h.remove(c.path + "/" + id).is(http.StatusNoContent)
		h.get(c.path+"/"+id).refuses(http.StatusNotFound, "NOT_FOUND")
		h.remove(c.path+"/"+id).refuses(http.StatusNotFound, "NOT_FOUND")
		h.put(c.path+"/x", c.changed).oneOf(http.StatusNotFound, http.StatusMethodNotAllowed)
		h.post(c.path, `{"nonsense":1}`).oneOf(http.StatusBadRequest)
		h.post(c.path, `[]`).refuses(http.StatusBadRequest, "INVALID_REQUEST")
		h.post(c.path, `{"name":"a","name":"b"}`).refuses(http.StatusBadRequest, "INVALID_REQUEST")
		tried[kind] = true
	}
	for _, k := range configs.Kinds() {
		if !tried[k.Name] && !k.Singleton {
			t.Errorf("kind %s is declared and not tried", k.Name)
		}
	}
	for _, e := range h.events.of(flow.ManagementCreated) {
		if e.Application != admin || e.Env != envID || e.RemoteIP == "" || e.At.IsZero() {
			t.Errorf("%+v", e)
		}
	}
}

const definition1 = `{"name":%q,"enabled":true,"trigger":{"type":"EXPERIENCE","next":"end"},
	"stepDefinitions":{"end":{"type":"TERMINATE_FLOW","input":{"error":{"code":%q,"message":"no"}}}}}`

func TestPublishedBodiesAreTaken(t *testing.T) {
	h := newHouse(t)
	policy := h.post("/signOnPolicies", published(t, "doc-sop.json")).is(http.StatusCreated)["id"].(string)
	registration := strings.NewReplacer("11111111-0000-4000-8000-0000000000a1", population, "11111111-0000-4000-8000-000000000001", envID, "22222222-0000-4000-8000-000000000001", policy).Replace(published(t, "doc-sop-action-login-registration.json"))
	for body, path := range map[string]string{
		published(t, "doc-form-custom.json"):              "/forms",
		published(t, "doc-form-sign-on.json"):             "/forms",
		published(t, "doc-sop-action-login-minimal.json"): "/signOnPolicies/" + policy + "/actions",
		registration: "/signOnPolicies/" + policy + "/actions",
	} {
		h.post(path, body).is(http.StatusCreated)
	}
	assignment := strings.Replace(published(t, "doc-sop-assignment.json"), "22222222-0000-4000-8000-000000000001", policy, 1)
	h.post("/applications/"+admin+"/signOnPolicyAssignments", assignment).is(http.StatusCreated)
}

func TestAFaultySourceIsRefusedWithPointers(t *testing.T) {
	h := newHouse(t)
	m := h.post("/populations", `{"name":7,"preferredLanguage":"de_DE","passwordPolicy":{"id":"d0000000-0000-4000-8000-0000000000cc"},"x":1}`).is(http.StatusBadRequest)
	got := map[string]string{}
	for _, d := range list(m["details"]) {
		got[d["target"].(string)] = d["pointer"].(string)
	}
	want := map[string]string{"name": "/name", "preferredLanguage": "/preferredLanguage", "passwordPolicy.id": "/passwordPolicy/id", "x": "/x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%v", diff, m)
	}
	m = h.post("/populations", `{"name":"Default"}`).is(http.StatusBadRequest)
	if d := list(m["details"])[0]; d["code"] != "UNIQUENESS_VIOLATION" || d["target"] != "name" || at(d, "innerError", "existingId") != population {
		t.Error(m)
	}
}

func TestWhatIsInUseIsNotDeleted(t *testing.T) {
	h := newHouse(t)
	second := h.post("/passwordPolicies", `{"name":"Second","excludesProfileData":true,"notSimilarToCurrent":true,"excludesCommonlyUsed":true}`).is(http.StatusCreated)["id"].(string)
	pop := h.post("/populations", fmt.Sprintf(`{"name":"P","passwordPolicy":{"id":%q}}`, second)).is(http.StatusCreated)
	if at(pop, "_links", "passwordPolicy", "href") != h.URL+"/v1/environments/"+envID+"/passwordPolicies/"+second {
		t.Error(pop["_links"])
	}
	m := h.remove("/passwordPolicies/"+second).refuses(http.StatusConflict, "CONFLICT", "CONSTRAINT_VIOLATION")
	if by, _ := at(list(m["details"])[0], "innerError", "referencedValues").([]any); len(by) != 1 || by[0] != "population "+pop["id"].(string) {
		t.Error(m)
	}
	h.user("ben", fmt.Sprintf(`"population":{"id":%q}`, pop["id"])) // made a moment ago
	h.remove("/populations/"+pop["id"].(string)).refuses(http.StatusConflict, "CONFLICT", "CONSTRAINT_VIOLATION")
	h.remove("/populations/"+population).refuses(http.StatusBadRequest, "REQUEST_FAILED", "CONSTRAINT_VIOLATION") // the default one
}

func TestWhatFilesKeepIsReadAndNotChanged(t *testing.T) {
	h := newHouse(t)
	const path = "/v1/environments/" + otherID + "/populations"
	h.do(stranger, "GET", path, "").is(http.StatusOK)
	for _, r := range []reply{
		h.do(stranger, "POST", path, `{"name":"x"}`), h.do(stranger, "PUT", path+"/"+population, `{"name":"x"}`), h.do(stranger, "DELETE", path+"/"+population, ""),
	} {
		m := r.refuses(http.StatusConflict, "CONFLICT", "CONSTRAINT_VIOLATION")
		if !strings.Contains(list(m["details"])[0]["message"].(string), "populations/") {
			t.Errorf("the file is not named: %v", m)
		}
	}
	h.do(stranger, "POST", "/v1/environments/"+otherID+"/users", `{"username":"ben"}`).is(http.StatusCreated)
}

func TestASmallCollectionIsPagedFilteredAndOrdered(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"b", "d", "a", "c", "E"} {
		h.post("/populations", fmt.Sprintf(`{"name":%q}`, name)).is(http.StatusCreated)
		h.wait(time.Millisecond)
	}
	names := func(m map[string]any) string {
		var out []string
		for _, one := range embedded(m) {
			out = append(out, one["name"].(string))
		}
		return strings.Join(out, " ")
	}
	for query, want := range map[string]string{
		"order=name&limit=3":  "a b c",
		"order=-name&limit=3": "E Default d",
		"limit=4":             "Default b d a",
		"order=-createdAt":    "E c a d b Default",
		"filter=" + url.QueryEscape(`name eq "A" or name sw "de"`) + "&order=name": "a Default",
		"filter=" + url.QueryEscape(`default eq true`):                             "Default",
	} {
		if got := names(h.get("/populations?" + query).is(http.StatusOK)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	m := h.get("/populations?order=name&limit=2").is(http.StatusOK)
	seen := names(m)
	if m["count"] != 6.0 || m["size"] != 2.0 || at(m, "_links", "prev") != nil {
		t.Error(m["count"], m["size"], m["_links"])
	}
	h.post("/populations", `{"name":"aa"}`).is(http.StatusCreated) // on a page that was read
	h.remove("/populations/" + embedded(m)[1]["id"].(string)).is(http.StatusNoContent)
	for next, is := at(m, "_links", "next", "href").(string); is; next, is = at(m, "_links", "next", "href").(string) {
		m = h.get(next).is(http.StatusOK)
		seen += " " + names(m)
	}
	if seen != "a b c d Default E" {
		t.Errorf("seen: %s", seen)
	}
	back := h.get(at(m, "_links", "prev", "href").(string)).is(http.StatusOK)
	if got := names(back); got != "c d" {
		t.Errorf("back: %s", got)
	}
	cursor := url.QueryEscape(func() string {
		u, _ := url.Parse(at(back, "_links", "next", "href").(string))
		return u.Query().Get("cursor")
	}())
	h.get("/populations?limit=2&cursor="+cursor).refuses(http.StatusBadRequest, "INVALID_REQUEST", "INVALID_PARAMETER cursor") // of another order
	h.get("/populations?order=colour").refuses(http.StatusBadRequest, "INVALID_REQUEST", "INVALID_PARAMETER order")
	h.get("/populations?filter="+url.QueryEscape(`description eq "x"`)).refuses(http.StatusBadRequest, "INVALID_REQUEST", "INVALID_FILTER filter")
	h.get("/populations/"+population+"?limit=1").refuses(http.StatusBadRequest, "INVALID_REQUEST", "INVALID_PARAMETER limit")
}

func TestActionsAreListedByPriority(t *testing.T) {
	h := newHouse(t)
	policy := h.post("/signOnPolicies", `{"name":"P"}`).is(http.StatusCreated)
	if at(policy, "_links", "actions", "href") == nil {
		t.Error(policy["_links"])
	}
	path := "/signOnPolicies/" + policy["id"].(string) + "/actions"
	for _, p := range []int{30, 4, 200} {
		a := h.post(path, fmt.Sprintf(`{"type":"LOGIN","priority":%d}`, p)).is(http.StatusCreated)
		if at(a, "signOnPolicy", "id") != policy["id"] || at(a, "_links", "signOnPolicy", "href") == nil {
			t.Error(a)
		}
	}
	var got []any
	for _, a := range embedded(h.get(path).is(http.StatusOK)) {
		got = append(got, a["priority"])
	}
	if diff := cmp.Diff([]any{4.0, 30.0, 200.0}, got); diff != "" {
		t.Error(diff)
	}
	m := h.post(path, `{"type":"LOGIN","priority":1.5}`).is(http.StatusBadRequest)
	if d := list(m["details"])[0]; d["code"] != "INVALID_VALUE" || d["target"] != "priority" || d["pointer"] != "/priority" {
		t.Error(m)
	}
	h.get("/signOnPolicies/d0000000-0000-4000-8000-00000000dead/actions").refuses(http.StatusNotFound, "NOT_FOUND")
}

func TestASingletonIsReadReplacedAndDeleted(t *testing.T) {
	h := newHouse(t)
	const path = "/recaptchaV2Config"
	if r := h.get(path); r.StatusCode != http.StatusNoContent || r.text != "" {
		t.Fatalf("%d %s", r.StatusCode, r.text)
	}
	m := h.put(path, published(t, "comp-recaptcha-config.json")).is(http.StatusOK)
	if m["siteKey"] == nil || m["secretKey"] != nil {
		t.Error(m)
	}
	if r := h.get(path); strings.Contains(r.text, "secret") || r.is(http.StatusOK)["siteKey"] != m["siteKey"] {
		t.Error(r.text)
	}
	h.put(path, `{"siteKey":7}`).is(http.StatusBadRequest)
	h.post(path, `{}`).refuses(http.StatusMethodNotAllowed, "INVALID_REQUEST")
	h.remove(path).is(http.StatusNoContent)
	h.get(path).is(http.StatusNoContent)
}
