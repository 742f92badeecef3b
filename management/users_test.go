package management_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/directory"
	"doorward/runtime/flow"
)

func TestAUserIsCreatedReadChangedAndDeleted(t *testing.T) {
	h := newHouse(t)
	body := strings.Replace(published(t, "comp-user-create.json"), "11111111-0000-4000-8000-0000000000a1", population, 1)
	r := h.post("/users", body)
	u := r.is(http.StatusCreated)
	id := u["id"].(string)
	self := h.URL + "/v1/environments/" + envID + "/users/" + id
	if r.Header.Get("Location") != self || at(u, "_links", "self", "href") != self {
		t.Errorf("Location %q, self %v", r.Header.Get("Location"), at(u, "_links", "self", "href"))
	}
	for path, want := range map[string]any{
		"username": "lsmith", "email": "lsmith@example.com", "emailVerified": false, "enabled": true, "mfaEnabled": false, "verifyStatus": "NOT_INITIATED",
		"name.given": "Lee", "name.family": "Smith", "population.id": population, "lifecycle.status": "ACCOUNT_OK",
		"account.status": "OK", "account.canAuthenticate": true, "identityProvider.type": "PING_ONE", "environment.id": envID,
	} {
		if got := at(u, strings.Split(path, ".")...); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	read := h.get("/users/" + id).is(http.StatusOK)
	if at(read, "_embedded", "password", "status") != "NO_PASSWORD" || at(read, "_embedded", "population", "id") != population {
		t.Errorf("embedded: %v", read["_embedded"])
	}

	patched := h.do(admin, "PATCH", "/users/"+id, `{"nickname":"Lee","name":{"middle":"Q"},"address":{"countryCode":"DE","locality":"Ulm"},"mobilePhone":"+49.7315551234"}`).is(http.StatusOK)
	if at(patched, "name", "given") != "Lee" || at(patched, "name", "middle") != "Q" || patched["nickname"] != "Lee" || at(patched, "address", "countryCode") != "DE" {
		t.Errorf("a patch: %v", patched)
	}
	cleared := h.do(admin, "PATCH", "/users/"+id, `{"nickname":null,"address":null,"name":{"middle":null}}`).is(http.StatusOK)
	if cleared["nickname"] != nil || cleared["address"] != nil || at(cleared, "name", "middle") != nil || at(cleared, "name", "family") != "Smith" || cleared["mobilePhone"] == nil {
		t.Errorf("null clears: %v", cleared)
	}
	replaced := h.put("/users/"+id, `{"username":"lee","name":{"family":"Smith"}}`).is(http.StatusOK)
	if replaced["username"] != "lee" || replaced["email"] != nil || at(replaced, "name", "given") != nil || replaced["mobilePhone"] != nil {
		t.Errorf("a replacement clears what it leaves out: %v", replaced)
	}
	again := h.get("/users/" + id)
	h.put("/users/"+id, again.text).is(http.StatusOK) // what was read may be sent back
	h.remove("/users/" + id).is(http.StatusNoContent)
	h.get("/users/"+id).refuses(http.StatusNotFound, "NOT_FOUND")
	h.remove("/users/"+id).refuses(http.StatusNotFound, "NOT_FOUND")
	for kind, n := range map[flow.EventType]int{flow.ManagementCreated: 1, flow.ManagementUpdated: 4, flow.ManagementDeleted: 1} {
		got := h.events.of(kind)
		if len(got) != n || got[0].Application != admin || got[0].User != id || got[0].Reason != "user "+id {
			t.Errorf("%s: %d events, want %d: %+v", kind, len(got), n, got)
		}
	}
}

func TestAUserShowsTheMembersOfThePublishedOne(t *testing.T) {
	h := newHouse(t)
	id := h.user("tomjones", `"email":"tomjones@example.com","name":{"given":"Tom","family":"Jones"}`)
	got := h.get("/users/" + id).is(http.StatusOK)
	want := reply{t: t, text: published(t, "doc-user-read.response-200.json")}.json()
	for name := range want {
		if got[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
	for rel := range want["_links"].(map[string]any) {
		if at(got, "_links", rel) == nil && rel != "devices" && rel != "roleAssignments" {
			t.Errorf("there is no link %s", rel)
		}
	}
}

// user makes a user with more members and returns the id.
func (h *house) user(username, members string) string {
	h.t.Helper()
	if members != "" {
		members = "," + members
	}
	return h.post("/users", fmt.Sprintf(`{"username":%q%s}`, username, members)).is(http.StatusCreated)["id"].(string)
}

func TestAUserThatIsWrongIsRefusedWithEveryFaultAtOnce(t *testing.T) {
	h := newHouse(t)
	taken := h.user("ada", "")
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct {
		body    string
		details []string
	}{
		"nothing":                     {`{}`, []string{"REQUIRED_VALUE username"}},
		"null":                        {`{"username":null}`, []string{"REQUIRED_VALUE username"}},
		"an empty name":               {`{"username":""}`, []string{"EMPTY_VALUE username"}},
		"spaces around a name":        {`{"username":" ben"}`, []string{"INVALID_VALUE username"}},
		"a name that is too long":     {`{"username":"` + long(129) + `"}`, []string{"SIZE_LIMIT_EXCEEDED username"}},
		"a number":                    {`{"username":7}`, []string{"INVALID_VALUE username"}},
		"another's name":              {`{"username":"ADA"}`, []string{"UNIQUENESS_VIOLATION username"}},
		"no address":                  {`{"username":"ben","email":"Ben <ben@example.com>"}`, []string{"INVALID_VALUE email"}},
		"a strange attribute":         {`{"username":"ben","isAdmin":true}`, []string{"INVALID_VALUE isAdmin"}},
		"another case":                {`{"username":"ben","Email":"a@example.com"}`, []string{"INVALID_VALUE Email"}},
		"a strange name":              {`{"username":"ben","name":{"first":"B"}}`, []string{"INVALID_VALUE name.first"}},
		"a name that is a text":       {`{"username":"ben","name":"Ben"}`, []string{"INVALID_VALUE name"}},
		"a dotted name":               {`{"username":"ben","name.given":"B"}`, []string{"INVALID_VALUE name.given"}},
		"a family of digits and tabs": {`{"username":"ben","name":{"family":"a\tb","given":"<b>"}}`, []string{"INVALID_VALUE name.family"}},
		"a country":                   {`{"username":"ben","address":{"countryCode":"de","postalCode":"` + long(41) + `"}}`, []string{"SIZE_LIMIT_EXCEEDED address.postalCode", "INVALID_VALUE address.countryCode"}},
		"phones":                      {`{"username":"ben","primaryPhone":"call me","mobilePhone":"+1 (222) 555-4444 x12345678901234567"}`, []string{"INVALID_VALUE primaryPhone", "SIZE_LIMIT_EXCEEDED mobilePhone"}},
		"a time zone":                 {`{"username":"ben","timezone":"CET","preferredLanguage":"de_DE","photo":{"href":"javascript:alert(1)"}}`, []string{"INVALID_VALUE preferredLanguage", "INVALID_VALUE timezone", "INVALID_VALUE photo.href"}},
		"a verified address":          {`{"username":"ben","email":"b@example.com","emailVerified":true}`, []string{"INVALID_VALUE emailVerified"}},
		"a password":                  {`{"username":"ben","password":{"value":"x"},"lifecycle":{"status":"ACCOUNT_OK"}}`, []string{"INVALID_VALUE lifecycle", "INVALID_VALUE password"}},
		"no population":               {`{"username":"ben","population":{"id":"d0000000-0000-4000-8000-0000000000bb"}}`, []string{"INVALID_VALUE population.id"}},
		"a population by name":        {`{"username":"ben","population":"Default"}`, []string{"INVALID_VALUE population.id"}},
		"an identity provider":        {`{"username":"ben","identityProvider":{"id":"d0000000-0000-4000-8000-0000000000bb"}}`, []string{"INVALID_VALUE identityProvider"}},
		"everything":                  {`{"username":"ada","email":"x","nope":1,"population":{"id":"x"}}`, []string{"INVALID_VALUE nope", "INVALID_VALUE population.id", "INVALID_VALUE email", "UNIQUENESS_VIOLATION username"}},
	} {
		m := h.post("/users", c.body).refuses(http.StatusBadRequest, "INVALID_DATA", c.details...)
		for _, d := range list(m["details"]) {
			if d["code"] == "UNIQUENESS_VIOLATION" && at(d, "innerError", "existingId") != taken {
				t.Errorf("%s: %v", name, d)
			}
			if p, _ := d["pointer"].(string); !strings.HasPrefix(p, "/") {
				t.Errorf("%s: pointer %q", name, p)
			}
		}
	}
	if n := h.get("/users").is(http.StatusOK)["count"]; n != 1.0 {
		t.Errorf("%v users", n)
	}
}

func TestReadOnlyMembersAreIgnored(t *testing.T) {
	h := newHouse(t)
	const readOnly = `"id":"d0000000-0000-4000-8000-0000000000ff","enabled":false,"mfaEnabled":true,"createdAt":"2001-01-01T00:00:00Z","account":{"status":"LOCKED"},"verifyStatus":"ENABLED","lastSignOn":{"at":"2001-01-01T00:00:00Z"},"environment":{"id":"x"},"_links":{}`
	id := h.user("ben", readOnly)
	for _, method := range []string{"", "PUT", "PATCH"} {
		u := h.get("/users/" + id).is(http.StatusOK)
		if method != "" {
			u = h.do(admin, method, "/users/"+id, `{"username":"ben",`+readOnly+`,"emailVerified":true,"lifecycle":{"status":"VERIFICATION_REQUIRED"}}`).is(http.StatusOK)
		}
		if u["id"] != id || u["enabled"] != true || u["mfaEnabled"] != false || at(u, "account", "status") != "OK" || at(u, "lifecycle", "status") != "ACCOUNT_OK" || u["lastSignOn"] != nil {
			t.Errorf("%s: %v", method, u)
		}
	}
}

func TestThePopulationIsChangedAtItsOwnAddressOnly(t *testing.T) {
	h := newHouse(t)
	finance := h.post("/populations", published(t, "doc-population.json")).is(http.StatusCreated)["id"].(string)
	id := h.user("ben", "")
	move := fmt.Sprintf(`{"username":"ben","population":{"id":%q}}`, finance)
	h.put("/users/"+id, move).refuses(http.StatusBadRequest, "INVALID_DATA", "CONSTRAINT_VIOLATION population.id")
	h.do(admin, "PATCH", "/users/"+id, move).refuses(http.StatusBadRequest, "INVALID_DATA", "CONSTRAINT_VIOLATION population.id")
	if m := h.put("/users/"+id+"/population", fmt.Sprintf(`{"id":%q}`, finance)).is(http.StatusOK); m["id"] != finance {
		t.Error(m)
	}
	if m := h.get("/users/" + id + "/population").is(http.StatusOK); m["id"] != finance {
		t.Error(m)
	}
	for _, body := range []string{`{"id":"d0000000-0000-4000-8000-0000000000bb"}`, `{"id":"x"}`, `{"id":""}`} {
		h.put("/users/"+id+"/population", body).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE id")
	}
	h.put("/users/"+id+"/population", `{}`).refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE id")
	h.remove("/populations/"+finance).refuses(http.StatusConflict, "CONFLICT", "CONSTRAINT_VIOLATION")
}

func TestFlagsOfAUserHaveAddressesOfTheirOwn(t *testing.T) {
	h := newHouse(t)
	id := h.user("ben", "")
	for name, first := range map[string]bool{"enabled": true, "mfaEnabled": false} {
		path := "/users/" + id + "/" + name
		if m := h.get(path).is(http.StatusOK); m[name] != first {
			t.Errorf("%s is %v", name, m[name])
		}
		if m := h.put(path, fmt.Sprintf(`{%q:%v}`, name, !first)).is(http.StatusOK); m[name] != !first {
			t.Errorf("%s is %v", name, m[name])
		}
		h.put(path, fmt.Sprintf(`{%q:"true"}`, name)).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE "+name)
		h.put(path, `{}`).refuses(http.StatusBadRequest, "INVALID_DATA", "REQUIRED_VALUE "+name)
		h.put(path, fmt.Sprintf(`{%q:true,"x":1}`, name)).refuses(http.StatusBadRequest, "INVALID_DATA", "INVALID_VALUE x")
	}
	if u := h.get("/users/" + id).is(http.StatusOK); u["enabled"] != false || at(u, "account", "canAuthenticate") != false || u["mfaEnabled"] != true {
		t.Error(u)
	}
}

func TestUsersAreListedInPagesThatStayPutUnderInserts(t *testing.T) {
	h := newHouse(t)
	for i := range 7 {
		h.user(fmt.Sprintf("user%d", i), fmt.Sprintf(`"name":{"family":"F%d","given":"G"}`, i%2))
		h.wait(time.Millisecond)
	}
	var seen []string
	next := "/users?limit=3"
	for page := 0; next != ""; page++ {
		m := h.get(next).is(http.StatusOK)
		if want := map[bool]float64{true: 7, false: 7 + float64(page)}[page == 0]; m["count"] != want {
			t.Errorf("count %v, want %v", m["count"], want)
		}
		for _, u := range embedded(m) {
			seen = append(seen, u["username"].(string))
		}
		next, _ = at(m, "_links", "next", "href").(string)
		if next != "" {
			h.user(fmt.Sprintf("late%d", page), "")
			h.wait(time.Millisecond)
		}
	}
	if diff := cmp.Diff([]string{"user0", "user1", "user2", "user3", "user4", "user5", "user6", "late0", "late1"}, seen); diff != "" {
		t.Error(diff)
	}
}

func TestUsersAreFiltered(t *testing.T) {
	h := newHouse(t)
	h.user("ada", `"email":"ada@example.com","name":{"given":"Ada","family":"Lovelace"}`)
	h.wait(time.Millisecond) // lists are in the order of making, by the millisecond
	h.user("alan", `"email":"alan@example.com","name":{"given":"Alan","family":"Turing"},"mobilePhone":"+1.2225554444"`)
	for filter, want := range map[string]string{
		`username eq "ADA"`: "ada",
		`username sw "a"`:   "ada alan",
		`name.family eq "Turing" and name.given sw "A"`: "alan",
		`name.family eq "Turing" or username eq "ada"`:  "ada alan",
		`mobilePhone eq "+12225554444"`:                 "alan",
		`population.id eq "` + population + `"`:         "ada alan",
		`email eq "nobody@example.com"`:                 "",
	} {
		m := h.get("/users?filter=" + url.QueryEscape(filter)).is(http.StatusOK)
		var got []string
		for _, u := range embedded(m) {
			got = append(got, u["username"].(string))
		}
		if strings.Join(got, " ") != want || m["size"] != float64(len(got)) {
			t.Errorf("%s: %v", filter, got)
		}
	}
	for filter, said := range map[string]string{`nickname eq "x"`: "cannot be filtered by", `username co "d"`: "does not take", `username`: "not well-formed", `enabled eq "true"`: "true or false", `(`: "not well-formed", ``: "not well-formed"} {
		m := h.get("/users?filter="+url.QueryEscape(filter)).refuses(http.StatusBadRequest, "INVALID_REQUEST", "INVALID_FILTER filter")
		d := list(m["details"])[0]
		if !strings.Contains(d["message"].(string), said) {
			t.Errorf("%s: %v", filter, d)
		}
		if said == "cannot be filtered by" && len(at(d, "innerError", "supportedAttributes").([]any)) == 0 {
			t.Errorf("%s: %v", filter, d)
		}
	}
}

func TestQueryParametersThatAreNotKnownAreRefused(t *testing.T) {
	h := newHouse(t)
	for query, details := range map[string][]string{
		"offset=3":               {"INVALID_PARAMETER offset"},
		"limit=0":                {"INVALID_PARAMETER limit"},
		"limit=x":                {"INVALID_PARAMETER limit"},
		"limit=1&limit=2":        {"INVALID_PARAMETER limit"},
		"cursor=abc":             {"INVALID_PARAMETER cursor"},
		"cursor=":                {"INVALID_PARAMETER cursor"},
		"access_token=x&a%0ab=1": {"INVALID_PARAMETER ab", "INVALID_PARAMETER access_token"},
		"include=everything":     {"INVALID_PARAMETER include"},
		"limit=%zz":              {"INVALID_PARAMETER"},
	} {
		h.get("/users?"+query).refuses(http.StatusBadRequest, "INVALID_REQUEST", details...)
	}
	h.get("/users?limit=99999999999999999999").is(http.StatusOK)
	h.get("/users?include=memberOfGroupIDs,memberOfGroupNames").is(http.StatusOK)
}

func TestTheUserOfAnotherEnvironmentIsNotFound(t *testing.T) {
	h := newHouse(t)
	u, err := h.users.Create(t.Context(), directory.User{Env: otherID, Username: "eve", Enabled: true, Population: population}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	path := "/users/" + u.ID
	for _, r := range []reply{
		h.get(path), h.remove(path), h.put(path, `{"username":"x"}`), h.get(path + "/password"), h.get(path + "/enabled"), h.put(path+"/enabled", `{"enabled":false}`),
		h.act("POST", path, "account.lock", ""), h.act("PUT", path+"/password", "password.set", `{"value":"x"}`), h.get(path + "/agreementConsents"), h.get("/users/" + strings.ToUpper(u.ID)), h.get("/users/x"),
	} {
		r.refuses(http.StatusNotFound, "NOT_FOUND")
	}
}
