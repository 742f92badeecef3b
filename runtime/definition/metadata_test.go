package definition_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/definition"
	"doorward/runtime/flow"
	"doorward/steps/branch"
	"doorward/steps/complete"
)

func TestMetadataDescribesAStepAsItIsConfigured(t *testing.T) {
	form, _ := kinds()[4].(flow.Stepper)
	tests := map[string]struct {
		kind            flow.Stepper
		trigger, config string
		want            map[string]any // by dotted path
	}{
		"an end in general":       {complete.New(), "", "", map[string]any{"typeName": "COMPLETE_FLOW", "version": "1", "displayName": "Complete Flow", "terminal": true, "configurationSchema.properties.result.enum": []any{"REDIRECT", "COMPLETE"}, "resultMetadata": []any{}}},
		"an end of a trigger":     {complete.New(), "EXPERIENCE", "null", map[string]any{"configurationSchema.properties.result.enum": []any{"REDIRECT"}}},
		"an end of the other":     {complete.New(), "SIGN_ON_POLICY", `{"result":"COMPLETE"}`, map[string]any{"configurationSchema.properties.result.enum": []any{"COMPLETE"}}},
		"a branch":                {branch.New(), "EXPERIENCE", "", map[string]any{"terminal": false, "resultMetadata": []any{map[string]any{"typeName": "NO_MATCH", "displayName": "No match", "description": "None of the conditions holds."}}}},
		"a form by its own":       {form, "EXPERIENCE", `{"form":{"id":"aaaaaaaa-0000-4000-8000-000000000004"}}`, map[string]any{"resultMetadata": []any{result("SUBMITTED"), result("resendCode")}}},
		"a branch by its results": {branch.New(), "EXPERIENCE", `{"conditions":[{"result":"GOLD","displayName":"Gold","condition":{"value":"${user.type}","equals":"gold"}}]}`, map[string]any{"resultMetadata": []any{map[string]any{"typeName": "GOLD", "displayName": "Gold", "description": "The first condition that holds leads to GOLD."}, map[string]any{"typeName": "NO_MATCH", "displayName": "No match", "description": "None of the conditions holds."}}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc, err := definition.Metadata(tt.kind, tt.trigger, json.RawMessage(tt.config), stock())
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(doc, &got); err != nil {
				t.Fatal(err)
			}
			for at, want := range tt.want {
				var v any = got
				for name := range strings.SplitSeq(at, ".") {
					m, _ := v.(map[string]any)
					v = m[name]
				}
				if diff := cmp.Diff(want, v); diff != "" {
					t.Errorf("%s: %s", at, diff)
				}
			}
		})
	}
}

func result(name string) any {
	return map[string]any{"typeName": name, "displayName": "", "description": ""}
}

func TestMetadataOfWhatCannotBeIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ trigger, config, want string }{
		"an unknown trigger": {"TIMER", "", "$.trigger.type: takes EXPERIENCE or SIGN_ON_POLICY"},
		"no JSON":            {"EXPERIENCE", "{", "$.configuration: "},
		"another type":       {"EXPERIENCE", "[]", "$.configuration: takes an object"},
		"another result":     {"EXPERIENCE", `{"result":"COMPLETE"}`, "$.configuration.result: takes REDIRECT"},
	} {
		if _, err := definition.Metadata(complete.New(), tt.trigger, json.RawMessage(tt.config), nil); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryKindIsDescribedTheSameEveryTime(t *testing.T) {
	for _, k := range kinds() {
		s, _ := k.(flow.Stepper)
		first, err := definition.Metadata(s, "EXPERIENCE", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := definition.Metadata(s, "EXPERIENCE", nil, nil)
		if err != nil || string(first) != string(again) {
			t.Errorf("%s, then %s: %v", first, again, err)
		}
	}
	triggers, err := definition.Triggers()
	if err != nil || len(triggers) != 2 || !strings.Contains(string(triggers[1]), `"typeName":"SIGN_ON_POLICY"`) {
		t.Errorf("%s, %v", triggers, err)
	}
}

func TestNobodysWordsBecomeMarkup(t *testing.T) {
	plan := compile(t, define("d", "EXPERIENCE", "stop", `"stop":{"type":"TERMINATE_FLOW","input":{"error":{"code":"${flow.inputs.parameters.x}","message":"<b>${flow.inputs.parameters.x}</b>"}}}`), nil)
	got := plan.Nodes["stop"].Input.Resolve(func([]string) any { return "<i>" })
	if diff := cmp.Diff(map[string]any{"error": map[string]any{"code": "<i>", "message": "<b>&lt;i&gt;</b>"}}, got); diff != "" {
		t.Error(diff)
	}
}
