package verifier_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/runtime/verifier"
	"doorward/steps"
)

// Parts of sketches: a look-up of whoever is named in form ask, and the password.
const (
	named = `
ask   | FORM                | {"form":{"id":"2"}} | | SUBMITTED>look
look  | USER_LOOKUP         | {"matchPingOneUsersOnly":true} | {"identifier":"${steps.ask.outputs.formData.user.username}"} | PING_ONE_USER_MATCHED>check ERROR>ask`
	checked = named + `
stop  | TERMINATE_FLOW      | | |
check | USER_PASSWORD_CHECK | | {"user":{"id":"${steps.look.outputs.user.id}","password":"${steps.ask.outputs.formData.user.password}"}} | PASSWORD_VALID>next PASSWORD_EXPIRED>stop MUST_CHANGE_PASSWORD>stop ERROR>ask`
	recovering = `
ask   | FORM                | {"form":{"id":"3"}} | | SUBMITTED>look
look  | USER_LOOKUP         | {"matchPingOneUsersOnly":true} | {"identifier":"${steps.ask.outputs.formData.user.username}"} | PING_ONE_USER_MATCHED>code ERROR>ask
code  | FORM                | {"form":{"id":"4"}} | | SUBMITTED>recover resendCode>code
recover | USER_PASSWORD_RECOVER | | {"user":{"id":"${steps.look.outputs.user.id}"},"recoveryCode":"${steps.code.outputs.formData.recoveryCode}","newPassword":"${steps.code.outputs.formData.user.newPassword}"} | SUCCEEDED>next ERROR>code`
)

// ends is an end that names a user and claims what it is given.
func ends(user, claims string) string {
	return `
done | COMPLETE_FLOW | | {"context":{"amr":[` + claims + `],"user":{"id":"` + user + `"}}} |`
}

func factor(policy, next string) string {
	return `
next | MFA_CHALLENGE | {"deviceAuthenticationPolicy":{"id":"` + policy + `"}} | {"user":{"id":"${steps.look.outputs.user.id}"}} | SUCCEEDED>` + next
}

// anyDevice is a step that asks any device.
func anyDevice(step, next string) string {
	return `
` + step + ` | MFA_CHALLENGE | {"useDefaultPolicy":true} | {"user":{"id":"${steps.look.outputs.user.id}"}} | SUCCEEDED>` + next
}

const whom = "${steps.look.outputs.user.id}"

