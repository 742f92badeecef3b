package policy_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/runtime/verifier"
	"doorward/steps"
	"doorward/steps/mfachallenge"
	"doorward/steps/mfaenrollment"
)

func TestWhatAMultiFactorActionAsksFor(t *testing.T) {
	action := func(members string) []json.RawMessage {
		return list(`{"type":"LOGIN","priority":1}`, `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":2`+members+`}`)
	}
	const takes = "$.actions[1].noDevicesMode: takes BLOCK or BYPASS"
	for name, tt := range map[string]struct {
		members string
		want    string // of the source
		faults  []string
	}{
		"nothing":           {``, `{}`, nil},
		"a policy":          {`,"deviceAuthenticationPolicy":{"id":"p"}`, `{"deviceAuthenticationPolicy":{"id":"p"}}`, nil},
		"nobody without":    {`,"noDevicesMode":"BLOCK"`, `{"block":true}`, nil},
		"somebody without":  {`,"noDevicesMode":"BYPASS"`, `{"bypass":true}`, nil},
		"methods":           {`,"sms":{"enabled":true},"email":{"enabled":false},"securityKey":{"enabled":true},"boundBiometrics":{"enabled":true},"authenticator":{"enabled":true},"voice":{"enabled":true}`, `{"types":["PLATFORM","SECURITY_KEY","SMS","TOTP","VOICE"]}`, nil},
		"applications":      {`,"applications":[{"id":"a","autoEnrollment":{"enabled":false},"deviceAuthorization":{"enabled":true,"extraVerification":"permissive"}}]`, `{"types":["MOBILE"]}`, nil},
		"a policy, and one": {`,"deviceAuthenticationPolicy":{"id":"p"},"sms":{"enabled":true},"applications":[]`, `{"deviceAuthenticationPolicy":{"id":"p"},"types":["SMS"]}`, nil},

		"another mode":            {`,"noDevicesMode":"ALLOW"`, ``, []string{takes}},
		"a mode that is none":     {`,"noDevicesMode":true`, ``, []string{takes}},
		"a policy without an id":  {`,"deviceAuthenticationPolicy":{}`, ``, []string{"$.actions[1].deviceAuthenticationPolicy.id: takes the id of a device authentication policy"}},
		"no method at all":        {`,"sms":{"enabled":false},"email":{"enabled":false}`, ``, []string{"$.actions[1]: switches every method off"}},
		"a method that may be":    {`,"sms":{"enabled":"true"}`, ``, []string{"$.actions[1].sms.enabled: takes true or false"}},
		"an application unnamed":  {`,"applications":[{"autoEnrollment":{"enabled":true}}]`, ``, []string{"$.actions[1].applications[0].id: takes the id of an application"}},
		"one that is no list":     {`,"applications":{"id":"a"}`, ``, []string{"$.actions[1].applications: takes a list of applications"}},
		"what a LOGIN has":        {`,"recovery":{"enabled":true}`, ``, []string{"$.actions[1].recovery: is no member of the action MULTI_FACTOR_AUTHENTICATION"}},
		"a method that is no one": {`,"SMS":{"enabled":true}`, ``, []string{"$.actions[1].SMS: is no member of the action MULTI_FACTOR_AUTHENTICATION"}},
	} {
		t.Run(name, func(t *testing.T) {
			src, _, err := policy.Source(json.RawMessage(`{"name":"P"}`), action(tt.members), nil, nil)
			wantFaults(t, err, tt.faults)
			if want := `"multiFactor":` + tt.want + `,"priority":2`; err == nil && !strings.Contains(string(src), want) {
				t.Errorf("%s, want %s", src, want)
			}
		})
	}
	if got := policy.DevicePolicies(action(`,"deviceAuthenticationPolicy":{"id":"p"}`)); len(got) != 1 || got[0].ID != "p" || got[0].Path != "$.actions[1].deviceAuthenticationPolicy.id" {
		t.Errorf("device policies %v", got)
	}
}

