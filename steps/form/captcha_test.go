package form_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"doorward/runtime/flow"
	"doorward/runtime/form"
	steps "doorward/steps/form"
)

func TestCaptcha(t *testing.T) {
	for name, tc := range map[string]struct {
		answer string
		err    error
		want   flow.Verdict
		code   flow.Code
	}{
		"the right answer leaves":              {"right", nil, flow.Results, ""},
		"a wrong one gets another challenge":   {"wrong", nil, flow.Rejects, flow.InvalidData},
		"a provider that is away is not right": {"right", errors.New("away"), 0, flow.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			d := &doorman{}
			k := steps.New(d, nil)
			x := entered(t, k, turn(config(t, k, username, captcha), nil, nil))
			shown, _ := k.Show(x).Values["captcha"].(form.Challenge)
			if shown.Data != "d" || shown.Question != "?" {
				t.Fatalf("shown %+v", shown)
			}
			d.err = tc.err
			out, err := send(t, k, x, "form.submit", flow.Values{"user.username": "ada", "captcha": tc.answer})
			fault := out.Fault
			if err != nil {
				fault = flow.AsFault(err)
			}
			if out.Verdict != tc.want || tc.code != "" && fault.Code != tc.code {
				t.Fatalf("%+v, %v", out, err)
			}
			if d.heard[0] != "e d."+tc.answer+" 192.0.2.1" {
				t.Errorf("checked %q", d.heard)
			}
			if out.Verdict == flow.Rejects {
				if again, _ := k.Show(x).Values["captcha"].(form.Challenge); again.Data != "dd" || out.Fault.Details[0].Target != "captcha" {
					t.Errorf("%+v %+v", again, out.Fault.Details)
				}
			}
			if b, _ := json.Marshal(out.Outputs); strings.Contains(string(b), "right") {
				t.Errorf("the answer is put out: %s", b)
			}
		})
	}
	t.Run("what is wrong elsewhere costs no challenge", func(t *testing.T) {
		d := &doorman{}
		k := steps.New(d, nil)
		x := entered(t, k, turn(config(t, k, username, captcha), nil, nil))
		if _, err := send(t, k, x, "form.submit", flow.Values{"captcha": "right"}); err == nil || len(d.heard) > 0 {
			t.Errorf("%v, checked %q", err, d.heard)
		}
	})
}

func TestAFormThatCannotBeShownFails(t *testing.T) {
	for name, tc := range map[string]struct {
		kind  *steps.Kind
		field string
		data  any
		code  string
	}{
		"a captcha that is not set up":     {steps.New(nil, nil), captcha, nil, "CAPTCHA_UNAVAILABLE"},
		"agreements that are not there":    {steps.New(nil, nil), terms, nil, "AGREEMENT_NOT_AVAILABLE"},
		"an agreement that is not there":   {steps.New(nil, library{}), dynamic, "a2", "AGREEMENT_NOT_AVAILABLE"},
		"an agreement that nobody named":   {steps.New(nil, library{}), dynamic, nil, "AGREEMENT_NOT_AVAILABLE"},
		"and one that the input does name": {steps.New(nil, library{}), dynamic, "a1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			x := turn(config(t, tc.kind, tc.field), map[string]any{"formData": map[string]any{"terms": tc.data}}, nil)
			out, err := tc.kind.Enter(t.Context(), x)
			switch {
			case err != nil:
				t.Fatal(err)
			case tc.code == "" && out.Verdict != flow.Waits:
				t.Errorf("%+v", out.Failure)
			case tc.code != "" && (out.Failure == nil || out.Failure.Code != tc.code || out.Failure.Message == ""):
				t.Errorf("%+v", out)
			}
		})
	}
	if _, err := steps.New(&doorman{err: errors.New("away")}, nil).Enter(t.Context(), turn(config(t, steps.New(nil, nil), captcha), nil, nil)); flow.AsFault(err).Code != flow.Unavailable {
		t.Error(err)
	}
}
