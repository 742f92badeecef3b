package definition_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/definition"
	"doorward/runtime/flow"
)

func stepOf(input string) flow.Step { return flow.Step{Input: json.RawMessage(input)} }

// invoke is a step that calls a definition.
func invoke(key, id, next, more string) string {
	return fmt.Sprintf(`%q:{"type":"FLOW_INVOKE","configuration":{"flowDefinition":{"id":%q}},"input":{"parameters":{"who":"${steps.first.outputs.name}"}},"outlets":{"SUCCEEDED":{"next":%q}%s}}`, key, id, next, more)
}

// library is a definition that is called, which calls another one.
func library() shelf {
	s := stock()
	s["flowDefinition/inner"] = define("inner", "SIGN_ON_POLICY", "ask", `
		"ask":{"type":"FORM","configuration":`+formOne+`,"input":{"formData":{"name":"${flow.inputs.parameters.who}","id":"${flow.id}"}},"outlets":{"SUBMITTED":{"next":"look"}}},
		"look":{"type":"BRANCH","configuration":{"conditions":[{"result":"YES","condition":{"and":[{"value":"${steps.ask.outputs.formData.yes}","equals":true},{"value":"${flow.inputs.parameters.who}","equals":"ada"}]}}]},
			"outlets":{"YES":{"next":"deep"},"NO_MATCH":{"next":"stop"}}},
		"deep":{"type":"FLOW_INVOKE","configuration":{"flowDefinition":{"id":"leaf"}},"outlets":{"SUCCEEDED":{"next":"done"}}},
		"stop":{"type":"TERMINATE_FLOW","input":{"error":{"code":"NO","message":"${steps.ask.outputs.why}"}}},
		"done":{"type":"COMPLETE_FLOW","configuration":{"result":"COMPLETE"},"input":{"parameters":{"got":"${steps.deep.outputs.parameters.x}"}}}`)
	s["flowDefinition/leaf"] = define("leaf", "EXPERIENCE", "key", `
		"key":{"type":"PASSKEY","outlets":{"VALID":{"next":"out"}}},
		"out":{"type":"COMPLETE_FLOW","configuration":{"result":"REDIRECT"},"input":{"parameters":{"x":"${steps.key.outputs.id}"}}}`)
	return s
}

const first = `"first":{"type":"USER_PASSWORD_SEND_RECOVERY_CODE","input":{"user":{}},"outlets":{"SUCCEEDED":{"next":"sub"}}},`

// told is a node in one line: where it leads, what it keeps, what it reads.
func told(n *flow.Node) string {
	var ways []string
	for _, result := range slices.Sorted(maps.Keys(n.Outlets)) {
		ways = append(ways, result+">"+n.Outlets[result])
	}
	var uses []string
	if n.Input != nil {
		for _, u := range n.Input.Uses() {
			uses = append(uses, strings.Join(u.Path, "."))
		}
	}
	return strings.TrimRight(n.Kind+" "+strings.Join(ways, " ")+" |"+n.As+"| "+strings.Join(uses, " "), " ")
}

func tellAll(nodes map[string]*flow.Node) map[string]string {
	out := map[string]string{}
	for key, n := range nodes {
		if key != n.Key {
			key += " is " + n.Key
		}
		out[key] = told(n)
	}
	return out
}

