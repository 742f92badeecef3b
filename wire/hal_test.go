package wire_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/wire"
)

const (
	env  = "d0000000-0000-4000-8000-000000000001"
	id   = "03e52d0a-c55a-4807-889b-cd14f74ec4c5"
	base = "https://auth.example.com/" + env
)

func place() wire.Place {
	return wire.Place{
		Self: base + "/flows/" + id, Resume: base + "/as/resume?flowId=" + id, SignOn: base + "/signon/?flowId=" + id,
		Restart: "../as/authorize", Application: "Acme Travel", PasswordPolicy: []byte(`{"length":{"min":8}}`),
	}
}

func view() flow.View {
	return flow.View{
		Ref: flow.Ref{Env: env, ID: id}, Status: "USERNAME_PASSWORD_REQUIRED", Token: "tok", SessionID: "5655baab-c282-4f9d-8d01-b635fe66b528",
		Offers: []flow.Offer{
			{Name: "usernamePassword.check", Prompt: flow.Text{Default: "Sign on"}, Fields: []flow.Field{
				{Name: "username", Type: flow.TypeText, Required: true, MaxLength: 128, Autocomplete: "username", Label: flow.Text{Default: "Username"}},
				{Name: "password", Type: flow.TypePassword, Required: true, Autocomplete: "current-password", Label: flow.Text{Default: "Password"}},
			}},
			{Name: "session.reset"},
		},
		CreatedAt: time.Date(2021, 7, 23, 16, 19, 34, 570_000_000, time.UTC), ExpiresAt: time.Date(2021, 7, 23, 18, 34, 53, 196_000_000, time.FixedZone("", 7200)),
	}
}

const links = `"_links":{"self":{"href":"` + base + `/flows/` + id + `"},"usernamePassword.check":{"href":"` + base + `/flows/` + id + `"},"session.reset":{"href":"` + base + `/flows/` + id + `"}`

