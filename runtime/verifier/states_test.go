package verifier_test

import (
	"testing"

	"doorward/runtime/flow"
	"doorward/runtime/verifier"
)

// Parts of the sketches below: a password that may have expired, and a fork.
const (
	half = ` | USER_PASSWORD_CHECK | | {"user":{"id":"${steps.look.outputs.user.id}","password":"${steps.ask.outputs.formData.user.password}"}} | PASSWORD_VALID>stop ERROR>ask MUST_CHANGE_PASSWORD>stop PASSWORD_EXPIRED>`
	fork = ` | BRANCH | {"conditions":[{"condition":{"value":"${flow.inputs.parameters.x}"},"result":"YES"}]} | | `
	find = ` | USER_LOOKUP | {"matchPingOneUsersOnly":true} | {"identifier":"${steps.ask.outputs.formData.user.username}"} | ERROR>ask PING_ONE_USER_MATCHED>`
	sure = ` | USER_ACCOUNT_VERIFY | {"allowSkip":true} | {"user":{"id":"${steps.look.outputs.user.id}"}} | `
	stop = `
stop | TERMINATE_FLOW | | |
ask  | FORM | {"form":{"id":"2"}} | | SUBMITTED>`
)

// Paths that meet at a step are kept apart where one of them has less than the
// other, in whatever respect; each of these definitions has a hole on the path
// that arrives last.
func TestTheLesserPathIsNotForgotten(t *testing.T) {
	tests := map[string]struct{ flow, want string }{
		"somebody else was named": {
			stop + `fork
fork` + fork + `YES>look NO_MATCH>other
look` + find + `check
other` + find + `check
check | USER_PASSWORD_CHECK | | {"user":{"id":"${flow.context.user.id}","password":"${steps.ask.outputs.formData.user.password}"}} | PASSWORD_VALID>done ERROR>ask MUST_CHANGE_PASSWORD>stop PASSWORD_EXPIRED>stop
done | COMPLETE_FLOW | | {"context":{"user":{"id":"${steps.look.outputs.user.id}"}}} |`, "e UNPROVEN_USER done, w MISSING_VALUE done",
		},
		"it is not sure that it is they": {
			stop + `look
look` + find + `verify
verify` + sure + `VERIFIED>check SKIPPED>check
check` + half + `done` + ends(whom, ``), "e UNPROVEN_USER done",
		},
		"nothing was taken of them": {
			stop + `look
look` + find + `fork
fork` + fork + `YES>check NO_MATCH>long
check` + half + `verify
long | BRANCH | {} | | NO_MATCH>verify
verify` + sure + `VERIFIED>done SKIPPED>stop` + ends(whom, ``), "e UNPROVEN_USER done",
		},
		"what was taken of the one named before": {
			stop + `look
look` + find + `check
check` + half + `again
again` + find + `verify
verify` + sure + `VERIFIED>done SKIPPED>stop
done | COMPLETE_FLOW | | {"context":{"user":{"id":"${steps.again.outputs.user.id}"}}} |`, "e UNPROVEN_USER done",
		},
		"nothing was put out on the longer path": {
			stop + `fork
fork` + fork + `YES>look NO_MATCH>long
look` + find + `meet
long | BRANCH | {} | | NO_MATCH>longer
longer | BRANCH | {} | | NO_MATCH>meet
meet | BRANCH | {} | | NO_MATCH>read
read | USER_READ | | {"user":{"id":"${steps.look.outputs.user.id}"}} | SUCCEEDED>stop`, "e MISSING_VALUE read",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := sketch(t, tt.flow)
			p.Entry = "ask"
			found := verifier.Check(p, kinds())
			if got := codes(found); got != tt.want {
				t.Errorf("found %s\n%s", got, lines(found))
			}
		})
	}
}

