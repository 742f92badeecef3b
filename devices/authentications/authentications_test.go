package authentications_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

func links(r *reply) (names []string) {
	m, _ := r.at("_links").(map[string]any)
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// expect fails unless the answer has that status and says that.
func expect(t *testing.T, r *reply, status int, says ...any) {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("%d, want %d: %s", r.StatusCode, status, r.raw)
	}
	for i := 0; i < len(says); i += 2 {
		if got := r.at(says[i].(string)); got != says[i+1] {
			t.Errorf("%s is %v, want %v: %s", says[i], got, says[i+1], r.raw)
		}
	}
	if len(r.Header.Values("Set-Cookie")) > 0 || r.at("session") != nil || r.at("resumeUrl") != nil {
		t.Errorf("it speaks of a session: %v %s", r.Header, r.raw)
	}
}

// detail is the first of a fault.
func detail(t *testing.T, r *reply, code, target string) {
	t.Helper()
	list, _ := r.at("details").([]any)
	if len(list) == 0 {
		t.Fatalf("no detail: %s", r.raw)
	}
	if d, _ := list[0].(map[string]any); d["code"] != code || d["target"] != target {
		t.Errorf("%v, want %s of %s", d, code, target)
	}
}

func TestACode(t *testing.T) {
	h := open(t)
	r := h.begin(ada, "")
	expect(t, r, 201, "status", "OTP_REQUIRED", "user/id", ada, "selectedDevice/id", sms, "policy/id", r.at("policy/id"))
	if got := links(r); !slices.Equal(got, []string{"device.select", "otp.check", "self"}) || r.Header.Get("Location") != r.at("_links/self/href") {
		t.Errorf("links %v, location %s", got, r.Header.Get("Location"))
	}
	if list, _ := r.at("_embedded/devices").([]any); len(list) != 3 || r.at("_embedded/user") != nil {
		t.Errorf("embedded: %s", r.raw)
	}
	wrong := h.act(r, "otp.check", `{"otp":"000000"}`)
	expect(t, wrong, 400, "code", "INVALID_DATA")
	detail(t, wrong, "INVALID_VALUE", "otp")
	if got := links(wrong); !slices.Equal(got, []string{"device.select", "otp.check", "self"}) {
		t.Errorf("after a wrong code: %v", got)
	}
	done := h.act(r, "otp.check", `{"otp":"123456"}`)
	expect(t, done, 200, "status", "COMPLETED", "selectedDevice/id", sms)
	expect(t, h.ask(desk, "GET", "/"+r.at("id").(string), "", ""), 200, "status", "COMPLETED", "selectedDevice/id", sms)
	expect(t, h.act(r, "otp.check", `{"otp":"123456"}`), 200, "status", "COMPLETED") // a repeat
	expect(t, h.act(r, "otp.check", `{"otp":"654321"}`), 400, "code", "INVALID_REQUEST")
	if strings.Contains(h.log.String(), "123456") {
		t.Error("a code is in the log")
	}
}

func TestTheDeviceThatIsNamedIsAskedAndNoOther(t *testing.T) {
	h := open(t)
	r := h.begin(ada, `,"selectedDevice":{"id":"`+key+`"}`)
	expect(t, r, 201, "status", "ASSERTION_REQUIRED", "selectedDevice/id", key, "publicKeyCredentialRequestOptions", "vendor", "publicKeyCredentialRequestOptionsJSON/standard", true)
	if len(h.town.asked) != 1 || h.town.asked[0].Device.ID != key {
		t.Errorf("asked: %+v", h.town.asked)
	}
	expect(t, h.act(r, "assertion.check", `{"origin":"https://a.example","assertion":"0"}`), 400, "code", "INVALID_DATA")
	expect(t, h.act(r, "assertion.check", `{"origin":"https://a.example","assertion":"123456","compatibility":"FULL"}`), 200, "status", "COMPLETED")
	for _, other := range []string{hers, "00000000-0000-4000-8000-00000000ffff"} {
		r := h.begin(ada, `,"selectedDevice":{"id":"`+other+`"}`)
		expect(t, r, 400, "code", "INVALID_DATA", "_links/self", nil)
		detail(t, r, "INVALID_VALUE", "selectedDevice.id")
	}
	if len(h.town.asked) != 1 {
		t.Errorf("asked: %+v", h.town.asked)
	}
}