func TestWhatAnEndMayClaim(t *testing.T) {
	tests := map[string]struct{ flow, want string }{
		"a password and an authenticator":     {checked + factor("totp", "done") + ends(whom, `"pwd","otp","mfa"`), ""},
		"one claim for what is proven by two": {checked + factor("totp", "done") + ends(whom, `"otp"`), ""},
		"a passkey is two factors":            {strings.Replace(named, ">check", ">next", 1) + factor("passkey", "done") + ends(whom, `"pop","mfa"`), ""},
		"nothing":                             {checked + strings.ReplaceAll(ends(whom, ``), "done", "next"), ""},
		"two channels":                        {checked + factor("email", "done") + ends(whom, `"mca"`), "e UNTAKEN_CLAIM done"},
		"a recovered password":                {recovering + strings.ReplaceAll(ends(whom, `"pwd"`), "done", "next"), ""},
		"a recovered password and an authenticator": {
			recovering + factor("totp", "done") + ends(whom, `"pwd","otp","mfa"`), "",
		},
		"a recovered password and its mailbox": {
			recovering + factor("email", "done") + ends(whom, `"pwd","otp"`), "e RAISED_BY_RECOVERY done",
		},
		"a recovered password and its mailbox, as many factors": {
			recovering + factor("email", "done") + ends(whom, `"mfa"`), "e RAISED_BY_RECOVERY done",
		},
		"a password that was known before it was recovered, and the mailbox": {
			checked + `
next | FORM | {"form":{"id":"4"}} | | SUBMITTED>recover resendCode>next
recover | USER_PASSWORD_RECOVER | | {"user":{"id":"${steps.look.outputs.user.id}"},"recoveryCode":"${steps.next.outputs.formData.recoveryCode}","newPassword":"${steps.next.outputs.formData.user.newPassword}"} | SUCCEEDED>mail ERROR>next
mail | MFA_CHALLENGE | {"deviceAuthenticationPolicy":{"id":"email"}} | {"user":{"id":"${steps.look.outputs.user.id}"}} | SUCCEEDED>done` + ends(whom, `"pwd","otp"`), "",
		},
		"an old password of whoever was proven before": {
			strings.Replace(named, ">check", ">mail", 1) + `
mail  | MFA_CHALLENGE | {"deviceAuthenticationPolicy":{"id":"email"}} | {"user":{"id":"${steps.look.outputs.user.id}"}} | SUCCEEDED>again
again | FORM | {"form":{"id":"2"}} | | SUBMITTED>check
stop  | TERMINATE_FLOW | | |
check | USER_PASSWORD_CHECK | | {"user":{"id":"${steps.look.outputs.user.id}","password":"${steps.again.outputs.formData.user.password}"}} | PASSWORD_VALID>stop PASSWORD_EXPIRED>done MUST_CHANGE_PASSWORD>stop ERROR>again` + ends(whom, `"pwd"`), "e UNTAKEN_CLAIM done",
		},
		"an old password of whoever is proven after": {
			named + `
stop  | TERMINATE_FLOW | | |
check | USER_PASSWORD_CHECK | | {"user":{"id":"${steps.look.outputs.user.id}","password":"${steps.ask.outputs.formData.user.password}"}} | PASSWORD_VALID>stop PASSWORD_EXPIRED>mail MUST_CHANGE_PASSWORD>stop ERROR>ask
mail  | MFA_CHALLENGE | {"deviceAuthenticationPolicy":{"id":"email"}} | {"user":{"id":"${steps.look.outputs.user.id}"}} | SUCCEEDED>done` + ends(whom, `"pwd","otp"`), "",
		},
		"a method of one device of many":      {checked + anyDevice("next", "done") + ends(whom, `"pwd","otp"`), "w UNTAKEN_CLAIM done"},
		"whatever device it is":               {checked + anyDevice("next", "done") + ends(whom, `"pwd","mfa"`), ""},
		"a recovered password and any device": {recovering + anyDevice("next", "done") + ends(whom, `"pwd","mfa"`), ""},
		"any device, and a password that is recovered after": {
			strings.Replace(recovering, ">code ERROR>ask", ">first ERROR>ask", 1) + anyDevice("first", "code") + strings.ReplaceAll(ends(whom, `"mfa"`), "done", "next"), "w RAISED_BY_RECOVERY next",
		},
		"a recovery that may be left out": {
			strings.Replace(named, ">check", ">mail", 1) + `
mail | MFA_CHALLENGE | {"deviceAuthenticationPolicy":{"id":"email"}} | {"user":{"id":"${steps.look.outputs.user.id}"}} | SUCCEEDED>fork
fork | FORM | {"form":{"id":"7"}} | | SUBMITTED>again register>code
code | FORM | {"form":{"id":"4"}} | | SUBMITTED>recover resendCode>code
recover | USER_PASSWORD_RECOVER | | {"user":{"id":"${steps.look.outputs.user.id}"},"recoveryCode":"${steps.code.outputs.formData.recoveryCode}","newPassword":"${steps.code.outputs.formData.user.newPassword}"} | SUCCEEDED>again ERROR>code
again | FORM | {"form":{"id":"2"}} | | SUBMITTED>check
stop  | TERMINATE_FLOW | | |
check | USER_PASSWORD_CHECK | | {"user":{"id":"${steps.look.outputs.user.id}","password":"${steps.again.outputs.formData.user.password}"}} | PASSWORD_VALID>done PASSWORD_EXPIRED>stop MUST_CHANGE_PASSWORD>stop ERROR>again` + ends(whom, `"pwd","otp"`), "e RAISED_BY_RECOVERY done",
		},
		"one password by two ways": {
			checked + `
next | FORM | {"form":{"id":"4"}} | | SUBMITTED>recover resendCode>next
recover | USER_PASSWORD_RECOVER | | {"user":{"id":"${steps.look.outputs.user.id}"},"recoveryCode":"${steps.next.outputs.formData.recoveryCode}","newPassword":"${steps.next.outputs.formData.user.newPassword}"} | SUCCEEDED>done ERROR>next` + ends(whom, `"mfa"`), "e SAME_FACTOR done",
		},
		"one possession twice": {
			strings.Replace(named, ">check", ">next", 1) + factor("email", "other") +
				strings.ReplaceAll(factor("totp", "done"), "next", "other") + ends(whom, `"mfa"`), "e SAME_FACTOR done",
		},
		"what the session may have proven": {
			`go | BRANCH | {} | | NO_MATCH>done` + ends("${flow.context.user.id}", `"pwd"`), "e UNTAKEN_CLAIM done",
		},
		"what a challenge says": {
			checked + factor("totp", "done") + `
done | COMPLETE_FLOW | | {"context":{"amr":"${steps.next.outputs.amr}","user":{"id":"${steps.look.outputs.user.id}"}}} |`, "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found := verifier.Check(sketch(t, tt.flow), kinds())
			if got := codes(found); got != tt.want {
				t.Errorf("found %s\n%s", got, lines(found))
			}
		})
	}
}

