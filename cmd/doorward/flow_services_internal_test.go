package main

import (
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorward/rehearsal"
	"doorward/runtime/flow"
)

// partner is an external service that gets a token first, and has a secret in its URL,
// in a header and in its body.
const partner = `{
	"id": "f1000000-0000-4000-8000-0000000000f1", "name": "Partner", "variables": {"base": "https://partner.example"},
	"secrets": [{"name": "site key", "value": "hush-site-key"}],
	"authSchemes": [{"name": "idp", "type": "OAUTH_2", "tokenEndpointAuthType": "client_secret_post", "tokenEndpoint": "https://idp.example/token", "clientId": "doorward", "clientSecret": "hush-client-secret"}],
	"requests": [{"name": "ask", "request": {"method": "POST", "url": "variables.base + '/sites/' + secrets['site key'] + '?who=' + #string.asUrlEncoded(inputs.who)", "authScheme": "idp",
		"headers": {"X-Key": "secrets['site key']"}, "body": {"type": "JSON", "template": "{'who': {'name': inputs.who}, 'key': secrets['site key'], 'tags': {'a', 'b'}}"},
		"inputSchema": "{\"type\":\"object\",\"properties\":{\"who\":{\"type\":\"string\"}},\"required\":[\"who\"]}"}}]
}`

// Both definitions go on by what a call comes to: HTTP-status of an answer is in the
// redirect, and a failure's code.
const (
	leading = `"outlets": {"RESULT": {"next": "done"}, "ERROR": {"next": "failed"}, "TIMEOUT": {"next": "slow"}}},
		"done": {"type": "COMPLETE_FLOW", "configuration": {"result": "REDIRECT"}, "input": {"parameters": {"said": "${steps.call.outputs.body.said}", "status": "${steps.call.outputs.status}"}, "context": {"user": {"id": "${flow.context.user.id}"}}}},
		"slow": {"type": "TERMINATE_FLOW", "input": {"error": {"code": "SLOW", "message": "Slow."}}},
		"failed": {"type": "TERMINATE_FLOW", "input": {"error": {"code": "FAILED", "message": "Failed by ${steps.call.error.code}."}}}}}`
	invoking = `{"id": "f1000000-0000-4000-8000-0000000000f2", "name": "Invoke", "enabled": true, "trigger": {"type": "EXPERIENCE", "next": "call"}, "stepDefinitions": {
		"call": {"type": "EXTERNAL_SERVICE_INVOKE", "configuration": {"externalService": {"id": "f1000000-0000-4000-8000-0000000000f1"}, "request": {"id": "ask"}},
			"input": {"who": "${flow.inputs.parameters.who}"}, `
	requesting = `{"id": "f1000000-0000-4000-8000-0000000000f3", "name": "Request", "enabled": true, "trigger": {"type": "EXPERIENCE", "next": "call"}, "stepDefinitions": {
		"call": {"type": "API_REQUEST", "configuration": {"method": "GET"}, "input": {"url": "https://hooks.example/v1/${flow.inputs.parameters.who}"}, `
)

// inServicesFolder goes to a flow folder whose configuration has the two definitions.
// host stands in the place of the services' own.
func inServicesFolder(t *testing.T, host string) {
	t.Helper()
	inFlowFolder(t)
	at := strings.NewReplacer("https://partner.example", host, "https://idp.example", host, "https://hooks.example", host)
	if host == "" {
		at = strings.NewReplacer()
	}
	for file, body := range map[string]string{
		"externalServices/partner.json": partner,
		"flowDefinitions/invoke.json":   invoking + strings.Replace(leading, "RESULT", "INVOCATION_OUTPUT", 1),
		"flowDefinitions/request.json":  requesting + strings.Replace(leading, "RESULT", "SUCCEEDED", 1),
	} {
		write(t, filepath.Join("config/acme", file), at.Replace(body))
	}
}