func TestACallHoldsTheStepsOfTheOther(t *testing.T) {
	tests := map[string]struct {
		outlets string
		want    map[string]string
	}{
		"whose failures fail the flow": {"", map[string]string{
			"first":        "USER_PASSWORD_SEND_RECOVERY_CODE SUCCEEDED>sub ||",
			"sub":          "FLOW_INVOKE SUCCEEDED>sub/ask |sub/| steps.first.outputs.name",
			"sub/ask":      "FORM SUBMITTED>sub/look || flow.id steps.sub/.outputs.parameters.who",
			"sub/look":     "BRANCH NO_MATCH>sub/stop YES>sub/deep ||",
			"sub/deep":     "FLOW_INVOKE SUCCEEDED>sub/deep/key |sub/deep/|",
			"sub/deep/key": "PASSKEY VALID>sub/deep/out ||",
			"sub/deep/out": "COMPLETE_FLOW REDIRECT>sub/done |sub/deep| steps.sub/deep/key.outputs.id",
			"sub/stop":     "TERMINATE_FLOW  || steps.sub/ask.outputs.why",
			"sub/done":     "COMPLETE_FLOW COMPLETE>end |sub| steps.sub/deep.outputs.parameters.x",
			"end":          "COMPLETE_FLOW REDIRECT> || steps.sub.outputs.parameters.got",
		}},
		"whose failures lead on": {`,"ERROR":{"next":"first"}`, map[string]string{
			"first":        "USER_PASSWORD_SEND_RECOVERY_CODE SUCCEEDED>sub ||",
			"sub":          "FLOW_INVOKE SUCCEEDED>sub/ask |sub/| steps.first.outputs.name",
			"sub/":         "FLOW_INVOKE ERROR>first |sub|",
			"sub/ask":      "FORM ERROR>sub/ SUBMITTED>sub/look || flow.id steps.sub/.outputs.parameters.who",
			"sub/look":     "BRANCH ERROR>sub/ NO_MATCH>sub/stop YES>sub/deep ||",
			"sub/deep":     "FLOW_INVOKE SUCCEEDED>sub/deep/key |sub/deep/|",
			"sub/deep/":    "FLOW_INVOKE ERROR>sub/ |sub/deep|",
			"sub/deep/key": "PASSKEY ERROR>sub/deep/ VALID>sub/deep/out ||",
			"sub/deep/out": "COMPLETE_FLOW REDIRECT>sub/done |sub/deep| steps.sub/deep/key.outputs.id",
			"sub/stop":     "TERMINATE_FLOW ERROR>sub/ || steps.sub/ask.outputs.why",
			"sub/done":     "COMPLETE_FLOW COMPLETE>end |sub| steps.sub/deep.outputs.parameters.x",
			"end":          "COMPLETE_FLOW REDIRECT> || steps.sub.outputs.parameters.got",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body := define("d", "EXPERIENCE", "first", first+invoke("sub", "inner", "end", tt.outlets)+
				`,"end":{"type":"COMPLETE_FLOW","configuration":{"result":"REDIRECT"},"input":{"parameters":{"p":"${steps.sub.outputs.parameters.got}"}}}`)
			plan := compile(t, body, library())
			if diff := cmp.Diff(tt.want, tellAll(plan.Nodes)); diff != "" {
				t.Error(diff)
			}
			raised := func(context *flow.Turn) string {
				for _, k := range kinds() {
					if k.Meta().Name == "FLOW_INVOKE" {
						out, err := k.Enter(t.Context(), context)
						if err != nil || out.Failure == nil {
							t.Fatalf("%+v, %v", out, err)
						}
						return out.Failure.Code
					}
				}
				return ""
			}
			if n := plan.Nodes["sub/"]; n != nil {
				turn := flow.NewTurn(flow.Ref{}, n.Key, n.Config, time.Time{}, nil, 0, flow.Digest{})
				turn.Failed = &flow.Failure{Code: "NO"}
				if got := raised(turn); got != "NO" {
					t.Errorf("hands on %q", got)
				}
			}
		})
	}
}

func TestABranchInsideACallReadsWhatIsInsideIt(t *testing.T) {
	plan := compile(t, define("d", "EXPERIENCE", "first", first+invoke("sub", "inner", "end", "")+","+endStep), library())
	facts := map[string]any{"steps.sub/ask.outputs.formData.yes": true, "steps.sub/.outputs.parameters.who": "ada"}
	n := plan.Nodes["sub/look"]
	turn := flow.NewTurn(flow.Ref{}, n.Key, n.Config, time.Time{}, nil, 0, flow.Digest{})
	turn.Fact = func(name string) any { return facts[name] }
	for _, k := range kinds() {
		if k.Meta().Name != "BRANCH" {
			continue
		}
		if out, err := k.Enter(t.Context(), turn); err != nil || out.Name != "YES" {
			t.Errorf("leads to %q, %v", out.Name, err)
		}
		s, _ := k.(flow.Stepper)
		if got := s.Step("", n.Config).Reads; !slices.Equal(got, []string{"steps.sub/ask.outputs.formData.yes", "steps.sub/.outputs.parameters.who"}) {
			t.Errorf("reads %q", got)
		}
	}
}