func TestWhomAnEndMayName(t *testing.T) {
	session := `
ask  | FORM | {"form":{"id":"2"}} | | SUBMITTED>check
stop | TERMINATE_FLOW | | |
check | USER_PASSWORD_CHECK | | {"user":{"id":"${flow.context.user.id}","password":"${steps.ask.outputs.formData.user.password}"}} | PASSWORD_VALID>next PASSWORD_EXPIRED>stop MUST_CHANGE_PASSWORD>stop ERROR>ask`
	read := `
next | USER_READ | | {"user":{"id":"${steps.look.outputs.user.id}"}} | SUCCEEDED>done`
	proven := func(user string) string { return strings.ReplaceAll(ends(user, `"pwd"`), "done", "next") }
	tests := map[string]struct{ flow, want string }{
		"whom the look-up found":               {checked + proven(whom), ""},
		"whom the check says":                  {checked + proven("${steps.check.outputs.passwordState.user.id}"), ""},
		"whom a step read by the look-up's id": {checked + read + ends("${steps.read.outputs.user.id}", ""), "e UNKNOWN_OUTPUT done, e UNPROVEN_USER done"},
		"whom a step read":                     {checked + read + ends("${steps.next.outputs.user.id}", ""), ""},
		"the execution's user":                 {checked + proven("${flow.context.user.id}"), ""},
		"whom the session knows, asked again":  {session + proven("${steps.check.outputs.passwordState.user.id}"), ""},
		"the name of whom the look-up found":   {checked + proven("${steps.look.outputs.user.username}"), "e UNPROVEN_USER next"},
		"an id of the definition's own":        {checked + proven("11111111-0000-4000-8000-000000000001"), "e UNPROVEN_USER next"},
		"an id in a text":                      {checked + proven("x${steps.look.outputs.user.id}"), "e UNPROVEN_USER next"},
		"a user of the session as a whole": {
			checked + `
next | COMPLETE_FLOW | | {"context":{"user":"${steps.look.outputs.user}"}} |`, "",
		},
		"a look-up after the proof is of the same person": {
			checked + `
next  | USER_LOOKUP | {"matchPingOneUsersOnly":true} | {"identifier":"${steps.ask.outputs.formData.user.username}"} | PING_ONE_USER_MATCHED>done ERROR>ask` + ends(whom, `"pwd"`), "",
		},
		"a candidate by the name of one that was proven elsewhere": {
			checked + `
next  | USER_LOOKUP | {"matchPingOneUsersOnly":true} | {"identifier":"${steps.ask.outputs.formData.user.username}"} | PING_ONE_USER_MATCHED>done ERROR>ask` + ends("${steps.next.outputs.user.id}", `"pwd"`), "e UNPROVEN_USER done",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found := verifier.Check(sketch(t, tt.flow), kinds())
			if got := codes(found); got != tt.want {
				t.Errorf("found %s\n%s", got, lines(found))
			}
		})
	}
}