// asked is a script of the definition Request.
func asked(services, more string) string {
	return "config: config\ndefinition: Request\nparameters: {who: lin ko}\nservices:\n" + services + "steps:\n" + more
}

const answering = "  - {url: 'https://hooks.example/*', answer: {body: {said: Hello}}}\n"

func TestWhatAServiceAnswersIsWhatTheScriptSays(t *testing.T) {
	inServicesFolder(t, "")
	failing := func(code string) string { return "  - {url: '*', fails: " + code + "}\n" }
	for name, tt := range map[string]struct{ services, more, says string }{
		"an answer":       {answering, "  - expect: {status: COMPLETED, redirect: '*said=Hello&status=200'}", "ok    "},
		"a status":        {"  - {method: get, url: '*', answer: {status: 404, body: {said: No}}}\n", "  - expect: {redirect: '*said=No&status=404'}", "ok    "},
		"no body":         {"  - {url: '*', answer: {status: 204}}\n", "  - expect: {redirect: '*?status=204'}", "ok    "},
		"text":            {"  - {url: '*', answer: {headers: {content-type: text/plain}, body: Hello}}\n", "  - expect: {redirect: '*?status=200'}", "ok    "},
		"nothing in time": {failing("TIMEOUT"), "  - expect: {status: FAILED, error: SLOW}", "ok    "},
		"not asked":       {failing("TOO_MANY_INVOCATIONS"), "  - expect: {error: {code: FAILED, message: by TOO_MANY_INVOCATIONS}}", "ok    "},
		"no answer":       {failing("NO_HTTP_RESPONSE"), "  - expect: {error: {code: FAILED, message: by NO_HTTP_RESPONSE}}", "ok    "},
		"no service":      {"  []\n", "  - wait: 1m", "script.yaml: the start\n    none of the services of the script answers GET https://hooks.example/v1/lin%20ko; add one:\n      - {method: GET, url: \"https://hooks.example/v1/lin%20ko\", answer: {status: 200, body: {}}}\n    it went call -(ERROR)-> failed"},
		"a call":          {answering, "  - call: {method: get, url: 'https://hooks.example/v1/lin%20ko', headers: {Accept: 'application/*'}}\n  - call: none", "ok    "},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, "script.yaml", asked(tt.services, tt.more))
			if got := command(t, "flow", "test", "script.yaml"); !strings.Contains(got, tt.says) {
				t.Errorf("it says %s\nwhich lacks %s", got, tt.says)
			}
		})
	}
}

// invoked is a script of the definition Invoke.
const invoked = `config: config
definition: Invoke
parameters: {who: lin}
services:
  - {url: "https://idp.example/token", answer: {body: {access_token: made-up-token, token_type: Bearer, expires_in: 300}}}
  - {method: POST, url: "https://partner.example/*", times: 1, answer: {body: {said: Hello}}}
steps:
  - expect: {status: COMPLETED, redirect: "*said=Hello*"}
`

// A service is asked with names for secrets, which are those of the configuration in
// no place.
func TestACallIsComparedAndHasNoSecret(t *testing.T) {
	inServicesFolder(t, "")
	for name, tt := range map[string]struct{ from, to, more, says string }{
		"all of it": {"", "", `  - call: {method: POST, url: "https://idp.example/token", body: "*client_secret=authSchemes.idp.clientSecret*"}
  - call:
      method: POST
      url: https://partner.example/sites/secrets.site_key?who=lin
      headers: {authorization: Bearer made-up-token, x-key: secrets.site_key}
      body: {who: {name: lin}, key: secrets.site_key, tags: [a, b]}`, "ok    "},
		"a token that is masked": {"", "", "  - call: {url: 'https://partner.example/*', headers: {Authorization: none}}", `headers: Authorization: expected "none", came "Bearer ***"`},
		"one answer too few":     {"POST, url: \"https://partner.example/*\", times: 1, answer: {body", "POST, url: \"https://partner.example/*\", times: 1, answer: {status: 401, body", "", "answers POST https://partner.example/sites/secrets.site_key?who=lin any more: the one in line 6 answers 1 call; add one"},
		"no token":               {"https://idp.example/token", "https://idp.example/other", "", "answers POST https://idp.example/token; add one"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, "script.yaml", strings.Replace(invoked, tt.from, tt.to, 1)+tt.more)
			got := command(t, "flow", "test", "script.yaml")
			if !strings.Contains(got, tt.says) || strings.Contains(got, "hush") {
				t.Errorf("it says %s\nwhich lacks %s", got, tt.says)
			}
		})
	}
}