func TestCallsThatCannotBe(t *testing.T) {
	calls := func(id, called string) string {
		return define(id, "EXPERIENCE", "c", fmt.Sprintf(`"c":{"type":"FLOW_INVOKE","configuration":{"flowDefinition":{"id":%q}},"outlets":{"SUCCEEDED":{"next":"end"}}},`, called)+endStep)
	}
	long := stock()
	for i := range 12 {
		long[fmt.Sprintf("flowDefinition/%d", i)] = calls(fmt.Sprint(i), fmt.Sprint(i+1))
	}
	long["flowDefinition/12"] = define("12", "EXPERIENCE", "end", endStep)
	big := stock()
	big["flowDefinition/big"] = define("big", "EXPERIENCE", "end", many(90)+endStep)
	at := "$.stepDefinitions.c.configuration.flowDefinition.id: "
	tests := map[string]struct {
		body string
		res  shelf
		want []string
	}{
		"itself":       {calls("a", "a"), stock(), []string{at + `makes a circle of calls: "Flow a", then "Flow a"`}},
		"in a circle":  {calls("a", "b"), shelf{"flowDefinition/b": calls("b", "c"), "flowDefinition/c": calls("c", "a")}, []string{at + `calls the definition "Flow b", in which ` + at + `calls the definition "Flow c", in which ` + at + `makes a circle of calls: "Flow a", then "Flow b", then "Flow c", then "Flow a"`}},
		"a broken one": {calls("a", "b"), shelf{"flowDefinition/b": strings.Replace(calls("b", "x"), "true", "1", 1)}, []string{at + `calls the definition "Flow b", in which $.enabled: takes`}},
		"too deep":     {calls("a", "3"), long, []string{at + `calls the definition "Flow 3", in which`}},
		"too many steps": {
			define("a", "EXPERIENCE", "c", strings.Join([]string{invoke("c", "big", "e", ""), invoke("e", "big", "f", ""), invoke("f", "big", "end", "")}, ",")+`,"first":{"type":"PASSKEY","outlets":{"VALID":{"next":"end"}}},`+endStep),
			big,
			[]string{"$.stepDefinitions: comes to more than 200 steps"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { wantFaults(t, tt.body, tt.res, tt.want) })
	}
	t.Run("eight deep is taken", func(t *testing.T) { compile(t, calls("a", "5"), long) })
	t.Run("eight deep is taken in any order", func(t *testing.T) {
		body := define("a", "EXPERIENCE", "c", strings.Join([]string{invoke("c", "7", "e", ""), invoke("e", "6", "f", ""), invoke("f", "5", "end", "")}, ",")+`,"first":{"type":"PASSKEY","outlets":{"VALID":{"next":"end"}}},`+endStep)
		compile(t, body, long)
	})
	t.Run("nine deep is not, though each was read", func(t *testing.T) {
		body := define("a", "EXPERIENCE", "c", strings.Join([]string{invoke("c", "5", "e", ""), invoke("e", "4", "end", "")}, ",")+`,"first":{"type":"PASSKEY","outlets":{"VALID":{"next":"end"}}},`+endStep)
		wantFaults(t, body, long, []string{"$.stepDefinitions: calls definitions deeper than 8"})
	})
}

func TestADefinitionInsideAnotherPlan(t *testing.T) {
	body := define("d", "SIGN_ON_POLICY", "first", first+invoke("sub", "leaf", "end", `,"ERROR":{"next":"first"}`)+
		`,"end":{"type":"COMPLETE_FLOW","configuration":{"result":"COMPLETE"},"input":{"context":{"user":{"id":"${steps.sub.outputs.parameters.x}"}},"parameters":{"a":"${flow.inputs.parameters.a}"}}}`)
	src, _, err := definition.Source(json.RawMessage(body), library(), kinds())
	if err != nil {
		t.Fatal(err)
	}
	part, err := definition.Read(src)
	if err != nil || part.Trigger() != "SIGN_ON_POLICY" {
		t.Fatal(part, err)
	}
	nodes, err := part.Nodes("20", "30.identify", kinds())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*flow.Node{}
	for _, n := range nodes {
		got[n.Key] = n
	}
	want := map[string]string{
		"20":         "FLOW_INVOKE SUCCEEDED>20.first |20/|",
		"20.first":   "USER_PASSWORD_SEND_RECOVERY_CODE SUCCEEDED>20.sub |20/first|",
		"20.sub":     "FLOW_INVOKE SUCCEEDED>20.sub/key |20/sub/| steps.20/first.outputs.name",
		"20.sub/":    "FLOW_INVOKE ERROR>20.first |20/sub|",
		"20.sub/key": "PASSKEY ERROR>20.sub/ VALID>20.sub/out |20/sub/key|",
		"20.sub/out": "COMPLETE_FLOW REDIRECT>20.end |20/sub| steps.20/sub/key.outputs.id",
		"20.end":     "COMPLETE_FLOW COMPLETE>30.identify |20/end| steps.20/sub.outputs.parameters.x flow.inputs.parameters.a",
	}
	if diff := cmp.Diff(want, tellAll(got)); diff != "" {
		t.Error(diff)
	}
	if nodes[0].Key != "20" || nodes[0].Factors != flow.Possession|flow.Inherence {
		t.Errorf("begins with %q, which asks for %d", nodes[0].Key, nodes[0].Factors)
	}
}

func TestTheEntryAsksForWhatEveryWayTakes(t *testing.T) {
	const done = `"end":{"type":"COMPLETE_FLOW","configuration":{"result":"COMPLETE"}}`
	verify := func(key, next, more string) string {
		return fmt.Sprintf(`,%q:{"type":"USER_ACCOUNT_VERIFY","configuration":{"allowSkip":%t},"input":{"user":{}},"outlets":{"VERIFIED":{"next":%q}%s}}`, key, more != "", next, more)
	}
	either := func(next, other string) string {
		return `,"pick":{"type":"BRANCH","configuration":{"conditions":[{"result":"X","condition":{"value":"${user.a}","equals":true}}]},"outlets":{"X":{"next":"` + next + `"},"NO_MATCH":{"next":"` + other + `"}}}`
	}
	stop := `,"stop":{"type":"TERMINATE_FLOW","input":{"error":{"code":"X","message":"Y"}}}`
	tests := map[string]struct {
		first, steps string
		want         flow.Factor
	}{
		"nothing":                                      {"end", done, 0},
		"a password":                                   {"check", done + "," + checkStep, flow.Knowledge},
		"a code":                                       {"v", done + verify("v", "end", ""), flow.Possession},
		"a code, or not":                               {"v", done + verify("v", "end", `,"SKIPPED":{"next":"end"}`), 0},
		"a code, or the end of it":                     {"v", done + stop + verify("v", "end", `,"SKIPPED":{"next":"stop"}`), flow.Possession},
		"a password, then a code: one of them":         {"v", done + "," + checkStep + verify("v", "check", ""), flow.Knowledge},
		"a password or a code":                         {"pick", done + "," + checkStep + verify("v", "end", "") + either("check", "v"), 0},
		"a code or a passkey":                          {"pick", done + verify("v", "end", "") + either("k", "v") + `,"k":{"type":"PASSKEY","outlets":{"VALID":{"next":"end"}}}`, flow.Possession},
		"a passkey, also after a failure":              {"k", done + `,"k":{"type":"PASSKEY","outlets":{"VALID":{"next":"end"},"ERROR":{"next":"k"}}}`, flow.Possession | flow.Inherence},
		"a passkey, but a failure goes on":             {"k", done + `,"k":{"type":"PASSKEY","outlets":{"VALID":{"next":"end"},"ERROR":{"next":"end"}}}`, 0},
		"nothing, as it never ends":                    {"v", done + verify("v", "v", ""), 0},
		"a code on a way round, a password at the end": {"pick", done + "," + checkStep + verify("v", "pick", "") + either("check", "v"), flow.Knowledge},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			src, _, err := definition.Source(json.RawMessage(define("d", "SIGN_ON_POLICY", tt.first, tt.steps)), stock(), kinds())
			if err != nil {
				t.Fatal(err)
			}
			part, err := definition.Read(src)
			if err != nil {
				t.Fatal(err)
			}
			nodes, err := part.Nodes("1", "", kinds())
			if err != nil || nodes[0].Factors != tt.want {
				t.Errorf("asks for %03b, want %03b: %v", nodes[0].Factors, tt.want, err)
			}
		})
	}
}