func TestWhatAStepMayRead(t *testing.T) {
	api := func(in string) string {
		return `
next | API_REQUEST | | ` + in + ` | SUCCEEDED>end
end | TERMINATE_FLOW | | |`
	}
	button := `
ask  | FORM | {"form":{"id":"7"}} | | SUBMITTED>ask register>next`
	failing := `
ask  | FORM | {"form":{"id":"7"}} | | SUBMITTED>look register>next
look | USER_READ | | {"user":{"id":"${flow.context.user.id}"}} | SUCCEEDED>end ERROR>next`
	tests := map[string]struct{ flow, want string }{
		"what is always there": {checked + api(`{"url":"${steps.look.outputs.user.email}"}`), ""},
		"an open value": {checked + strings.Replace(api(`{"url":"https://x.example/"}`), ">end", ">more", 1) + `
more | API_REQUEST | | {"url":"${steps.next.outputs.body.anything.inside}"} | SUCCEEDED>end`, ""},
		"a number for a text": {checked + strings.Replace(api(`{"url":"https://x.example/"}`), ">end", ">more", 1) + `
more | API_REQUEST | | {"url":"${steps.next.outputs.status}"} | SUCCEEDED>end`, "e TYPE_MISMATCH more"},
		"a number inside a text": {checked + strings.Replace(api(`{"url":"https://x.example/"}`), ">end", ">more", 1) + `
more | API_REQUEST | | {"url":"https://x.example/${steps.next.outputs.status}"} | SUCCEEDED>end`, ""},
		"an object with a member of another type": {
			`
ask | FORM | {"form":{"id":"6"}} | | SUBMITTED>next recover>end
end | TERMINATE_FLOW | | |
next | USER_PASSWORD_SEND_RECOVERY_CODE | | {"user":{"id":"${steps.ask.outputs.formData.user.age}"}} | SUCCEEDED>end`, "e TYPE_MISMATCH next",
		},
		"an object without what is required": {
			`
ask | FORM | {"form":{"id":"3"}} | | SUBMITTED>next
end | TERMINATE_FLOW | | |
next | USER_PASSWORD_SEND_RECOVERY_CODE | | {"user":"${steps.ask.outputs.formData.user}"} | SUCCEEDED>end`, "e TYPE_MISMATCH next",
		},
		"what a button leaves out": {button + api(`{"url":"${steps.ask.outputs.formData.user.username}"}`), "e MISSING_VALUE next"},
		"what a button leaves out, where it may be": {
			button + api(`{"url":"https://x.example/","body":"${steps.ask.outputs.formData.user.username}"}`), "e MISSING_VALUE next",
		},
		"what one of two results leaves out": {
			strings.Replace(button, ">ask", ">next", 1) + api(`{"url":"${steps.ask.outputs.formData.user.username}"}`), "e MISSING_VALUE next",
		},
		"what one of two results leaves out, where it may be": {
			strings.Replace(button, ">ask", ">next", 1) + api(`{"url":"https://x.example/","body":"${steps.ask.outputs.formData.user.username}"}`), "w MISSING_VALUE next",
		},
		"a password in a text, where a password is taken": {
			named + `
end | TERMINATE_FLOW | | |
check | USER_PASSWORD_CHECK | | {"user":{"id":"${steps.look.outputs.user.id}","password":"x${steps.ask.outputs.formData.user.password}"}} | PASSWORD_VALID>end PASSWORD_EXPIRED>end MUST_CHANGE_PASSWORD>end ERROR>ask`, "e SECRET_MISUSED check",
		},
		"what is inside a text": {checked + api(`{"url":"${steps.look.outputs.user.email.host}"}`), "e UNKNOWN_OUTPUT next"},
		"the code of a failure": {strings.Replace(named, "ERROR>ask", "ERROR>next", 1) + "\ncheck | TERMINATE_FLOW | | |" + api(`{"url":"https://x.example/","body":"${steps.look.error.code}"}`), "w TELLS_ACCOUNTS look"},
		"the code of a failure that was mended": {
			checked + api(`{"url":"https://x.example/","body":"${steps.check.error.code}"}`), "e MISSING_VALUE next",
		},
		"a step that can only fail":                       {checked + "\nnext | RAISES | | | ERROR>stop", ""},
		"a step that can only fail, and ends the flow so": {"a | RAISES | | |", ""},
		"a failure that may have been, where it is required": {
			failing + api(`{"url":"${steps.look.error.code}"}`), "e MISSING_VALUE next",
		},
		"a failure that may have been": {
			failing + api(`{"url":"https://x.example/","body":"${steps.look.error.code}"}`), "",
		},
		"a failure that no outlet catches": {checked + api(`{"url":"https://x.example/","body":"${steps.ask.error.code}"}`), "e MISSING_VALUE next"},
		"a step that is not there":         {checked + api(`{"url":"${steps.nobody.outputs.x}"}`), "e UNKNOWN_OUTPUT next"},
		"what is not of a step":            {checked + api(`{"url":"${flow.inputs.parameters.x}","body":"${user.email}"}`), ""},
		"a condition on what comes later": {
			checked + `
next | BRANCH | {"conditions":[{"condition":{"value":"${steps.later.outputs.status}"},"result":"YES"}]} | | YES>later NO_MATCH>stop
later | API_REQUEST | | {"url":"https://x.example/"} | SUCCEEDED>stop`, "e MISSING_VALUE next",
		},
		"an object with a password, where it is taken": {
			`
ask | FORM | {"form":{"id":"1"}} | | SUBMITTED>next
end | TERMINATE_FLOW | | |
next | USER_CREATE | | {"user":"${steps.ask.outputs.formData.user}"} | SUCCEEDED>end ERROR>ask`, "",
		},
		"a password under another name": {
			`
ask | FORM | {"form":{"id":"5"}} | | SUBMITTED>next
end | TERMINATE_FLOW | | |
next | USER_CREATE | | {"user":{"username":"${steps.ask.outputs.formData.user.currentPassword}"}} | SUCCEEDED>end ERROR>ask`, "e SECRET_MISUSED next",
		},
		"an object with a password in a condition": {
			checked + `
next | BRANCH | {"conditions":[{"condition":{"value":"${steps.ask.outputs.formData}"},"result":"YES"}]} | | YES>stop NO_MATCH>stop`, "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found := verifier.Check(sketch(t, tt.flow), kinds())
			if got := codes(found); got != tt.want {
				t.Errorf("found %s\n%s", got, lines(found))
			}
		})
	}
}