func TestAPush(t *testing.T) {
	h := open(t)
	begin := func() *reply { return h.begin(ada, `,"selectedDevice":{"id":"`+phone+`"}`) }
	see := func(r *reply) *reply { return h.ask(desk, "GET", "/"+r.at("id").(string), "", "") }
	r := begin()
	expect(t, r, 201, "status", "PUSH_CONFIRMATION_REQUIRED", "push/number", "42")
	expect(t, see(r), 200, "status", "PUSH_CONFIRMATION_REQUIRED")
	other := h.act(r, "cancel.push.authentication", `{"reason":"CHANGE_DEVICE"}`)
	expect(t, other, 200, "status", "DEVICE_SELECTION_REQUIRED", "selectedDevice", nil)
	expect(t, h.act(r, "device.select", `{"device":{"id":"`+sms+`"}}`), 200, "status", "OTP_REQUIRED", "selectedDevice/id", sms)
	for state, want := range map[device.PushState]string{
		device.PushApproved: "COMPLETED", device.PushRejected: "FAILED", device.PushGone: "PUSH_CONFIRMATION_TIMED_OUT",
	} {
		h.town.push = ""
		r := begin()
		h.town.push = state
		expect(t, see(r), 200, "status", want)
		if state == device.PushRejected {
			expect(t, see(r), 200, "error/code", "PUSH_REJECTED")
		}
	}
}

func TestNobodyIsAskedWhoMayNotBe(t *testing.T) {
	h := open(t)
	for name, tt := range map[string]struct {
		user, more   string
		status       int
		code, target string
	}{
		"a user who is not there":    {"00000000-0000-4000-8000-00000000ffff", "", 400, "INVALID_VALUE", "user.id"},
		"a disabled user":            {eve, "", 400, "ACCOUNT_NOT_USABLE", "user.id"},
		"a locked one":               {joe, "", 400, "ACCOUNT_NOT_USABLE", "user.id"},
		"under a policy of nobody":   {ada, `,"policy":{"id":"` + key + `"}`, 400, "INVALID_VALUE", "policy.id"},
		"by an app of nobody":        {ada, `,"application":{"id":"` + key + `"}`, 400, "INVALID_VALUE", "application.id"},
		"by what is no id":           {"ADA", "", 400, "INVALID_VALUE", "user.id"},
		"with another compatibility": {ada, `,"compatibility":"SOME"`, 400, "INVALID_VALUE", "compatibility"},
		"with a payload":             {ada, `,"mobilePayload":"x"`, 400, "INVALID_VALUE", "mobilePayload"},
		"with a context":             {ada, `,"notification":{"clientContext":{}}`, 400, "INVALID_VALUE", "notification.clientContext"},
		"with another template":      {ada, `,"notification":{"template":{"name":"welcome"}}`, 400, "INVALID_VALUE", "notification.template.name"},
		"with variables":             {ada, `,"notification":{"template":{"variables":{"a":"b"}}}`, 400, "INVALID_VALUE", "notification.template.variables"},
		"with a locale that is none": {ada, `,"notification":{"template":{"locale":"de;q=1"}}`, 400, "INVALID_VALUE", "notification.template.locale"},
		"with a note that is none":   {ada, `,"notification":7`, 400, "INVALID_VALUE", "notification"},
		"with a stranger's member":   {ada, `,"session":{"id":"x"}`, 400, "INVALID_VALUE", "session"},
	} {
		r := h.begin(tt.user, tt.more)
		if r.StatusCode != tt.status {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.raw)
			continue
		}
		detail(t, r, tt.code, tt.target)
	}
	if len(h.town.asked) != 0 {
		t.Errorf("asked: %+v", h.town.asked)
	}
	expect(t, h.begin(bob, ""), 201, "status", "FAILED", "error/code", "NO_USABLE_DEVICES")
	expect(t, h.begin(bob, `,"selectedDevice":{"id":"`+hers+`"}`), 201, "status", "FAILED", "error/code", "NO_USABLE_DEVICES")
	h.town.limited = true
	expect(t, h.begin(ada, ""), 201, "status", "DEVICE_SELECTION_REQUIRED", "error/code", "REQUEST_LIMITED")
	if r := h.begin(ada, `,"selectedDevice":{"id":"`+sms+`"}`); r.StatusCode != 429 || r.Header.Get("Retry-After") != "60" {
		t.Errorf("limited: %d %v", r.StatusCode, r.Header)
	}
	h.away = true
	expect(t, h.begin(ada, ""), 503, "code", "SERVICE_UNAVAILABLE")
}