// multi is what every MULTI_FACTOR_AUTHENTICATION of priority 3 has.
func multi(more map[string]string) map[string]*flow.Node {
	challenge := map[string]string{"SUCCEEDED": "", "VERIFICATION_REQUIRED": "3.verify", "STEP_UP_REQUIRED": "3.again"}
	for result, next := range more {
		challenge[result] = next
	}
	out := map[string]*flow.Node{
		"3.identify":  node("IDENTIFY", map[string]string{"IDENTIFIED": "3.challenge", "UNIDENTIFIED": "3.lookup"}),
		"3.lookup":    node("LOOKUP", map[string]string{"NAMED": "3.challenge"}, "3.passkey"),
		"3.challenge": node("MFA_CHALLENGE", challenge),
		"3.again": node("PASSWORD", map[string]string{
			"AUTHENTICATED": "3.challenge", "PASSWORD_EXPIRED": "3.challenge", "MUST_CHANGE_PASSWORD": "3.challenge", "VERIFICATION_REQUIRED": "3.challenge",
		}),
		"3.verify":  node("USER_ACCOUNT_VERIFY", map[string]string{"VERIFIED": ""}),
		"3.passkey": node("PASSKEY", map[string]string{"AUTHENTICATED": "", "PASSWORD_REQUIRED": "", "MUST_CHANGE_PASSWORD": "", "VERIFICATION_REQUIRED": "3.verify"}),
	}
	out["3.identify"].Factors = flow.Possession
	return out
}

func TestAMultiFactorActionIsARoom(t *testing.T) {
	enrolls := multi(map[string]string{"NO_DEVICES": "3.enroll"})
	enrolls["3.enroll"] = node("MFA_ENROLLMENT", map[string]string{"ENROLLED": "", "STEP_UP_REQUIRED": "3.password"})
	enrolls["3.password"] = node("PASSWORD", map[string]string{
		"AUTHENTICATED": "3.enroll", "PASSWORD_EXPIRED": "3.enroll", "MUST_CHANGE_PASSWORD": "3.enroll", "VERIFICATION_REQUIRED": "3.enroll",
	})
	bypasses := maps.Clone(enrolls)
	waived := *enrolls["3.enroll"]
	waived.Waives = "3.identify"
	bypasses["3.enroll"] = &waived
	for name, tt := range map[string]struct {
		action string
		want   map[string]*flow.Node
		asks   mfachallenge.Config
	}{
		"who has no device sets one up": {
			`{"type":"MULTI_FACTOR_AUTHENTICATION","priority":3,"deviceAuthenticationPolicy":{"id":"p"},"sms":{"enabled":true}}`, enrolls,
			mfachallenge.Config{Policy: "p", Types: []device.Type{device.SMS}, Results: []string{"NO_DEVICES", "STEP_UP_REQUIRED", "VERIFICATION_REQUIRED"}},
		},
		"who has no device sets one up, or is let pass": {
			`{"type":"MULTI_FACTOR_AUTHENTICATION","priority":3,"noDevicesMode":"BYPASS"}`, bypasses,
			mfachallenge.Config{Results: []string{"NO_DEVICES", "STEP_UP_REQUIRED", "VERIFICATION_REQUIRED"}},
		},
		"who has no device is kept out": {
			`{"type":"MULTI_FACTOR_AUTHENTICATION","priority":3,"noDevicesMode":"BLOCK"}`, multi(nil),
			mfachallenge.Config{Results: []string{"STEP_UP_REQUIRED", "VERIFICATION_REQUIRED"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan := compile(t, list(tt.action)...)
			for key, n := range tt.want {
				n.Key = key
			}
			if diff := cmp.Diff(tt.want, plan.Nodes, cmpopts.IgnoreFields(flow.Node{}, "Config"), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.asks, plan.Nodes["3.challenge"].Config); diff != "" {
				t.Error(diff)
			}
			if n := plan.Nodes["3.enroll"]; n != nil {
				want := mfaenrollment.Config{Policy: tt.asks.Policy, Types: tt.asks.Types, Required: true, StepUp: true}
				if diff := cmp.Diff(want, n.Config); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// Every policy with devices is sound: no way through it ends without what it asks for.
func TestPoliciesWithDevicesAreSound(t *testing.T) {
	const login, identifier, mfa = `{"type":"LOGIN","priority":1}`, `{"type":"IDENTIFIER_FIRST","priority":1,"recovery":{"enabled":true},"registration":{"enabled":true}}`, `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":5}`
	const aged = `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":7,"noDevicesMode":"BLOCK","condition":{"secondsSince":"${session.lastSignOn.withAuthenticator.mfa.at}","greater":300}}`
	for name, actions := range map[string][]string{
		"a password":                      {login},
		"an identifier first":             {identifier},
		"MFA alone":                       {mfa},
		"a password and MFA":              {login, mfa},
		"an identifier and MFA":           {identifier, mfa},
		"MFA only when it is some time":   {login, aged},
		"MFA alone, when it is some time": {aged},
		"two of them":                     {login, mfa, aged},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range verifier.Check(compile(t, list(actions...)...), steps.Builtin(steps.Parts{})) {
				if f.Severity == verifier.Error {
					t.Error(f)
				}
			}
		})
	}
}