func TestWhatIsHardlyEverMeant(t *testing.T) {
	tests := map[string]struct{ flow, want string }{
		"a failed look-up leads on as a success does": {
			strings.ReplaceAll(named, ">check ERROR>ask", ">stop ERROR>stop") + "\nstop | TERMINATE_FLOW | | |", "",
		},
		"a failed look-up leads to another form before the one that asked": {
			strings.Replace(named, "ERROR>ask", "ERROR>other", 1) + `
other | FORM | {"form":{"id":"3"}} | | SUBMITTED>ask
check | TERMINATE_FLOW | | |`, "w TELLS_ACCOUNTS look",
		},
		"a failed registration leads elsewhere": {
			`
ask | FORM | {"form":{"id":"1"}} | | SUBMITTED>make
make | USER_CREATE | | {"user":"${steps.ask.outputs.formData.user}"} | SUCCEEDED>stop ERROR>sorry
sorry | TERMINATE_FLOW | | |
stop | TERMINATE_FLOW | | |`, "",
		},
		"a password is kept, and its failure ends the flow": {
			`
ask | FORM | {"form":{"id":"1"}} | | SUBMITTED>keep
keep | KEEPS | | {"password":"${steps.ask.outputs.formData.user.password}"} | DONE>stop
stop | TERMINATE_FLOW | | |`, "w NO_ERROR_OUTLET keep",
		},
	}
	tests["a proof is taken of what was typed before"] = struct{ flow, want string }{`
ask | FORM | {"form":{"id":"3"}} | | SUBMITTED>prove
prove | PROVES | | | DONE>stop
stop | TERMINATE_FLOW | | |`, "w NO_ERROR_OUTLET prove"}
	const gate = `
asks | CALLS | | | OUT>judge %s
judge | BRANCH | {"conditions":[{"condition":{"value":"${flow.inputs.parameters.x}"},"result":"YES"}]} | | YES>go NO_MATCH>stop
go | COMPLETE_FLOW | {"result":"REDIRECT"} | |
stop | TERMINATE_FLOW | | |
form | FORM | {"form":{"id":"3"}} | | SUBMITTED>asks`
	for name, tt := range map[string]struct{ outlets, want string }{
		"a failed call ends the flow":                  {"ERROR>stop", "w UNREACHABLE_STEP form"},
		"a failed call asks a person":                  {"ERROR>form", ""},
		"a failed call ends as the answer might":       {"ERROR>go", "w FAILS_OPEN asks, w UNREACHABLE_STEP form"},
		"a call that takes too long goes where others": {"ERROR>form TIMEOUT>judge", "w FAILS_OPEN asks"},
		"a call that is not made goes on":              {"ERROR>form TIMEOUT>stop UNAVAILABLE>judge", "w FAILS_OPEN asks"},
	} {
		tests[name] = struct{ flow, want string }{fmt.Sprintf(gate, tt.outlets), strings.TrimPrefix(tt.want+", w NOBODY_NAMED go", ", ")}
	}
	calls := flow.Step{Results: []flow.StepResult{{Name: "OUT"}}, Failures: []flow.StepFailure{{Name: flow.TimeoutResult}, {Name: flow.UnavailableResult}}}
	list := append(kinds(), plain("CALLS", calls), plain("PROVES", flow.Step{Results: results(&totp, "", "DONE")}), plain("KEEPS", flow.Step{Secrets: []string{"password"}, Results: []flow.StepResult{{Name: "DONE"}}}))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if found := verifier.Check(sketch(t, tt.flow), list); codes(found) != tt.want {
				t.Errorf("found %s\n%s", codes(found), lines(found))
			}
		})
	}
}