// Of what was found of somebody on one path nothing counts once another execution
// has come back with a user.
func TestWhoComesBackIsNotWhoWasNamed(t *testing.T) {
	p := sketch(t, stop+`look
look`+find+`check
check`+half+`wait
wait | FORM | {"form":{"id":"3"}} | | SUBMITTED>stop
verify`+sure+`VERIFIED>done SKIPPED>stop`+ends("${flow.context.user.id}", `"pwd"`))
	p.Entry = "ask"
	p.Nodes["wait"].Links = []flow.Link{{Name: "registration.experience", Next: "verify"}}
	if got := codes(verifier.Check(p, kinds())); got != "e UNTAKEN_CLAIM done" {
		t.Error(got)
	}
}

// The session's proofs, on which a skipped node of a policy relies, are not those
// of whom a definition inside it names.
func TestWhatTheSessionProvedIsNotOfWhoWasNamed(t *testing.T) {
	p := sketch(t, stop+`look
first | BRANCH | {} | | NO_MATCH>ask
look`+find+`done`+ends(whom, ``))
	p.Entry, p.Definition = "first", ""
	n := p.Nodes["first"]
	n.Guard, n.Skip, n.Factors = never{}, "ask", flow.Knowledge
	n.Outlets["NO_MATCH"] = "stop"
	if got := codes(verifier.Check(p, kinds())); got != "e UNPROVEN_USER done" {
		t.Error(got)
	}
}

// What a policy asks for on one path only has to be proven there.
func TestWhatOnePathAsksForIsNotForgotten(t *testing.T) {
	p := &flow.Plan{Name: "P", Entry: "a", Nodes: map[string]*flow.Node{
		"a": {Key: "a", Kind: "PASS", Outlets: map[string]string{"DONE": "c"}, Beside: []string{"b"}},
		"b": {Key: "b", Kind: "PASS", Outlets: map[string]string{"DONE": "c"}, Factors: flow.Possession},
		"c": {Key: "c", Kind: "ASK", Outlets: map[string]string{"DONE": ""}},
	}}
	if got := codes(verifier.Check(p, []flow.Kind{silent{"ASK"}, silent{"PASS"}})); got != "e UNPROVEN_USER c" {
		t.Error(got)
	}
}

// A definition that is no sign-on may end without naming anybody.
func TestAnExperienceMayEndWithoutAUser(t *testing.T) {
	p := sketch(t, `done | COMPLETE_FLOW | | {"context":{"amr":[]}} |`)
	if got := codes(verifier.Check(p, kinds())); got != "w NOBODY_NAMED done" {
		t.Error(got)
	}
	p.Trigger = flow.TriggerExperience
	if got := codes(verifier.Check(p, kinds())); got != "" {
		t.Error(got)
	}
	// One that is called goes on behind its end.
	p = sketch(t, `
done | COMPLETE_FLOW | | {"context":{"amr":[]}} | COMPLETE>stop
stop | TERMINATE_FLOW | | |`)
	if got := codes(verifier.Check(p, kinds())); got != "" {
		t.Error(got)
	}
}

// Only the least states of a step are explored: more proofs on another path make
// no new one, and take one away that has not been explored yet.
func TestOnlyTheLeastStatesAreExplored(t *testing.T) {
	proof := plain("PROVES", flow.Step{Waits: true, Results: []flow.StepResult{{Name: "DONE", Takes: []flow.Taken{totp}}}})
	list := append(kinds(), proof)
	for name, tt := range map[string]struct {
		flow string
		want int
	}{
		"the lesser one first": {`
a` + fork + `YES>c NO_MATCH>b
b | PROVES | | | DONE>c
c | BRANCH | {} | | NO_MATCH>stop
stop | TERMINATE_FLOW | | |`, 4},
		"the lesser one while the other waits": {`
a` + fork + `YES>b NO_MATCH>x
b | PROVES | | | DONE>c
x | BRANCH | {} | | NO_MATCH>c
c | BRANCH | {} | | NO_MATCH>stop
stop | TERMINATE_FLOW | | |`, 6},
	} {
		if n := verifier.Visited(sketch(t, tt.flow), list); n != tt.want {
			t.Errorf("%s: %d states, want %d", name, n, tt.want)
		}
	}
}
