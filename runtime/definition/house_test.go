package definition_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"doorward/runtime/definition"
	"doorward/runtime/document"
	"doorward/runtime/flow"
	"doorward/steps/branch"
	"doorward/steps/call"
	"doorward/steps/complete"
	"doorward/steps/mfachallenge"
	"doorward/steps/mfaenrollment"
	"doorward/steps/terminate"
)

// kind is a step kind that is described and never entered.
type kind struct {
	name     string
	step     flow.Step
	results  func(config map[string]any) []flow.StepResult
	requires string // member of the configuration that Check wants
}

func (k kind) Meta() flow.Meta { return flow.Meta{Name: k.name, Doc: "stands for " + k.name} }

func (k kind) Step(_ string, config any) flow.Step {
	s := k.step
	if m, ok := config.(map[string]any); ok && k.results != nil {
		s.Results = k.results(m)
	}
	return s
}

func (k kind) Check(config json.RawMessage) (any, error) {
	m := map[string]any{}
	if err := json.Unmarshal(config, &m); err != nil {
		return nil, err
	}
	if k.requires != "" && m[k.requires] == nil {
		var faults document.Faults
		faults.Add(document.Root.Member(k.requires), "is wanted")
		return nil, faults
	}
	return m, nil
}

func (kind) Enter(context.Context, *flow.Turn) (flow.Outcome, error) {
	return flow.Outcome{}, errors.New("is not run")
}

func schema(members string, required ...string) json.RawMessage {
	return fmt.Appendf(nil, `{"type":"object","properties":{%s},"required":["%s"]}`, members, strings.Join(required, `","`))
}

const user = `"user":{"type":"object","properties":{"id":{"type":"string"},"password":{"type":"string"},"preferredLanguage":{"type":"string"}},"additionalProperties":false}`

// outlets are results that prove nothing.
func outlets(names ...string) (out []flow.StepResult) {
	for _, n := range names {
		out = append(out, flow.StepResult{Name: n})
	}
	return out
}

// proves is a result that takes proofs of the user, by their factors.
func proves(name string, factors ...flow.Factor) flow.StepResult {
	r := flow.StepResult{Name: name}
	for _, f := range factors {
		r.Takes = append(r.Takes, flow.Taken{Factors: f})
	}
	return r
}

// formResults are SUBMITTED and one for each button of a form.
func formResults(config map[string]any) []flow.StepResult {
	out := outlets("SUBMITTED")
	form, _ := config["form"].(map[string]any)
	buttons, _ := form["buttons"].([]any)
	for _, b := range buttons {
		out = append(out, flow.StepResult{Name: fmt.Sprint(b)})
	}
	return out
}