// Outputs of a step that was put into another plan have its key of then, which
// has dots.
func TestAVariableOfAStepWithDotsInItsKey(t *testing.T) {
	p := sketch(t, `
10.ask | FORM | {"form":{"id":"3"}} | | SUBMITTED>b
b | BRANCH | {"conditions":[{"condition":{"value":"${steps.10.ask.outputs.formData.user.username}"},"result":"YES"}]} | | YES>stop NO_MATCH>stop
stop | TERMINATE_FLOW | | |`)
	if found := verifier.Check(p, kinds()); len(found) != 0 {
		t.Error(lines(found))
	}
	p.Nodes["b"].Config = map[string]any{"conditions": []any{map[string]any{"condition": map[string]any{"value": "${steps.10.ask.outputs.formData.nothing}"}, "result": "YES"}}}
	if got := codes(verifier.Check(p, kinds())); got != "e UNKNOWN_OUTPUT b" {
		t.Error(got)
	}
}

// The plans of sign-on policies, of the kinds of the product, which say little of
// themselves.
func TestSignOnPoliciesAreSound(t *testing.T) {
	kinds := steps.Builtin(steps.Parts{})
	for _, actions := range [][]string{
		{`{"type":"LOGIN","priority":1}`},
		{`{"type":"LOGIN","priority":1,"recovery":{"enabled":true},"registration":{"enabled":true}}`},
		{`{"type":"IDENTIFIER_FIRST","priority":1,"recovery":{"enabled":true}}`, `{"type":"LOGIN","priority":2,"condition":{"greater":5,"secondsSince":"${session.lastSignOn.at}"}}`},
	} {
		var raw []json.RawMessage
		for _, a := range actions {
			raw = append(raw, json.RawMessage(a))
		}
		src, _, err := policy.Source(json.RawMessage(`{"name":"P"}`), raw, nil, kinds)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := policy.Compile(src, kinds)
		if err != nil {
			t.Fatal(err)
		}
		if found := verifier.Check(plan, kinds); len(found) != 0 {
			t.Errorf("%v:\n%s", actions, lines(found))
		}
	}
}

// silent is a kind that is no flow.Stepper.
type silent struct{ name string }