func TestEncode(t *testing.T) {
	for _, tc := range []struct {
		name    string
		change  func(*flow.View)
		members []flow.Member
		want    string
	}{
		{"a waiting execution names its actions and how to submit them", func(*flow.View) {}, nil, `{` + links + `},
			"_templates":{"usernamePassword.check":{"title":"Sign on","method":"POST","contentType":"application/vnd.pingidentity.usernamePassword.check+json","properties":[
				{"name":"username","type":"text","required":true,"maxLength":128,"autocomplete":"username","prompt":"Username"},
				{"name":"password","type":"password","required":true,"autocomplete":"current-password","prompt":"Password"}]},
			"session.reset":{"method":"POST","contentType":"application/vnd.pingidentity.session.reset+json","properties":[]}},
			"id":"` + id + `","session":{"id":"5655baab-c282-4f9d-8d01-b635fe66b528"},"resumeUrl":"` + base + `/as/resume?flowId=` + id + `",
			"status":"USERNAME_PASSWORD_REQUIRED","createdAt":"2021-07-23T16:19:34.570Z","expiresAt":"2021-07-23T16:34:53.196Z","_embedded":{"application":{"name":"Acme Travel"}}}`},
		{"an account that is to be linked says where it is", func(v *flow.View) {
			v.Status, v.Offers = "ACCOUNT_LINKING_REQUIRED", nil
			v.External = &flow.External{Provider: "p1", Name: "Partner", Type: "OPENID_CONNECT", LoginHint: "ada@partner.com"}
		}, nil, `{"_links":{"self":{"href":"` + base + `/flows/` + id + `"}},
			"id":"` + id + `","session":{"id":"5655baab-c282-4f9d-8d01-b635fe66b528"},"resumeUrl":"` + base + `/as/resume?flowId=` + id + `",
			"status":"ACCOUNT_LINKING_REQUIRED","createdAt":"2021-07-23T16:19:34.570Z","expiresAt":"2021-07-23T16:34:53.196Z",
			"_embedded":{"application":{"name":"Acme Travel"},"identityProvider":{"id":"p1","name":"Partner","type":"OPENID_CONNECT"}}}`},
		{"the documented completed flow", func(v *flow.View) {
			v.Status, v.Offers, v.AMR = flow.Completed, nil, []string{"pwd", "otp"}
			v.User = flow.Subject{ID: "831441df-b71f-473c-8871-c0af518ad851", Username: "app_user", Given: "Test", Family: "ApplicationUser"}
		}, nil, `{"_links":{"self":{"href":"` + base + `/flows/` + id + `"}},"id":"` + id + `","session":{"id":"5655baab-c282-4f9d-8d01-b635fe66b528"},
			"resumeUrl":"` + base + `/as/resume?flowId=` + id + `","status":"COMPLETED","createdAt":"2021-07-23T16:19:34.570Z","expiresAt":"2021-07-23T16:34:53.196Z","amr":["pwd","otp"],
			"_embedded":{"user":{"id":"831441df-b71f-473c-8871-c0af518ad851","username":"app_user","name":{"given":"Test","family":"ApplicationUser"}},"application":{"name":"Acme Travel"}}}`},
		{
			"who only says who they are shows what was typed, and a new password its policy", func(v *flow.View) {
				v.User, v.SessionID = flow.Subject{Username: "nobody?"}, ""
				v.Offers = []flow.Offer{{Name: "password.recover", Fields: []flow.Field{
					{Name: "recoveryCode", Type: flow.TypeCode, Required: true, Autocomplete: "one-time-code"},
					{Name: "newPassword", Type: flow.TypePassword, Required: true, Autocomplete: "new-password"},
				}}}
			}, nil,
			`{"_links":{"self":{"href":"` + base + `/flows/` + id + `"},"password.recover":{"href":"` + base + `/flows/` + id + `"}},
			"_templates":{"password.recover":{"method":"POST","contentType":"application/vnd.pingidentity.password.recover+json","properties":[
				{"name":"recoveryCode","type":"text","required":true,"autocomplete":"one-time-code"},
				{"name":"newPassword","type":"password","required":true,"autocomplete":"new-password"}]}},
			"id":"` + id + `","resumeUrl":"` + base + `/as/resume?flowId=` + id + `","status":"USERNAME_PASSWORD_REQUIRED","createdAt":"2021-07-23T16:19:34.570Z","expiresAt":"2021-07-23T16:34:53.196Z",
			"_embedded":{"user":{"username":"nobody?"},"application":{"name":"Acme Travel"},"passwordPolicy":{"length":{"min":8}}}}`,
		},
		{
			"a pi.flow has its environment, the hosted page and a face's own members", func(v *flow.View) {
				v.Status, v.Offers, v.PiFlow, v.SessionID = flow.Completed, nil, true, ""
			},
			[]flow.Member{wire.AuthorizeResponse("c", `"s`, "https://i")},
			`{"_links":{"self":{"href":"` + base + `/flows/` + id + `"},"signOnPage":{"href":"` + base + `/signon/?flowId=` + id + `"}},"id":"` + id + `","environment":{"id":"` + env + `"},
			"resumeUrl":"` + base + `/as/resume?flowId=` + id + `","status":"COMPLETED","createdAt":"2021-07-23T16:19:34.570Z","expiresAt":"2021-07-23T16:34:53.196Z","authorizeResponse":{"code":"c","state":"\"s","iss":"https://i"},"_embedded":{"application":{"name":"Acme Travel"}}}`,
		},
		{"a failure is told, and hostile text stays text", func(v *flow.View) {
			v.Status, v.Offers, v.SessionID = flow.Failed, nil, ""
			v.Failure = &flow.Failure{Code: "ACCOUNT_DISABLED", Message: "\"}<script>\u2028\x00\xff"}
			v.User = flow.Subject{ID: "u", Username: "a\"b", Given: "G"}
		}, nil, `{"_links":{"self":{"href":"` + base + `/flows/` + id + `"}},"id":"` + id + `","resumeUrl":"` + base + `/as/resume?flowId=` + id + `","status":"FAILED",
			"createdAt":"2021-07-23T16:19:34.570Z","expiresAt":"2021-07-23T16:34:53.196Z","error":{"code":"ACCOUNT_DISABLED","message":"\"}<script>\u2028\u0000\ufffd"},
			"_embedded":{"user":{"id":"u","username":"a\"b","name":{"given":"G"}},"application":{"name":"Acme Travel"}}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := view()
			tc.change(&v)
			same(t, wire.Encode(v, place(), tc.members...), tc.want)
		})
	}
}

func same(t *testing.T, got []byte, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(w, g); d != "" {
		t.Errorf("%s\n(-want +got)\n%s", got, d)
	}
}

func TestProblem(t *testing.T) {
	v := view()
	self := `"_links":{"self":{"href":"` + base + `/flows/` + id + `"}}`
	for _, tc := range []struct {
		name   string
		fault  *flow.Fault
		status int
		want   string
		header map[string]string
	}{
		{
			"a refused password names its field and what is offered",
			&flow.Fault{Code: flow.InvalidData, Message: flow.InvalidMessage, View: &v, Details: []flow.Detail{{Code: flow.InvalidCredentials, Target: "password", Message: "Incorrect."}}},
			400, `{"id":"i","code":"INVALID_DATA","message":"` + flow.InvalidMessage + `","details":[{"code":"INVALID_CREDENTIALS","target":"password","message":"Incorrect."}],` + links + `}}`, nil,
		},
		{
			"inner errors are typed",
			&flow.Fault{Code: flow.InvalidData, Message: "m", View: &v, Details: []flow.Detail{
				{Code: flow.PasswordLockedOut, Target: "password", Message: "a", Inner: map[string]any{"secondsUntilUnlock": 900, "stored": int64(900)}},
				{Code: flow.InvalidValue, Message: "b", Inner: map[string]any{"unsatisfiedRequirements": []string{"length", "history"}, "z": true, "p": "^a", "f": 1.5, "types": []flow.Channel{flow.SMS, flow.Voice}}},
			}},
			400, `{"id":"i","code":"INVALID_DATA","message":"m","details":[{"code":"PASSWORD_LOCKED_OUT","target":"password","message":"a","innerError":{"secondsUntilUnlock":900,"stored":900}},
				{"code":"INVALID_VALUE","message":"b","innerError":{"unsatisfiedRequirements":["length","history"],"types":["SMS","VOICE"],"z":true,"p":"^a","f":"1.5"}}],` + links + `}}`, nil,
		},
		{
			"a pointer stands beside its target",
			&flow.Fault{Code: flow.RequestFailed, Message: "m", Details: []flow.Detail{{Code: flow.InvalidValue, Target: "a[0].b", Pointer: "/a/0/b", Message: "x"}}},
			400, `{"id":"i","code":"REQUEST_FAILED","message":"m","details":[{"code":"INVALID_VALUE","target":"a[0].b","pointer":"/a/0/b","message":"x"}],` + self + `}`, nil,
		},
		{
			"an unknown flow tells to start again and nothing else", flow.Gone(), 404,
			`{"id":"i","code":"NOT_FOUND","message":"The flow does not exist or has expired. Start again from the application.","_links":{"restart":{"href":"../as/authorize"}}}`, nil,
		},
		{
			"a conflict shows the execution as it is", &flow.Fault{Code: flow.Conflict, Message: "m", View: &v}, 409,
			`{"id":"i","code":"CONFLICT","message":"m",` + links + `},"_embedded":{"flow":` + string(wire.Encode(v, place())) + `}}`, nil,
		},
		{
			"a wrong type lists the right ones", &flow.Fault{Code: flow.UnsupportedMedia, Message: "m", View: &v}, 415,
			`{"id":"i","code":"UNSUPPORTED_MEDIA_TYPE","message":"m",` + links + `}}`,
			map[string]string{"Accept": "application/vnd.pingidentity.usernamePassword.check+json, application/vnd.pingidentity.session.reset+json"},
		},
		{
			"a busy service says when", flow.Busy(errors.New("redis: 10.0.0.5 refused")), 503,
			`{"id":"i","code":"SERVICE_UNAVAILABLE","message":"The service is not available now. Nothing was changed; send the request again shortly.",` + self + `}`,
			map[string]string{"Retry-After": "1"},
		},
		{
			"a limit says when, rounded up", &flow.Fault{Code: flow.Limited, Message: "m", RetryAfter: 1500 * time.Millisecond}, 429,
			`{"id":"i","code":"REQUEST_LIMITED","message":"m",` + self + `}`,
			map[string]string{"Retry-After": "2"},
		},
		{
			"our failure keeps its cause", flow.AsFault(errors.New("pq: password=x")), 500,
			`{"id":"i","code":"UNEXPECTED_ERROR","message":"The request could not be completed because of an error on our side. Send it again; if it fails again, report the id.",` + self + `}`, nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, body, header := wire.Problem(tc.fault, "i", place())
			if status != tc.status {
				t.Errorf("status %d, want %d", status, tc.status)
			}
			same(t, body, tc.want)
			want := map[string]string{"Content-Type": wire.JSON, "Cache-Control": "no-store"}
			for k, v := range tc.header {
				want[k] = v
			}
			if d := cmp.Diff(want, header); d != "" {
				t.Errorf("header (-want +got)\n%s", d)
			}
		})
	}
}

func TestStatusOfKnowsEveryCode(t *testing.T) {
	for code, want := range map[flow.Code]int{
		flow.InvalidData: 400, flow.InvalidRequest: 400, flow.RequestFailed: 400, flow.InvalidToken: 401, flow.AccessFailed: 403, flow.NotFound: 404, flow.MethodNotAllowed: 405, flow.Conflict: 409,
		flow.TooLarge: 413, flow.UnsupportedMedia: 415, flow.Misdirected: 421, flow.Limited: 429, flow.Unexpected: 500, flow.Unavailable: 503, "OTHER": 500,
	} {
		if got := wire.StatusOf(code); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
}

func TestStepTokenTravelsAsETag(t *testing.T) {
	v := view()
	for given, want := range map[string]string{wire.ETag(v): "tok", "tok": "tok", "*": "", "": "", `"`: `"`, `W/"tok"`: `W/"tok"`, `"a","b"`: `a","b`} {
		if got := wire.TokenOf(given); got != want {
			t.Errorf("TokenOf(%s) = %s, want %s", given, got, want)
		}
	}
	if got := wire.ETag(flow.View{}); got != "" {
		t.Errorf("a view without token has ETag %s", got)
	}
}

func TestSessionCookie(t *testing.T) {
	for _, tc := range []struct {
		value  string
		secure bool
		want   string
	}{
		{"v", true, "ST=v; Path=/e; Max-Age=2592000; HttpOnly; Secure; SameSite=None"},
		{"v", false, "ST=v; Path=/e; Max-Age=2592000; HttpOnly; SameSite=Lax"},
		{"", true, "ST=; Path=/e; Max-Age=0; HttpOnly; Secure; SameSite=None"},
	} {
		if got := wire.SessionCookie(tc.value, "/e", tc.secure); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	v, p := view(), place()
	b.ReportAllocs()
	for b.Loop() {
		wire.Encode(v, p)
	}
}

func BenchmarkProblem(b *testing.B) {
	v, p := view(), place()
	f := &flow.Fault{Code: flow.InvalidData, Message: flow.InvalidMessage, View: &v, Details: []flow.Detail{{Code: flow.InvalidCredentials, Target: "password", Message: "Incorrect."}}}
	b.ReportAllocs()
	for b.Loop() {
		wire.Problem(f, "6c796712-0f16-4062-815a-e0a92f4a2143", p)
	}
}

// TestWhereSomebodySignsOnElsewhere. Source: reference/flows.md 9.1.
func TestWhereSomebodySignsOnElsewhere(t *testing.T) {
	v := flow.View{Ref: flow.Ref{ID: id}, Status: "EXTERNAL_AUTHENTICATION_REQUIRED", External: &flow.External{Provider: "p1", Name: `A "quoted" one`, Type: "OPENID_CONNECT"}}
	var got struct {
		Embedded map[string]any `json:"_embedded"`
	}
	if err := json.Unmarshal(wire.Encode(v, wire.Place{Self: base, Authenticate: base + "/rp/authenticate"}), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"identityProvider": map[string]any{
		"id": "p1", "name": `A "quoted" one`, "type": "OPENID_CONNECT",
		"_links": map[string]any{"authenticate": map[string]any{"href": base + "/rp/authenticate"}},
	}}
	if diff := cmp.Diff(want, got.Embedded); diff != "" {
		t.Error(diff)
	}
}