// Whatever a script says of the services of a configuration, nobody connects to them:
// a stage has no Invoker, and nothing listens in vain.
func TestNoCallLeavesARehearsal(t *testing.T) {
	var connected atomic.Int32
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			connected.Add(1)
			_ = c.Close()
		}
	}()
	host := "http://" + l.Addr().String()
	inServicesFolder(t, host)
	write(t, "config/acme/recaptchaV2Config.json", `{"provider": "GOOGLE", "siteKey": "site", "secretKey": "hush-google-key"}`)
	write(t, "answered.yaml", strings.NewReplacer("https://idp.example", host, "https://partner.example", host).Replace(invoked))
	write(t, "unanswered.yaml", asked("  []\n", "  - wait: 1m\n"))
	write(t, "person.yaml", person+"  - expect: {status: VERIFICATION_CODE_REQUIRED}\n  - call: {method: POST, url: 'https://www.google.com/recaptcha/api/siteverify'}\n")
	write(t, "nobody.yaml", strings.Replace(person, "siteverify", "other", 1))
	got := command(t, "flow", "test", "answered.yaml", "unanswered.yaml", "person.yaml", "nobody.yaml")
	for _, says := range []string{"ok    answered.yaml", "FAIL  unanswered.yaml", "ok    person.yaml", "FAIL  nobody.yaml", "answers GET " + host, "answers POST https://www.google.com/recaptcha/api/siteverify"} {
		if !strings.Contains(got, says) || strings.Contains(got, "hush") {
			t.Errorf("it says %s\nwhich lacks %s", got, says)
		}
	}
	if n := connected.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}

	dir := t.TempDir()
	unwatched := func(kinds []flow.Kind) []flow.Kind { return kinds }
	h, err := newStage(t.Context(), rehearsal.Setting{Dir: dir, Config: "config", BaseURL: "http://localhost:8080", Now: time.Now, Watch: unwatched})
	if err != nil {
		t.Fatal(err)
	}
	if h.invoker != nil {
		t.Error("a stage has a way out")
	}
	if err := h.close(t.Context()); err != nil {
		t.Error(err)
	}
}

// person is a script in which Google is asked.
const person = `config: config
definition: Registration
services:
  - {url: "https://www.google.com/recaptcha/api/siteverify", answer: {body: {success: true}}}
steps:
  - submit: form.submit
    values: {user: {username: lin, email: lin@example.com, password: Correct-Horse-7}, person: their-token}
`

// An outlet for a sort of failure is counted where it is drawn, and ERROR for it where
// it is not.
func TestOutletsOfFailuresAreCovered(t *testing.T) {
	inServicesFolder(t, "")
	for name, code := range map[string]string{"slow.yaml": "TIMEOUT", "away.yaml": "TOO_MANY_INVOCATIONS"} {
		write(t, name, asked("  - {url: '*', fails: "+code+"}\n", "  - expect: {status: FAILED, error: {}}\n"))
	}
	got := command(t, "flow", "test", "--coverage", "slow.yaml", "away.yaml")
	const says = "coverage of \"Request\": 3 of 4 steps, 2 of 4 outlets\n    not passed: call -(SUCCEEDED)-> done\n    not passed: step done\n"
	if !strings.Contains(got, says) {
		t.Errorf("it says %s\nwhich lacks %s", got, says)
	}
}