func (silent) Check(c json.RawMessage) (any, error) { return c, nil }
func (silent) Enter(context.Context, *flow.Turn) (flow.Outcome, error) {
	return flow.Outcome{}, errors.New("is only described")
}

func (s silent) Meta() flow.Meta {
	m := flow.Meta{Name: s.name, Results: []string{"DONE"}}
	switch s.name {
	case "ASK":
		m.Factors, m.Actions = flow.Knowledge, []flow.Action{{Name: "answer"}}
	case "DOOR":
		m.Factors, m.Actions = flow.Knowledge, []flow.Action{{Name: "knock", Opens: true}}
	}
	return m
}

// never is a guard.
type never struct{}

func (never) Holds(time.Time, func(string) any) bool { return false }

func TestWhatAPolicyAsksForIsProven(t *testing.T) {
	kinds := []flow.Kind{silent{"ASK"}, silent{"PASS"}, silent{"DOOR"}}
	node := func(key, kind, next string, asks flow.Factor) *flow.Node {
		return &flow.Node{Key: key, Kind: kind, Factors: asks, Outlets: map[string]string{"DONE": next}}
	}
	guarded := func(n *flow.Node) *flow.Node {
		n.Guard = never{}
		return n
	}
	beside := node("a", "ASK", "", 0)
	beside.Beside = []string{"b"}
	linked := node("a", "PASS", "b", flow.Possession)
	linked.Links = []flow.Link{{Name: "registration.experience", Next: "b"}}
	back := node("a", "PASS", "b", 0) // whoever comes back goes to c
	back.Links = []flow.Link{{Name: "registration.experience", Next: "c"}}
	tests := map[string]struct {
		nodes []*flow.Node
		want  string
	}{
		"by another definition":           {[]*flow.Node{back, node("b", "ASK", "", 0), node("c", "PASS", "", flow.Possession)}, ""},
		"proven":                          {[]*flow.Node{node("a", "ASK", "", flow.Knowledge)}, ""},
		"another class":                   {[]*flow.Node{node("a", "ASK", "", flow.Possession)}, "e UNPROVEN_USER a"},
		"not at all":                      {[]*flow.Node{node("a", "PASS", "", flow.Knowledge)}, "e UNPROVEN_USER a"},
		"asked for nothing":               {[]*flow.Node{node("a", "PASS", "", 0)}, "w NOBODY_NAMED a"},
		"or by the session":               {[]*flow.Node{guarded(node("a", "ASK", "", flow.Knowledge))}, ""},
		"skipped, and asked for nothing":  {[]*flow.Node{guarded(node("a", "ASK", "", 0))}, "w NOBODY_NAMED a"},
		"by the door beside it":           {[]*flow.Node{beside, node("b", "DOOR", "", 0)}, ""},
		"by a door that leads past it":    {[]*flow.Node{beside, node("b", "PASS", "", 0)}, "w NOBODY_NAMED b"},
		"by another definition or not":    {[]*flow.Node{linked, node("b", "PASS", "", 0)}, "e UNPROVEN_USER b"},
		"round and round without asking":  {[]*flow.Node{node("a", "PASS", "b", 0), node("b", "PASS", "a", 0)}, "e DEAD_END a, e ENDLESS_LOOP a"},
		"round and round with an outlet":  {[]*flow.Node{node("a", "ASK", "b", 0), node("b", "PASS", "a", 0)}, "e DEAD_END a"},
		"a node that leads to none there": {[]*flow.Node{node("a", "ASK", "nowhere", 0)}, "e DEAD_END a"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := &flow.Plan{Name: "P", Entry: "a", Nodes: map[string]*flow.Node{}}
			for _, n := range tt.nodes {
				p.Nodes[n.Key] = n
			}
			found := verifier.Check(p, kinds)
			if got := codes(found); got != tt.want {
				t.Errorf("found %s\n%s", got, lines(found))
			}
		})
	}
}

func TestAPlanWithoutItsEntry(t *testing.T) {
	p := &flow.Plan{Name: "P", Entry: "a", Nodes: map[string]*flow.Node{"b": {Key: "b", Kind: "TERMINATE_FLOW"}}}
	if got := codes(verifier.Check(p, kinds())); got != "e DEAD_END a" {
		t.Error(got)
	}
}

