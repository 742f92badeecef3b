package form_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/runtime/form"
	steps "doorward/steps/form"
)

// doorman is a captcha that knows one answer to each of its challenges.
type doorman struct {
	asked int
	heard []string
	err   error
}

func (d *doorman) Challenge(context.Context, string) (form.Challenge, error) {
	d.asked++
	return form.Challenge{Provider: form.ProofOfWork, Data: strings.Repeat("d", d.asked), Bits: 1, Question: "?"}, d.err
}

func (d *doorman) Check(_ context.Context, env, token string, ip netip.Addr) (bool, error) {
	d.heard = append(d.heard, env+" "+token+" "+ip.String())
	return strings.HasSuffix(token, ".right"), d.err
}

// library has one agreement.
type library struct{}

func (library) Terms(_, id, locales string) (form.Terms, bool) {
	return form.Terms{Title: "Terms in " + locales, Paragraphs: []string{"One."}}, id == "a1"
}

const (
	username = `{"type":"TEXT","position":{"row":0,"col":0},"key":"user.username","label":"Username","required":true,"validation":{"type":"NONE"}}`
	password = `{"type":"PASSWORD","position":{"row":1,"col":0},"key":"user.password","label":"Password"}`
	news     = `{"type":"SINGLE_CHECKBOX","position":{"row":2,"col":0},"key":"news","label":"News","appearance":"SWITCH","inputType":"BOOLEAN"}`
	submit   = `{"type":"SUBMIT_BUTTON","position":{"row":3,"col":0},"label":"Sign On"}`
	link     = `{"type":"FLOW_LINK","position":{"row":4,"col":0},"key":"forgot","label":"Forgot?"}`
	captcha  = `{"type":"RECAPTCHA_V2","position":{"row":5,"col":0},"size":"NORMAL","theme":"DARK","alignment":"LEFT"}`
	terms    = `{"type":"AGREEMENT","position":{"row":6,"col":0},"key":"terms","inputType":"READ_ONLY_TEXT","titleEnabled":true,"agreement":{"id":"a1"}}`
	dynamic  = `{"type":"AGREEMENT","position":{"row":6,"col":0},"key":"terms","inputType":"READ_ONLY_TEXT","titleEnabled":true,"agreement":{"useDynamicAgreement":true}}`
	qr       = `{"type":"QR_CODE","position":{"row":7,"col":0},"key":"ticket","size":"SMALL"}`
	status   = `{"type":"TEXT","position":{"row":8,"col":0},"key":"status","label":"Status","validation":{"type":"NONE"}}`
)

