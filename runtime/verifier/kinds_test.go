package verifier_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// kind is one that is only described.
type kind struct {
	name string
	step func(trigger string, config map[string]any) flow.Step
}

func (k kind) Meta() flow.Meta                    { return flow.Meta{Name: k.name} }
func (kind) Check(c json.RawMessage) (any, error) { return c, nil }
func (kind) Enter(context.Context, *flow.Turn) (flow.Outcome, error) {
	return flow.Outcome{}, errors.New("is only described")
}

func (k kind) Step(trigger string, config any) flow.Step {
	m, _ := config.(map[string]any)
	return k.step(trigger, m)
}

// plain is a kind that says the same of every node.
func plain(name string, s flow.Step) kind {
	return kind{name, func(string, map[string]any) flow.Step { return s }}
}

// The proofs, as the kinds of the product declare them.
var (
	password  = flow.Taken{Factors: flow.Knowledge, Authenticator: "password", AMR: "pwd"}
	recovered = flow.Taken{Factors: flow.Knowledge, Authenticator: "password", AMR: "pwd", Rests: "email"}
	totp      = flow.Taken{Factors: flow.Possession, Authenticator: "totp", AMR: "otp"}
	mailed    = flow.Taken{Factors: flow.Possession, Authenticator: "email", AMR: "otp"}
	linked    = flow.Taken{Factors: flow.Possession, Authenticator: "email", AMR: "link"}
	passkey   = flow.Taken{Factors: flow.Possession | flow.Inherence, Authenticator: "passkey", AMR: "pop"}
)

const (
	userID     = `{"type":"object","properties":{"user":{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]}},"required":["user"]}`
	userOutput = `{"type":"object","properties":{"user":{"type":"object","properties":{"id":{"type":"string"},"username":{"type":"string"},"email":{"type":"string"},"mobilePhone":{"type":"string"}},"required":["id"]}}}`
	state      = `{"type":"object","properties":{"passwordState":{"type":"object","properties":{"user":{"type":"object","properties":{"id":{"type":"string"}}},"status":{"type":"string"}}}}}`
)

func schema(s string) json.RawMessage { return json.RawMessage(s) }

// forms are the forms of the fixtures, by the last digit of their id: the
// properties of formData, and the buttons.
var forms = map[string]struct {
	fields  string
	buttons []string
}{
	"1": {`"user":{"type":"object","properties":{"username":{"type":"string"},"email":{"type":"string"},"password":{"type":"string","format":"password"}}}`, nil},
	"2": {`"user":{"type":"object","properties":{"username":{"type":"string"},"password":{"type":"string","format":"password"}}}`, nil},
	"3": {`"user":{"type":"object","properties":{"username":{"type":"string"}}}`, nil},
	"4": {`"recoveryCode":{"type":"string"},"user":{"type":"object","properties":{"newPassword":{"type":"string","format":"password"}}}`, []string{"resendCode"}},
	"5": {`"user":{"type":"object","properties":{"currentPassword":{"type":"string","writeOnly":true},"newPassword":{"type":"string","format":"password"}}}`, nil},
	"6": {`"user":{"type":"object","properties":{"id":{"type":"string"},"age":{"type":"integer"}}},"remember":{"type":"boolean"}`, []string{"recover"}},
	"7": {`"user":{"type":"object","properties":{"username":{"type":"string"}}}`, []string{"register"}},
}

func results(taken *flow.Taken, output string, names ...string) []flow.StepResult {
	var out []flow.StepResult
	for _, name := range names {
		r := flow.StepResult{Name: name, Output: schema(output)}
		if taken != nil {
			r.Takes, r.Confirms = []flow.Taken{*taken}, true
		}
		out = append(out, r)
	}
	return out
}

func text(m map[string]any, path ...string) string {
	for _, name := range path[:len(path)-1] {
		m, _ = m[name].(map[string]any)
	}
	s, _ := m[path[len(path)-1]].(string)
	return s
}