// A definition in which a person may have shown any of many things at each step
// is refused, not verified by halves.
func TestTooManyWaysToHaveProvenOneselfAreRefused(t *testing.T) {
	// wide is n steps, each of which proves one thing or another.
	wide := func(n int) (*flow.Plan, []flow.Kind) {
		p := &flow.Plan{Name: "wide", Definition: "d", Trigger: flow.TriggerSignOnPolicy, Entry: "s00", Nodes: map[string]*flow.Node{}}
		var list []flow.Kind
		for i := range n {
			name, key := fmt.Sprintf("KIND%d", i), fmt.Sprintf("s%02d", i)
			taken := func(side string) []flow.Taken {
				return []flow.Taken{{Factors: flow.Possession, Authenticator: key + side}}
			}
			list = append(list, plain(name, flow.Step{Waits: true, Results: []flow.StepResult{
				{Name: "LEFT", Takes: taken("l"), Confirms: i == 0, Names: true}, {Name: "RIGHT", Takes: taken("r"), Confirms: i == 0, Names: true},
			}}))
			next := fmt.Sprintf("s%02d", i+1)
			p.Nodes[key] = &flow.Node{Key: key, Kind: name, Outlets: map[string]string{"LEFT": next, "RIGHT": next}}
		}
		last := fmt.Sprintf("s%02d", n)
		p.Nodes[last] = &flow.Node{Key: last, Kind: "TERMINATE_FLOW"}
		return p, append(list, kinds()...)
	}
	plan, list := wide(6) // 2^6 states at the last step
	if found := verifier.Check(plan, list); len(found) != 0 {
		t.Error(lines(found))
	}
	plan, list = wide(7)
	if got := codes(verifier.Check(plan, list)); got != "e TOO_MANY_STATES s07" {
		t.Error(got)
	}
	if n := verifier.Visited(plan, list); n > 1+2+4+8+16+32+64+65 {
		t.Errorf("%d states were explored before it was refused", n)
	}
}

func TestMoreStepsThanOneSubmitPassesAreRefused(t *testing.T) {
	// idle is a definition of n steps that ask nobody, and an end.
	idle := func(n int) *flow.Plan {
		p := &flow.Plan{Name: "idle", Definition: "d", Trigger: flow.TriggerExperience, Entry: "s000", Nodes: map[string]*flow.Node{}}
		for i := range n {
			key := fmt.Sprintf("s%03d", i)
			p.Nodes[key] = &flow.Node{Key: key, Kind: "IDLE", Outlets: map[string]string{"DONE": fmt.Sprintf("s%03d", i+1)}}
		}
		last := fmt.Sprintf("s%03d", n)
		p.Nodes[last] = &flow.Node{Key: last, Kind: "TERMINATE_FLOW"}
		return p
	}
	list := append(kinds(), plain("IDLE", flow.Step{Results: []flow.StepResult{{Name: "DONE"}}}))
	for n, want := range map[int]string{flow.MostNodes - 1: "", flow.MostNodes: "e TOO_MANY_STEPS s000"} {
		if got := codes(verifier.Check(idle(n), list)); got != want {
			t.Errorf("%d steps: %s", n, got)
		}
	}
}

func TestMoreProofsThanCanBeToldApartAreRefused(t *testing.T) {
	var many []flow.Taken
	for i := range 65 {
		many = append(many, flow.Taken{Factors: flow.Possession, Authenticator: fmt.Sprint(i)})
	}
	p := sketch(t, `
a | MANY | | | DONE>b
b | TERMINATE_FLOW | | |`)
	for n, want := range map[int]string{64: "", 65: "e TOO_MANY_STATES a"} {
		list := append(kinds(), plain("MANY", flow.Step{Waits: true, Results: []flow.StepResult{{Name: "DONE", Takes: many[:n]}}}))
		if got := codes(verifier.Check(p, list)); got != want {
			t.Errorf("%d proofs: %s", n, got)
		}
	}
}