// kinds are those that the published bodies need, and the real ones of the house.
func kinds() []flow.Kind {
	ofUser := schema(user, "user")
	agreement := flow.Step{
		Configuration: schema(`"agreement":{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]}`, "agreement"),
		Input:         ofUser, Results: outlets("SAVED"), References: []flow.Reference{{Member: "agreement.id", Kind: "agreement"}},
	}
	return []flow.Kind{
		branch.New(), call.New(), complete.New(), terminate.New(),
		kind{name: "FORM", results: formResults, step: flow.Step{
			Configuration: schema(`"form":{"type":"object","properties":{"id":{"type":"string"}},"required":["id"],"additionalProperties":false}`, "form"),
			Input:         json.RawMessage(`{"type":"object","properties":{"formData":{"type":"object"}}}`),
			References:    []flow.Reference{{Member: "form.id", Kind: "form", Pinned: true}}, Waits: true, Results: outlets("SUBMITTED"),
		}},
		kind{name: "USER_LOOKUP", step: flow.Step{
			Configuration: schema(`"matchAttributes":{"type":"array","items":{"enum":["username","email"]},"minItems":1},"matchPingOneUsersOnly":{"type":"boolean"}`, "matchAttributes"),
			Input:         schema(`"identifier":{"type":"string","minLength":1}`, "identifier"), Results: outlets("PING_ONE_USER_MATCHED"),
		}},
		kind{name: "USER_PASSWORD_CHECK", step: flow.Step{Input: ofUser, Results: []flow.StepResult{
			proves("PASSWORD_VALID", flow.Knowledge), proves("PASSWORD_EXPIRED", flow.Knowledge), proves("MUST_CHANGE_PASSWORD", flow.Knowledge),
		}}},
		kind{name: "USER_PASSWORD_RESET", step: flow.Step{
			Input: schema(user+`,"currentPassword":{"type":"string"},"newPassword":{"type":"string"}`, "newPassword"), Results: outlets("SUCCEEDED"),
		}},
		kind{name: "USER_PASSWORD_SEND_RECOVERY_CODE", step: flow.Step{Input: ofUser, Results: outlets("SUCCEEDED")}},
		kind{name: "USER_PASSWORD_RECOVER", step: flow.Step{
			Input: schema(user+`,"recoveryCode":{"type":"string"},"newPassword":{"type":"string"}`, "recoveryCode"), Results: []flow.StepResult{proves("SUCCEEDED", flow.Possession)},
		}},
		kind{name: "USER_CREATE", requires: "population", step: flow.Step{
			Aliases: []string{"CREATE_USER"}, Configuration: json.RawMessage(`{"type":"object"}`), Input: json.RawMessage(`{"type":"object"}`),
			References: []flow.Reference{{Member: "population.id", Kind: "population"}}, Results: outlets("SUCCEEDED"),
		}},
		kind{
			name: "USER_ACCOUNT_VERIFY", step: flow.Step{Configuration: json.RawMessage(`{"type":"object","properties":{"allowSkip":{"type":"boolean"}}}`), Input: ofUser},
			results: func(config map[string]any) []flow.StepResult {
				if config["allowSkip"] == true {
					return append(outlets("SKIPPED"), proves("VERIFIED", flow.Possession))
				}
				return []flow.StepResult{proves("VERIFIED", flow.Possession)}
			},
		},
		kind{name: "AGREEMENT_CONSENT_FORM", step: agreement},
		kind{name: "AGREEMENT_RECONSENT_FORM", step: agreement},
		mfachallenge.New(nil, nil, nil), mfaenrollment.New(nil, nil),
		kind{name: "PASSKEY", step: flow.Step{Results: []flow.StepResult{proves("VALID", flow.Possession|flow.Inherence)}}},
	}
}

// shelf is resources by kind and id.
type shelf map[string]string

func (s shelf) Resource(kind, id string) (json.RawMessage, bool) {
	body, ok := s[kind+"/"+id]
	return json.RawMessage(body), ok
}

// stock is what the published bodies refer to.
func stock() shelf {
	s := shelf{
		"agreement/55555555-0000-4000-8000-000000000001":  `{}`,
		"population/11111111-0000-4000-8000-0000000000a1": `{}`,
	}
	for i := 1; i <= 5; i++ {
		s[fmt.Sprintf("form/aaaaaaaa-0000-4000-8000-%012d", i)] = fmt.Sprintf(`{"name":"Form %d","modified":"2026-10-20"}`, i)
	}
	s["form/aaaaaaaa-0000-4000-8000-000000000004"] = `{"buttons":["resendCode"]}`
	return s
}

func published(t testing.TB, file string) json.RawMessage {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return withID(t, b, "d1")
}

func withID(t testing.TB, body []byte, id string) json.RawMessage {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	m["id"] = id
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// define is a definition of these steps that begins with the first of them.
func define(id, trigger, first, steps string) string {
	return fmt.Sprintf(`{"id":%q,"name":"Flow %s","enabled":true,"trigger":{"type":%q,"next":%q},"stepDefinitions":{%s}}`, id, id, trigger, first, steps)
}

func compile(t testing.TB, body string, res definition.Resources) *flow.Plan {
	t.Helper()
	src, hash, err := definition.Source(json.RawMessage(body), res, kinds())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := definition.Compile(src, kinds())
	if err != nil {
		t.Fatal(err)
	}
	if plan.Hash != hash || !definition.Is(src) {
		t.Fatalf("%s is not the source of the plan %s", src, plan.Hash)
	}
	return plan
}
