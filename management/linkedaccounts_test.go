package management_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"doorward/runtime/flow"

	"github.com/google/uuid"
)

// partner is the id of an identity provider, which is made.
func (h *house) partner() string {
	h.t.Helper()
	return h.post("/identityProviders", `{"name":"Partner","enabled":true,"type":"OPENID_CONNECT","issuer":"https://op.example","authorizationEndpoint":"https://op.example/authorize",
		"tokenEndpoint":"https://op.example/token","jwksEndpoint":"https://op.example/jwks","clientId":"c1","tokenEndpointAuthMethod":"NONE","scopes":["openid"]}`).is(http.StatusCreated)["id"].(string)
}

func TestAccountsAreLinkedSeenAndRemoved(t *testing.T) {
	h := newHouse(t)
	partner := h.partner()
	user := h.person()
	r := h.post(user+"/linkedAccounts", `{"identityProvider":{"id":"`+partner+`"},"externalId":"sub|Ärzte 1"}`)
	made := r.is(http.StatusCreated)
	path := user + "/linkedAccounts/" + made["id"].(string)
	base := h.URL + "/v1/environments/" + envID
	for name, want := range map[string]any{
		"identityProvider.id": partner, "externalId": "sub|Ärzte 1", "user.id": strings.TrimPrefix(user, "/users/"), "environment.id": envID,
		"_links.self.href": base + path, "_links.user.href": base + user, "_links.identityProvider.href": base + "/identityProviders/" + partner, "_links.environment.href": base,
	} {
		if got := at(made, strings.Split(name, ".")...); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if r.Header.Get("Location") != base+path || made["createdAt"] == nil {
		t.Error(r.text)
	}
	if m := h.mail(); m == nil || m.Template != "account.linked" || m.Params["provider"] != "Partner" {
		t.Errorf("the user is told %+v", m)
	}
	if again := h.get(path); again.is(http.StatusOK) == nil || again.text != r.text {
		t.Error(again.text)
	}
	h.wait(time.Second)
	second := h.post(user+"/linkedAccounts", `{"identityProvider":{"id":"`+partner+`"},"externalId":"2"}`).is(http.StatusCreated)
	listed := h.get(user + "/linkedAccounts").is(http.StatusOK)
	all := embedded(listed)
	if len(all) != 2 || all[0]["id"] != made["id"] || all[1]["id"] != second["id"] || listed["count"] != 2.0 {
		t.Error(listed)
	}
	if page := embedded(h.get(user + "/linkedAccounts?limit=1").is(http.StatusOK)); len(page) != 1 || page[0]["id"] != made["id"] {
		t.Error(page)
	}
	if u := h.get(user).is(http.StatusOK); at(u, "_links", "linkedAccounts", "href") != base+user+"/linkedAccounts" {
		t.Error(u["_links"])
	}

	h.remove(path).is(http.StatusNoContent)
	h.remove(path).refuses(http.StatusNotFound, "NOT_FOUND")
	h.get(path).refuses(http.StatusNotFound, "NOT_FOUND")
	h.post(user+"/linkedAccounts", `{"identityProvider":{"id":"`+partner+`"},"externalId":"sub|Ärzte 1"}`).is(http.StatusCreated)
	for kind, n := range map[flow.EventType]int{flow.AccountLinked: 3, flow.ManagementDeleted: 1} {
		got := h.events.of(kind)
		if len(got) != n || got[0].Application != admin || got[0].User != strings.TrimPrefix(user, "/users/") || got[0].Reason != "linkedAccount "+made["id"].(string) {
			t.Errorf("%s: %+v, want %d", kind, got, n)
		}
	}
}

func TestALinkThatIsWrongIsRefused(t *testing.T) {
	h := newHouse(t)
	partner := h.partner()
	user, other := h.person(), "/users/"+h.user("bea", "")
	link := func(provider, external string) string {
		return `{"identityProvider":{"id":"` + provider + `"},"externalId":"` + external + `"}`
	}
	for name, row := range map[string]struct{ body, want string }{
		"no id":                    {`{"identityProvider":{"id":"` + partner + `"}}`, "REQUIRED_VALUE externalId"},
		"no provider":              {`{"externalId":"1"}`, "REQUIRED_VALUE identityProvider.id"},
		"a provider that is none":  {link(uuid.NewString(), "1"), "INVALID_VALUE identityProvider.id"},
		"a provider without an id": {link("partner", "1"), "INVALID_VALUE identityProvider.id"},
		"an id of two lines":       {link(partner, `a\nb`), "INVALID_VALUE externalId"},
		"an id with a zero":        {link(partner, `a\u0000b`), "INVALID_VALUE externalId"},
		"an id that is too long":   {link(partner, strings.Repeat("x", 256)), "SIZE_LIMIT_EXCEEDED externalId"},
		"a member that is none":    {`{"identityProvider":{"id":"` + partner + `"},"externalId":"1","colour":"red"}`, "INVALID_VALUE colour"},
		"another user":             {`{"identityProvider":{"id":"` + partner + `"},"externalId":"1","user":{"id":"x"}}`, "INVALID_VALUE user"},
	} {
		t.Run(name, func(t *testing.T) {
			m := h.post(user+"/linkedAccounts", row.body).refuses(http.StatusBadRequest, "INVALID_DATA", row.want)
			if d := list(m["details"])[0]; d["message"] == "" || d["pointer"] == nil {
				t.Error(d)
			}
		})
	}
	first := h.post(user+"/linkedAccounts", link(partner, "1")).is(http.StatusCreated)
	for _, path := range []string{user, other} {
		m := h.post(path+"/linkedAccounts", link(partner, "1")).refuses(http.StatusBadRequest, "INVALID_DATA", "UNIQUENESS_VIOLATION externalId")
		if got := at(list(m["details"])[0], "innerError", "existingId"); got != strings.TrimPrefix(user, "/users/") {
			t.Error(got)
		}
	}
	if got := h.get(other + "/linkedAccounts").is(http.StatusOK); got["count"] != 0.0 {
		t.Errorf("what was refused left %v", got)
	}
	for _, path := range []string{other + "/linkedAccounts/" + first["id"].(string), user + "/linkedAccounts/" + uuid.NewString(), user + "/linkedAccounts/a%00"} {
		h.get(path).refuses(http.StatusNotFound, "NOT_FOUND")
		h.remove(path).refuses(http.StatusNotFound, "NOT_FOUND")
	}
	nobody := "/users/" + uuid.NewString() + "/linkedAccounts"
	h.get(nobody).refuses(http.StatusNotFound, "NOT_FOUND")
	h.post(nobody, link(partner, "2")).refuses(http.StatusNotFound, "NOT_FOUND")
}

func TestWhoLooksAfterUsersLinksTheirAccounts(t *testing.T) {
	h := newHouse(t)
	partner := h.partner()
	path := h.person() + "/linkedAccounts"
	body := `{"identityProvider":{"id":"` + partner + `"},"externalId":"1"}`
	made := h.do(people, "POST", path, body).is(http.StatusCreated)
	h.do(people, "GET", path, "").is(http.StatusOK)
	for _, as := range []string{viewer, nobody} {
		h.do(as, "GET", path, "").refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
		h.do(as, "POST", path, body).refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
		h.do(as, "DELETE", path+"/"+made["id"].(string), "").refuses(http.StatusForbidden, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
	}
	h.do("", "GET", path, "").is(http.StatusUnauthorized)
	h.do(people, "DELETE", path+"/"+made["id"].(string), "").is(http.StatusNoContent)
}