func TestWhatIsAskedForHasItsEffect(t *testing.T) {
	h := open(t)
	expect(t, h.begin(ada, `,"notification":{"template":{"name":"STRONG_AUTHENTICATION","locale":"de"}},"compatibility":"NONE"`), 201)
	if got := h.town.asked[0]; !strings.HasPrefix(got.Locales, "de") || got.Compatibility != "NONE" || got.Application != desk {
		t.Errorf("asked with %+v", got)
	}
	r := h.begin(ada, `,"compatibility":"NONE"`)
	if list, _ := r.at("_embedded/devices").([]any); len(list) != 2 {
		t.Errorf("listed: %s", r.raw)
	}
}

func TestWhoMayAsk(t *testing.T) {
	h := open(t)
	r := h.begin(ada, "")
	id := "/" + r.at("id").(string)
	for name, header := range map[string][]string{
		"no token":                   {"Authorization", ""},
		"a cookie":                   {"Authorization", "", "Cookie", "ST=x"},
		"another scheme":             {"Authorization", "Basic x"},
		"two words":                  {"Authorization", "Bearer a b"},
		"an empty one":               {"Authorization", "Bearer "},
		"one of another environment": {"Authorization", "Bearer " + otherEnv + "~" + desk},
	} {
		for _, path := range []string{"", id} {
			got := h.ask(desk, "POST", path, "otp.check", `{"otp":"123456"}`, header...)
			if got.StatusCode != 401 || !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s: %d %v", name, got.StatusCode, got.Header)
			}
		}
	}
	for as, want := range map[string]int{reader: 403, bank: 404} {
		for _, got := range []*reply{h.ask(as, "GET", id, "", ""), h.ask(as, "POST", id, "otp.check", `{"otp":"123456"}`), h.ask(as, "POST", id, "x", "["), h.ask(as, "POST", id, "", "")} {
			expect(t, got, want, "_links/self", nil)
		}
	}
	unknown := h.ask(desk, "GET", "/00000000-0000-4000-8000-00000000ffff", "", "")
	theirs := h.ask(bank, "GET", id, "", "")
	if unknown.at("message") != theirs.at("message") || unknown.at("code") != theirs.at("code") {
		t.Errorf("%s\n%s", unknown.raw, theirs.raw)
	}
	for _, path := range []string{"/x", "/" + strings.ToUpper(id[1:])} {
		expect(t, h.ask(desk, "GET", path, "", ""), 404)
	}
	expect(t, h.ask(desk, "GET", id, "", ""), 200, "status", "OTP_REQUIRED")
}

