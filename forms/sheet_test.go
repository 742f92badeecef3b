package forms_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/runtime/form"
)

func compiled(t testing.TB, body string) *form.Form {
	t.Helper()
	f, err := form.Compile([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// published is a form of the reference.
func published(t testing.TB, name string) *form.Form {
	t.Helper()
	b, err := os.ReadFile("../runtime/form/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled(t, string(b))
}

// waiting is an execution that waits for a form.
func waiting(f *form.Form) forms.SignOn {
	s := execution("FORM_REQUIRED")
	s.View.Form = f
	s.View.Offers = append([]flow.Offer{{Name: "form.submit", Fields: f.Inputs(), Open: true}, {Name: "form.action", Open: true}}, s.View.Offers...)
	return s
}

// around makes a form of these fields.
func around(fields ...string) string {
	return `{"name":"F","category":"CUSTOM","markRequired":false,"markOptional":true,"components":{"fields":[` + strings.Join(fields, ",") + `]}}`
}

func TestPublishedFormsAreDrawn(t *testing.T) {
	p := pages(t)
	for name, wants := range map[string][]string{
		"doc-form-sign-on":           {"<h1>Sign On</h1>", `name="user.username"`, `autocomplete="current-password"`, ">Sign On</button>"},
		"doc-form-custom":            {"<h1>Custom-Form_1700000000</h1>", ">Email Address</label>", ">Submit</button>"},
		"rec-form-sign-on":           {`form="ways" name="key" value="forgotPassword"`, `<form id="ways"`, `value="form.action"`},
		"rec-form-password-reset":    {`autocomplete="current-password"`, `name="user.newPasswordVerify"`, ">Verify new password <span>required</span></label>"},
		"rec-form-password-recovery": {`autocomplete="one-time-code"`, `class="code"`, ">Resend code</button>"},
		"rec-form-registration":      {`autocomplete="username"`, `type="email"`, `autocomplete="email"`, `autocomplete="new-password"`},
		"rec-form-self-service":      {`autocomplete="given-name"`, `autocomplete="family-name"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := waiting(published(t, name))
			known(&s)
			page := drawn(t, p.SignOn(acme("en"), s))
			for _, want := range wants {
				if !strings.Contains(page, want) {
					t.Errorf("no %s in\n%s", want, page)
				}
			}
			if strings.Contains(page, "Google") {
				t.Error("a button that is switched off is drawn")
			}
		})
	}
}

func TestAFormSpeaksTheLanguageOfThePage(t *testing.T) {
	f := compiled(t, `{"name":"F","category":"CUSTOM","markRequired":true,"markOptional":false,"languageBundle":{"who":"Your name"},"translations":{"de":{"who":"Ihr Name"}},
		"components":{"fields":[{"type":"TEXT","position":{"row":0,"col":0},"key":"n","required":true,"label":"[{\"type\":\"i18n\",\"key\":\"who\"}]","validation":{"type":"NONE"}}]}}`)
	p := pages(t)
	for language, want := range map[string]string{"en": "Your name <span>required</span>", "de": "Ihr Name <span>Pflichtfeld</span>", "es": "Your name <span>obligatorio</span>"} {
		for range 2 { // the second time from what was written the first
			if page := drawn(t, p.SignOn(acme(language), waiting(f))); !strings.Contains(page, want) {
				t.Errorf("%s: no %q in\n%s", language, want, page)
			}
		}
	}
}

func TestAFormHoldsWhatItIsFilledWith(t *testing.T) {
	f := compiled(t, around(
		`{"type":"TEXT","position":{"row":0,"col":0},"key":"a","label":"A","validation":{"type":"NONE"}}`,
		`{"type":"PASSWORD","position":{"row":1,"col":0},"key":"p","label":"P"}`,
		`{"type":"RADIO","position":{"row":2,"col":0},"key":"r","label":"R","layout":"VERTICAL","options":[{"label":"One","value":"1"},{"label":"Two","value":"2"}],"otherOptionEnabled":true}`,
		`{"type":"CHECKBOX","position":{"row":3,"col":0},"key":"c","label":"C","layout":"VERTICAL","options":[{"label":"X","value":"x"},{"label":"Y","value":"y"}]}`,
		`{"type":"DROPDOWN","position":{"row":4,"col":0},"key":"d","label":"D","options":[{"label":"M","value":"m"}]}`,
		`{"type":"SINGLE_CHECKBOX","position":{"row":5,"col":0},"key":"b","label":"B","appearance":"SWITCH","inputType":"BOOLEAN"}`,
	))
	filled := flow.Values{"a": `1"<`, "p": "never", "r": "3", "c": []any{"y"}, "d": "m", "b": true}
	shown := waiting(f)
	known(&shown)
	shown.View.Values = filled
	typed := refuse(waiting(f), "form.submit", flow.Detail{Code: flow.InvalidValue, Target: "a"})
	known(&typed)
	typed.Typed = filled
	for name, s := range map[string]forms.SignOn{"by the step": shown, "by the person": typed} {
		t.Run(name, func(t *testing.T) {
			page := drawn(t, pages(t).SignOn(acme("en"), s))
			for _, want := range []string{`value="1&#34;&lt;"`, `name="r" value="" checked`, `name="rOther" value="3"`, `name="c.1" value="y" checked`, `<option value="m" selected`, `role="switch"`, `value="true" checked`} {
				if !strings.Contains(page, want) {
					t.Errorf("no %s in\n%s", want, page)
				}
			}
			if strings.Contains(page, "never") || strings.Contains(page, `value="x" checked`) {
				t.Error("what is not chosen, or must not be shown, is there")
			}
		})
	}
}

func TestWhatIsWrongStandsBesideItsField(t *testing.T) {
	f := compiled(t, around(
		`{"type":"SUBMIT_BUTTON","position":{"row":9,"col":0},"label":"Go"}`,
		`{"type":"ERROR_DISPLAY","position":{"row":8,"col":0}}`,
		`{"type":"TEXT","position":{"row":0,"col":0},"key":"user.username","label":"Name","required":true,"validation":{"type":"CUSTOM","regex":"a+","errorMessage":"Only the letter a."}}`,
		`{"type":"PASSWORD_VERIFY","position":{"row":1,"col":0},"key":"user.password","label":"Password"}`,
		`{"type":"PHONE_NUMBER","position":{"row":2,"col":0},"key":"tel","label":"Telephone"}`,
		`{"type":"RADIO","position":{"row":3,"col":0},"key":"r","label":"Class","layout":"VERTICAL","options":[{"label":"One","value":"1"}]}`,
		`{"type":"SINGLE_CHECKBOX","position":{"row":4,"col":0},"key":"b","label":"Yes","appearance":"CHECKBOX","inputType":"BOOLEAN"}`,
	))
	wrong := func(code, target string) flow.Detail { return flow.Detail{Code: code, Target: target} }
	for name, tc := range map[string]struct {
		fault   *flow.Fault
		failure *flow.Failure
		want    string
		beside  bool
	}{
		"in the administrator's words":    {fault: flow.Invalid(wrong(flow.InvalidValue, "user.username")), want: "Only the letter a.", beside: true},
		"what is missing, in ours":        {fault: flow.Invalid(wrong(flow.RequiredValue, "user.username")), want: "Enter your username.", beside: true},
		"two passwords":                   {fault: flow.Invalid(wrong(flow.InvalidValue, "user.passwordVerify")), want: "The two are not the same. Type both again.", beside: true},
		"a telephone number":              {fault: flow.Invalid(wrong(flow.InvalidValue, "tel")), want: "That is not a phone number.", beside: true},
		"a choice":                        {fault: flow.Invalid(wrong(flow.RequiredValue, "r")), want: "Choose an answer for “Class”.", beside: true},
		"a box":                           {fault: flow.Invalid(wrong(flow.RequiredValue, "b")), want: "Tick “Yes” to go on.", beside: true},
		"of a later step, by its name":    {failure: &flow.Failure{Code: "X", Details: []flow.Detail{wrong(flow.UniquenessViolation, "username")}}, want: "“Name” is taken.", beside: true},
		"of a later step, in no field":    {failure: &flow.Failure{Code: "INVALID_CREDENTIALS", Message: "m"}, want: "That username and password do not match."},
		"of a later step, in its words":   {failure: &flow.Failure{Code: "OWN", Message: "The moon is not full."}, want: "The moon is not full."},
		"a failure after a fault is past": {fault: flow.Invalid(wrong(flow.RequiredValue, "r")), failure: &flow.Failure{Code: "OWN", Message: "Past."}, want: "Choose an answer", beside: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := waiting(f)
			s.Fault, s.View.Failure = tc.fault, tc.failure
			if tc.fault != nil {
				s.Submitted = "form.submit"
			}
			page := pages(t).SignOn(acme("en"), s)
			sound(t, page)
			if !strings.Contains(text(t, page), tc.want) || strings.Contains(text(t, page), "Past.") {
				t.Errorf("no %q in %q", tc.want, text(t, page))
			}
			if beside := strings.Contains(string(page), `role="alert"><svg`) && !strings.Contains(string(page), `id="problems"`); beside != tc.beside {
				t.Errorf("beside its field: %t", beside)
			}
			if at := strings.Index(string(page), `id="problems"`); at >= 0 && at < strings.Index(string(page), `name="b"`) {
				t.Error("the summary is not where the form wants it")
			}
		})
	}
}

func TestOnePrimaryAction(t *testing.T) {
	button := func(kind, key string, row int) string {
		k := ""
		if key != "" {
			k = `"key":"` + key + `",`
		}
		return `{"type":"` + kind + `",` + k + `"label":"L` + key + `","position":{"row":` + strconv.Itoa(row) + `,"col":0}}`
	}
	input := `{"type":"TEXT","position":{"row":40,"col":0},"key":"a","label":"A","validation":{"type":"NONE"}}`
	for name, fields := range map[string][]string{
		"two that submit":             {button("SUBMIT_BUTTON", "", 1), button("SUBMIT_BUTTON", "", 2), input},
		"none that submits":           {input, button("FLOW_BUTTON", "x", 1)},
		"other ways out alone":        {button("FLOW_BUTTON", "x", 1), button("FLOW_BUTTON", "y", 2)},
		"nothing at all":              {`{"type":"DIVIDER","position":{"row":1,"col":0}}`},
		"a way out before the submit": {button("FLOW_BUTTON", "x", 1), button("SUBMIT_BUTTON", "", 2)},
	} {
		t.Run(name, func(t *testing.T) {
			page := pages(t).SignOn(acme("en"), waiting(compiled(t, around(fields...))))
			sound(t, page)
			n := 0
			for x := range parse(t, page).Descendants() {
				if class, _ := attr(x, "class"); x.Data == "button" && strings.HasPrefix(class, "button") && !strings.Contains(class, "quiet") {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d primary actions in\n%s", n, page)
			}
		})
	}
}

func TestPostedFormsBecomeValues(t *testing.T) {
	f := compiled(t, around(
		`{"type":"PASSWORD_VERIFY","position":{"row":1,"col":0},"key":"p","label":"P"}`,
		`{"type":"RADIO","position":{"row":2,"col":0},"key":"r","label":"R","layout":"VERTICAL","options":[{"label":"One","value":"1"}],"otherOptionEnabled":true}`,
		`{"type":"CHECKBOX","position":{"row":3,"col":0},"key":"c","label":"C","layout":"VERTICAL","options":[{"label":"X","value":"x"},{"label":"Y","value":"y"}],"otherOptionEnabled":true}`,
		`{"type":"SINGLE_CHECKBOX","position":{"row":5,"col":0},"key":"b","label":"B","appearance":"SWITCH","inputType":"BOOLEAN"}`,
		`{"type":"RECAPTCHA_V2","position":{"row":6,"col":0},"size":"NORMAL","theme":"DARK","alignment":"LEFT"}`,
	))
	for name, tc := range map[string]struct{ body, want string }{
		"nothing":                       {"", `{"b":false,"c":[]}`},
		"boxes, one beside, a switch":   {"c.1=y&cOther=z&b=true", `{"b":true,"c":["y","z"]}`},
		"an option wins":                {"r=1&rOther=z", `{"b":false,"c":[],"r":"1"}`},
		"what is typed beside":          {"r=&rOther=z", `{"b":false,"c":[],"r":"z"}`},
		"the second password is empty":  {"p=a&pVerify=", `{"b":false,"c":[],"p":"a","pVerify":""}`},
		"what Google's script put in":   {"g-recaptcha-response=tok", `{"b":false,"c":[],"captcha":"tok"}`},
		"what our script put in":        {"captcha=42", `{"b":false,"c":[],"captcha":"42"}`},
		"a box that was never there":    {"c.2=x", ""},
		"an input that is of no field":  {"d=1", ""},
		"beside what takes none beside": {"bOther=1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := forms.Parse([]byte(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			v, err := s.Values(f.Inputs())
			if tc.want == "" {
				if flow.AsFault(err).Code != flow.InvalidData {
					t.Errorf("taken: %v", v)
				}
				return
			}
			if b, _ := json.Marshal(v); err != nil || string(b) != tc.want {
				t.Errorf("%s, %v", b, err)
			}
		})
	}
}

func TestOnlyAPageWithGooglesCaptchaIsOfAThirdParty(t *testing.T) {
	f := compiled(t, around(`{"type":"RECAPTCHA_V2","position":{"row":6,"col":0},"size":"NORMAL","theme":"DARK","alignment":"LEFT"}`))
	for provider, want := range map[string]bool{form.GoogleCaptcha: true, form.ProofOfWork: false} {
		s := waiting(f)
		s.View.Values = flow.Values{"captcha": form.Challenge{Provider: provider, SiteKey: "site", Question: "?"}}
		page := string(pages(t).SignOn(acme("en"), s))
		if got := strings.Contains(page, "https://www.google.com/"); got != want || forms.ThirdParty(&s.View) != want {
			t.Errorf("%s: %t %t", provider, got, forms.ThirdParty(&s.View))
		}
	}
}

// many is a form of thirty fields.
func many(t testing.TB) *form.Form {
	t.Helper()
	var fields []string
	for i := range 30 {
		at := `"position":{"row":` + strconv.Itoa(i) + `,"col":0},"key":"k` + strconv.Itoa(i) + `","label":"Label of field ` + strconv.Itoa(i) + `"`
		switch i % 3 {
		case 0:
			fields = append(fields, `{"type":"TEXT",`+at+`,"validation":{"type":"NONE"}}`)
		case 1:
			fields = append(fields, `{"type":"DROPDOWN",`+at+`,"options":[{"label":"One","value":"1"},{"label":"Two","value":"2"},{"label":"Three","value":"3"}]}`)
		default:
			fields = append(fields, `{"type":"SINGLE_CHECKBOX",`+at+`,"appearance":"CHECKBOX","inputType":"BOOLEAN"}`)
		}
	}
	return compiled(t, around(fields...))
}

func TestFormsAreCheap(t *testing.T) {
	p, s := pages(t), waiting(many(t))
	s.View.Values = flow.Values{"k0": "value", "k1": "2", "k2": true}
	if n := testing.AllocsPerRun(50, func() { p.SignOn(acme("de"), s) }); n > 150 {
		t.Errorf("%.0f allocations for thirty fields", n)
	}
}

func BenchmarkForm(b *testing.B) {
	p, s := pages(b), waiting(many(b))
	s.View.Values = flow.Values{"k0": "value", "k1": "2", "k2": true}
	b.ReportAllocs()
	for b.Loop() {
		p.SignOn(acme("en"), s)
	}
}

func TestTheGalleryHasEveryField(t *testing.T) {
	page, err := pages(t).FormGallery(acme("en"), "/form-gallery")
	if err != nil {
		t.Fatal(err)
	}
	sound(t, page)
	for _, want := range []string{`type="tel"`, "<select", "<fieldset", `role="switch"`, `class="terms"`, `class="field proof"`, `class="qr`, `form="ways"`, "<hr>", `class="icon`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %s", want)
		}
	}
}