// kinds declare what the step kinds of those names do. Source:
// reference/management.md 2.5, 2.6.
func kinds() []flow.Kind {
	return []flow.Kind{
		kind{"FORM", form},
		kind{"BRANCH", branch},
		kind{"USER_CREATE", create},
		kind{"USER_LOOKUP", lookup},
		kind{"MFA_CHALLENGE", challenge},
		kind{"USER_ACCOUNT_VERIFY", func(_ string, c map[string]any) flow.Step {
			s := flow.Step{Waits: true, Input: schema(userID), Results: []flow.StepResult{{Name: "VERIFIED", Confirms: true}}}
			if c["allowSkip"] == true {
				s.Results = append(s.Results, flow.StepResult{Name: "SKIPPED"})
			}
			return s
		}},
		plain("MFA_ENROLLMENT", flow.Step{Waits: true, Input: schema(userID), Results: append(results(&totp, "", "ENROLLED"), flow.StepResult{Name: "SKIPPED"})}),
		plain("USER_PASSWORD_CHECK", flow.Step{
			Input:   schema(`{"type":"object","properties":{"user":{"type":"object","properties":{"id":{"type":"string"},"password":{"type":"string","format":"password"}},"required":["id","password"]}},"required":["user"]}`),
			Secrets: []string{"user.password"}, Results: append(results(&password, state, "PASSWORD_VALID"),
				flow.StepResult{Name: "PASSWORD_EXPIRED", Output: schema(state), Takes: []flow.Taken{password}, Candidate: true},
				flow.StepResult{Name: "MUST_CHANGE_PASSWORD", Output: schema(state), Takes: []flow.Taken{password}, Candidate: true}),
		}),
		plain("USER_PASSWORD_RESET", flow.Step{
			Input:   schema(`{"type":"object","properties":{"user":{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]},"currentPassword":{"type":"string"},"newPassword":{"type":"string"}},"required":["user","currentPassword","newPassword"]}`),
			Secrets: []string{"currentPassword", "newPassword"}, Results: results(&password, state, "SUCCEEDED"),
		}),
		plain("USER_PASSWORD_RECOVER", flow.Step{
			Input:   schema(`{"type":"object","properties":{"user":{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]},"recoveryCode":{"type":"string"},"newPassword":{"type":"string"}},"required":["user","recoveryCode","newPassword"]}`),
			Secrets: []string{"newPassword"}, Results: results(&recovered, state, "SUCCEEDED"),
		}),
		plain("USER_PASSWORD_SEND_RECOVERY_CODE", flow.Step{Input: schema(userID), Results: results(nil, state, "SUCCEEDED")}),
		plain("USER_READ", flow.Step{Input: schema(userID), Results: results(nil, userOutput, "SUCCEEDED")}),
		plain("AGREEMENT_CONSENT_FORM", flow.Step{
			Waits: true, Input: schema(userID),
			Results: results(nil, `{"type":"object","properties":{"agreementConsent":{"type":"object","properties":{"status":{"type":"string"}}}}}`, "SAVED"),
		}),
		plain("API_REQUEST", flow.Step{
			Input:   schema(`{"type":"object","properties":{"url":{"type":"string"},"body":{"type":"string"},"query":{"type":"object"}},"required":["url"]}`),
			Results: results(nil, `{"type":"object","properties":{"status":{"type":"integer"},"body":{}}}`, "SUCCEEDED"),
		}),
		plain("EXTERNAL_SERVICE_INVOKE", flow.Step{
			Failures: flow.CallFailures(), Results: results(nil, `{"type":"object","properties":{"good":{"type":"boolean"}}}`, "INVOCATION_OUTPUT"),
		}),
		plain("RAISES", flow.Step{}),
		plain("TERMINATE_FLOW", flow.Step{Ends: flow.Terminates}),
		plain("COMPLETE_FLOW", flow.Step{
			Ends: flow.Finishes, Results: []flow.StepResult{{Name: "COMPLETE"}},
			Input: schema(`{"type":"object","properties":{"parameters":{"type":"object","additionalProperties":{"type":"string"}},"context":{"type":"object","properties":{"amr":{"type":"array","items":{"type":"string"}},"user":{"type":"object","properties":{"id":{"type":"string"}}}}}}}`),
		}),
	}
}

func form(_ string, c map[string]any) flow.Step {
	id := text(c, "form", "id")
	f := forms[id[len(id)-1:]]
	s := flow.Step{Waits: true, Input: schema(`{"type":"object","properties":{"formData":{"type":"object"}}}`)}
	s.Results = results(nil, `{"type":"object","properties":{"form":{"type":"object"},"formData":{"type":"object","properties":{`+f.fields+`}}}}`, "SUBMITTED")
	for _, b := range f.buttons {
		s.Results = append(s.Results, flow.StepResult{Name: b, Output: schema(`{"type":"object","properties":{"form":{"type":"object"}}}`)})
	}
	return s
}

func branch(_ string, c map[string]any) (s flow.Step) {
	list, _ := c["conditions"].([]any)
	for _, x := range list {
		m, _ := x.(map[string]any)
		s.Results = append(s.Results, flow.StepResult{Name: text(m, "result")})
		s.Reads = append(s.Reads, strings.TrimSuffix(strings.TrimPrefix(text(m, "condition", "value"), "${"), "}"))
	}
	s.Results = append(s.Results, flow.StepResult{Name: "NO_MATCH"})
	return s
}

func create(_ string, c map[string]any) flow.Step {
	return flow.Step{
		Input:   schema(`{"type":"object","properties":{"user":{"type":"object","properties":{"username":{"type":"string"},"email":{"type":"string"},"password":{"type":"string"}},"required":["username"]}},"required":["user"]}`),
		Secrets: []string{"user.password"},
		Results: []flow.StepResult{{
			Name: "SUCCEEDED", Output: schema(userOutput), Names: true, Takes: []flow.Taken{password},
			Confirms: text(c, "lifecycle", "status") == "ACCOUNT_OK",
		}},
	}
}

func lookup(_ string, c map[string]any) flow.Step {
	s := flow.Step{
		Input:   schema(`{"type":"object","properties":{"identifier":{"type":"string"}},"required":["identifier"]}`),
		Results: []flow.StepResult{{Name: "PING_ONE_USER_MATCHED", Output: schema(userOutput), Names: true}},
	}
	if c["matchPingOneUsersOnly"] != true {
		s.Results = append(s.Results, flow.StepResult{Name: "IDENTITY_PROVIDER_USER_MATCHED", Output: schema(userOutput), Names: true})
	}
	return s
}

// challenge takes the proof that its policy is named after, or, by the default one,
// that of a device, by each of the names that it may have.
func challenge(_ string, c map[string]any) flow.Step {
	if c["useDefaultPolicy"] == true {
		r := flow.StepResult{Name: "SUCCEEDED", Confirms: true, Takes: device.Taken()}
		return flow.Step{Waits: true, Input: schema(userID), Results: []flow.StepResult{r}}
	}
	t := map[string]flow.Taken{"email": mailed, "email-link": linked, "totp": totp, "passkey": passkey}[text(c, "deviceAuthenticationPolicy", "id")]
	return flow.Step{
		Waits: true, Input: schema(userID),
		Results: results(&t, `{"type":"object","properties":{"amr":{"type":"array","items":{"type":"string"}}}}`, "SUCCEEDED"),
	}
}