// config is what Check makes of a form of these fields.
func config(t *testing.T, k *steps.Kind, fields ...string) any {
	t.Helper()
	c, err := k.Check(json.RawMessage(`{"form":{"id":"f1","name":"F","category":"CUSTOM","markRequired":false,"markOptional":true,"components":{"fields":[` + strings.Join(fields, ",") + `]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// turn is one call of a node of that configuration.
func turn(config any, input map[string]any, kept []byte) *flow.Turn {
	x := flow.NewTurn(flow.Ref{Env: "e", ID: "x"}, "form", config, time.UnixMilli(0), kept, 0, flow.Digest{})
	x.Input, x.Locales, x.Client.RemoteIP = input, "de", netip.MustParseAddr("192.0.2.1")
	return x
}

// entered is the state of a node that waits.
func entered(t *testing.T, k *steps.Kind, x *flow.Turn) *flow.Turn {
	t.Helper()
	out, err := k.Enter(t.Context(), x)
	if err != nil || out.Verdict != flow.Waits || out.Status != "FORM_REQUIRED" {
		t.Fatalf("entered with %+v, %v", out, err)
	}
	next := turn(x.Config, nil, x.Kept())
	next.Status = out.Status
	return next
}

func send(t *testing.T, k *steps.Kind, x *flow.Turn, name string, v flow.Values) (flow.Outcome, error) {
	t.Helper()
	for _, a := range k.Meta().Actions {
		if a.Name == name {
			return a.Run(t.Context(), x, v)
		}
	}
	t.Fatalf("no action %s", name)
	return flow.Outcome{}, nil
}

func TestCheck(t *testing.T) {
	k := steps.New(nil, nil)
	for name, body := range map[string]string{
		"nothing": ``, "no form": `{}`, "an id alone": `{"form":{"id":"f1"}}`, "more than a form": `{"form":{},"x":1}`, "a form that is none": `{"form":[]}`,
	} {
		if c, err := k.Check(json.RawMessage(body)); err == nil {
			t.Errorf("%s is taken as %v", name, c)
		}
	}
	c, _ := config(t, k, username).(steps.Config)
	if c.Form == nil || c.Form.ID != "f1" {
		t.Errorf("%+v", c)
	}
}

func TestPlansShareAForm(t *testing.T) {
	k := steps.New(nil, nil)
	of := func(fields ...string) *form.Form {
		c, _ := config(t, k, fields...).(steps.Config)
		return c.Form
	}
	if first, again := of(username, submit), of(username, submit); first != again {
		t.Error("a form is compiled for every plan that has it")
	}
	if of(username, submit) == of(password, submit) {
		t.Error("two forms are taken for one")
	}
}

func TestSubmit(t *testing.T) {
	k := steps.New(nil, nil)
	c := config(t, k, username, password, news, submit, link)
	form := map[string]any{"id": "f1", "name": "F"}
	for name, tc := range map[string]struct {
		action string
		sent   flow.Values
		want   flow.Outcome
		fault  string
	}{
		"values leave by SUBMITTED": {
			"form.submit",
			flow.Values{"user": map[string]any{"username": "ada", "password": "p"}, "news": true},
			flow.Result("SUBMITTED").WithOutputs(map[string]any{"form": form, "formData": map[string]any{"user": map[string]any{"username": "ada", "password": flow.Secret("p")}, "news": true}}), "",
		},
		"what was not asked for is recorded": {
			"form.submit",
			flow.Values{"user.username": "ada", "user": map[string]any{"enabled": true}},
			flow.Result("SUBMITTED").WithOutputs(map[string]any{"form": form, "formData": map[string]any{"user": map[string]any{"username": "ada"}}}).WithEvent(flow.InputIgnored), "",
		},
		"a button leaves by its key":   {"form.action", flow.Values{"key": "forgot"}, flow.Result("forgot").WithOutputs(map[string]any{"form": form}), ""},
		"what is missing is a fault":   {"form.submit", flow.Values{}, flow.Outcome{}, "REQUIRED_VALUE@user.username"},
		"an unknown value is a fault":  {"form.submit", flow.Values{"user.username": "ada", "x": 1.0}, flow.Outcome{}, "INVALID_VALUE@x"},
		"no such button":               {"form.action", flow.Values{"key": "SUBMITTED"}, flow.Outcome{}, "INVALID_VALUE@key"},
		"no button at all":             {"form.action", flow.Values{}, flow.Outcome{}, "REQUIRED_VALUE@key"},
		"a button takes no values":     {"form.action", flow.Values{"key": "forgot", "news": true}, flow.Outcome{}, "INVALID_VALUE@news"},
		"a button is pressed by a key": {"form.action", flow.Values{"key": 1.0}, flow.Outcome{}, "INVALID_VALUE@key"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := send(t, k, entered(t, k, turn(c, nil, nil)), tc.action, tc.sent)
			if tc.fault != "" {
				var fault *flow.Fault
				if !errors.As(err, &fault) || len(fault.Details) != 1 || fault.Details[0].Code+"@"+fault.Details[0].Target != tc.fault {
					t.Fatalf("%+v, %v", out, err)
				}
				return
			}
			if diff := cmp.Diff(tc.want, out); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

func TestWhatAFormIsFilledWith(t *testing.T) {
	k := steps.New(nil, nil)
	c := config(t, k, username, password, news, qr)
	input := map[string]any{"formData": map[string]any{"user": map[string]any{"username": "ada", "password": "p"}, "ticket": "T"}}
	before := func() map[string]any {
		return map[string]any{"formData": map[string]any{"user": map[string]any{"username": "eve", "password": "q"}, "news": true}}
	}
	failed := &flow.Failure{Code: "X"}
	for name, tc := range map[string]struct {
		input  map[string]any
		failed *flow.Failure
		want   flow.Values
	}{
		"nothing":                             {nil, nil, flow.Values{}},
		"its input":                           {input, nil, flow.Values{"user.username": "ada", "ticket": "T"}},
		"what was sent, once a step failed":   {input, failed, flow.Values{"user.username": "eve", "news": true, "ticket": "T"}},
		"what was sent, without an input":     {nil, failed, flow.Values{"user.username": "eve", "news": true}},
		"an input that is no object of data":  {map[string]any{"formData": "x"}, nil, flow.Values{}},
		"an input that says it in other ways": {map[string]any{"formData": map[string]any{"user.username": "ada"}}, nil, flow.Values{"user.username": "ada"}},
	} {
		t.Run(name, func(t *testing.T) {
			x := turn(c, tc.input, nil)
			x.Before, x.Failed = before, tc.failed
			x = entered(t, k, x)
			if diff := cmp.Diff(tc.want, k.Show(x).Values); diff != "" {
				t.Error(diff)
			}
			if s := string(x.Kept()); strings.Contains(s, `"p"`) || strings.Contains(s, `"q"`) {
				t.Errorf("a password is kept: %s", s)
			}
		})
	}
}

func TestWhatAClientIsShown(t *testing.T) {
	k := steps.New(nil, library{})
	c := config(t, k, username, password, news, terms, status)
	x := entered(t, k, turn(c, map[string]any{"formData": map[string]any{"user.username": "ada"}}, nil))
	got := map[string]string{}
	for _, m := range k.Show(x).Members {
		got[m.Name] = string(m.JSON)
	}
	want := map[string]string{
		"form": `{"id":"f1","name":"F"}`, "user": `{"username":"ada"}`, "news": `false`,
		"terms": `{"title":"Terms in de","paragraphs":["One."]}`,
	} // status is the resource's own
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOffers(t *testing.T) {
	k := steps.New(nil, nil)
	for name, tc := range map[string]struct {
		fields []string
		want   string
	}{
		"a form with a way out": {[]string{username, submit, link}, "form.submit/Sign On/user.username form.action/Continue/key=forgot"},
		"a form without":        {[]string{username}, "form.submit/Continue/user.username"},
		"ways out alone":        {[]string{link}, "form.action/Continue/key=forgot"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, o := range k.Offers(turn(config(t, k, tc.fields...), nil, nil)) {
				if !o.Open {
					t.Errorf("%s is not open", o.Name)
				}
				s := o.Name + "/" + o.Prompt.Default
				for _, f := range o.Fields {
					s += "/" + f.Name
					for _, x := range f.Options {
						s += "=" + x.Value
					}
				}
				got = append(got, s)
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("got %q, want %q", s, tc.want)
			}
		})
	}
}

func TestStep(t *testing.T) {
	k := steps.New(nil, nil)
	results := func(config any) (names []string) {
		s := k.Step(flow.TriggerExperience, config)
		for _, schema := range []json.RawMessage{s.Configuration, s.Input} {
			if !json.Valid(schema) {
				t.Errorf("schema %s", schema)
			}
		}
		for _, r := range s.Results {
			if !json.Valid(r.Output) || r.Title == "" {
				t.Errorf("%s: %s", r.Name, r.Output)
			}
			names = append(names, r.Name)
		}
		return names
	}
	for name, tc := range map[string]struct {
		config any
		want   []string
	}{
		"in general":            {nil, []string{"SUBMITTED"}},
		"of a form":             {config(t, k, username, submit, link), []string{"SUBMITTED", "forgot"}},
		"of a form of ways out": {config(t, k, link), []string{"forgot"}},
	} {
		if diff := cmp.Diff(tc.want, results(tc.config)); diff != "" {
			t.Error(name, diff)
		}
	}
}