// TestABrowserFindsNothing: neither what it holds nor the flow API's own calls open it.
func TestABrowserFindsNothing(t *testing.T) {
	h := open(t)
	r := h.begin(ada, "")
	ref := flow.Ref{Env: envID, ID: r.at("id").(string)}
	for _, c := range []flow.Caller{{}, {Cookie: "x"}, {FlowToken: strings.Trim(r.Header.Get("ETag"), `"`)}} {
		_, err := h.engine.View(t.Context(), ref, c)
		if flow.AsFault(err).Code != flow.NotFound {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestTheShapeOfRequests(t *testing.T) {
	h := open(t)
	r := h.begin(ada, "")
	id := "/" + r.at("id").(string)
	for name, tt := range map[string]struct {
		got    *reply
		status int
		code   string
	}{
		"no JSON":                {h.ask(desk, "POST", "", "", "{"), 400, "INVALID_REQUEST"},
		"a form":                 {h.ask(desk, "POST", "", "", "a=b", "Content-Type", "application/x-www-form-urlencoded"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		"no type":                {h.ask(desk, "POST", "", "", "{}", "Content-Type", ""), 415, "UNSUPPORTED_MEDIA_TYPE"},
		"no user":                {h.ask(desk, "POST", "", "", "{}"), 400, "INVALID_DATA"},
		"an action without type": {h.ask(desk, "POST", id, "", "{}"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		"an action of browsers":  {h.ask(desk, "POST", id, "session.reset", "{}"), 400, "INVALID_REQUEST"},
		"an action of nobody":    {h.ask(desk, "POST", id, "otp.resend", "{}"), 400, "INVALID_REQUEST"},
		"one not offered now":    {h.ask(desk, "POST", id, "assertion.check", `{"origin":"a","assertion":"b"}`), 400, "INVALID_REQUEST"},
		"a broken body":          {h.ask(desk, "POST", id, "otp.check", "["), 400, "INVALID_REQUEST"},
		"a field too many":       {h.ask(desk, "POST", id, "otp.check", `{"otp":"1","a":1}`), 400, "INVALID_DATA"},
		"a stale state":          {h.ask(desk, "POST", id, "otp.check", `{"otp":"123456"}`, "If-Match", `"x"`), 409, "CONFLICT"},
	} {
		if tt.got.StatusCode != tt.status || tt.got.at("code") != tt.code {
			t.Errorf("%s: %d %s", name, tt.got.StatusCode, tt.got.raw)
		}
		if strings.Contains(tt.got.raw, "otp.resend\":") || strings.Contains(tt.got.raw, "/flows/") {
			t.Errorf("%s speaks of what is not here: %s", name, tt.got.raw)
		}
	}
	expect(t, h.ask(desk, "POST", id, "OTP.check", `{"otp":"123456"}`, "If-Match", r.Header.Get("ETag")), http.StatusOK, "status", "COMPLETED")
}

// FuzzCreate: whatever is sent, the answer is one of the documented ones, and nobody
// is asked who was not named.
func FuzzCreate(f *testing.F) {
	for _, seed := range []string{
		"", "{", "{}", "[]", `{"user":{"id":"` + ada + `"}}`, `{"user":{"id":"` + ada + `"},"selectedDevice":{"id":"` + sms + `"}}`, `{"user":"x"}`,
		`{"user.id":"` + ada + `"}`, `{"user":{"id":null}}`, `{"user":{"id":"` + ada + `"},"notification":{"template":{"locale":"de","x":1}}}`,
		`{"user":{"id":"` + ada + `"},"notification":{"\u0000":1,"template":[]}}`, `{"user":{"id":"` + ada + `"},"compatibility":"NONE","policy":{}}`,
	} {
		f.Add(seed)
	}
	h := open(f)
	f.Fuzz(func(t *testing.T, body string) {
		h.t, h.town.asked = t, nil
		r := h.ask(desk, "POST", "", "", body)
		if r.StatusCode != 201 && r.StatusCode != 400 {
			t.Fatalf("%d %s", r.StatusCode, r.raw)
		}
		if r.StatusCode != 201 && len(h.town.asked) > 0 || len(h.town.asked) > 1 {
			t.Fatalf("asked %v and answered %s", h.town.asked, r.raw)
		}
	})
}
