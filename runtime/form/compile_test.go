package form_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/document"
	"doorward/runtime/flow"
	"doorward/runtime/form"
)

// around is a form of these fields.
func around(category string, fields ...string) string {
	return `{"name":"F","category":"` + category + `","cols":4,"markRequired":false,"markOptional":true,"components":{"fields":[` + strings.Join(fields, ",") + `]}}`
}

const (
	at0 = `"position":{"row":0,"col":0}`
	at1 = `"position":{"row":1,"col":0}`
)

func text(at, key, more string) string {
	return `{"type":"TEXT",` + at + `,"key":"` + key + `","label":"L","validation":{"type":"NONE"}` + more + `}`
}

func compile(t testing.TB, body string) *form.Form {
	t.Helper()
	f, err := form.Compile(json.RawMessage(body))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// faults are the faults of a form, as "path: message".
func faults(t testing.TB, body string) []string {
	t.Helper()
	_, err := form.Compile(json.RawMessage(body))
	var all document.Faults
	if err != nil && !errors.As(err, &all) {
		t.Fatalf("%v is no Faults", err)
	}
	var out []string
	for _, f := range all {
		out = append(out, f.Error())
	}
	return out
}

func TestPublishedFormsCompile(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f := compile(t, string(b))
			for _, in := range f.Inputs() {
				if in.Label.Default == "" || strings.Contains(in.Label.Default, "{") {
					t.Errorf("%s is called %q", in.Name, in.Label.Default)
				}
			}
			if !f.Submits() {
				t.Error("it cannot be submitted")
			}
		})
	}
}

func TestAPublishedFormInFull(t *testing.T) {
	b, err := os.ReadFile("testdata/doc-form-sign-on.json")
	if err != nil {
		t.Fatal(err)
	}
	f := compile(t, string(b))
	want := []flow.Field{
		{Name: "user.username", Type: flow.TypeText, Required: true, MaxLength: 128, Autocomplete: "username", Label: flow.Text{Default: "Username"}},
		{Name: "user.password", Type: flow.TypePassword, Required: true, MaxLength: 255, Autocomplete: "current-password", Label: flow.Text{Default: "Password"}},
	}
	if diff := cmp.Diff(want, f.Inputs(), cmp.Comparer(func(a, b flow.Field) bool {
		return a.Name == b.Name && a.Type == b.Type && a.Required == b.Required && a.MaxLength == b.MaxLength && a.Autocomplete == b.Autocomplete && a.Label.Default == b.Label.Default
	})); diff != "" {
		t.Error(diff)
	}
	blocks := f.Fields[0].Content
	if len(blocks) != 3 || blocks[0].Kind != form.Heading || blocks[0].Level != 1 || blocks[1].Kind != form.Line {
		t.Errorf("%+v", blocks)
	}
	const schema = `{"type":"object","properties":{"user":{"type":"object","properties":{` +
		`"password":{"type":"string","title":"Password","maxLength":255,"writeOnly":true,"format":"password"},` +
		`"username":{"type":"string","title":"Username","maxLength":128}},"required":["username","password"]}},"required":["user"]}`
	if diff := cmp.Diff(schema, string(f.Schema())); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAFormIsRefusedFor(t *testing.T) {
	custom := func(fields ...string) string { return around("CUSTOM", fields...) }
	field := func(members string) string { return custom(`{` + at0 + `,` + members + `}`) }
	for name, tc := range map[string]struct{ body, want string }{
		"no JSON":                {`{`, "$: is not one JSON value"},
		"no UTF-8":               {"\"\xff\"", "$: is not UTF-8"},
		"no object":              {`[]`, "$: takes an object"},
		"nothing in it":          {`{}`, "$.name: is required"},
		"an unknown member":      {strings.Replace(custom(text(at0, "a", "")), `"cols"`, `"columns"`, 1), "$.columns: is no member of a form"},
		"a member twice":         {strings.Replace(custom(text(at0, "a", "")), `"cols":4`, `"cols":4,"cols":4`, 1), "$.cols: is there twice"},
		"too many columns":       {strings.Replace(custom(text(at0, "a", "")), `"cols":4`, `"cols":5`, 1), "$.cols: takes a whole number from 1 to 4"},
		"a strange category":     {around("LOGIN", text(at0, "a", "")), "$.category: takes one of REGISTRATION,"},
		"no fields":              {custom(), "$.components.fields: takes at least one field"},
		"no translation method":  {strings.Replace(custom(text(at0, "a", "")), `"cols":4`, `"translationMethod":"GUESS"`, 1), "$.translationMethod: takes one of TRANSLATE, DEFAULT_VALUE, KEY"},
		"no language":            {strings.Replace(custom(text(at0, "a", "")), `"cols":4`, `"translations":{"Klingon language":{}}`, 1), `$.translations["Klingon language"]: is no language`},
		"a field without a type": {field(`"key":"a"`), "$.components.fields[0].type: is required"},
		"an unknown type":        {field(`"type":"HOLOGRAM"`), "fields[0].type: is none of the types"},
		"a device":               {field(`"type":"FIDO2","key":"a","label":"L"`), "fields[0].type: FIDO2 is not drawn by this server yet"},
		"a device to register":   {field(`"type":"DEVICE_REGISTRATION"`), "DEVICE_REGISTRATION is not drawn by this server yet"},
		"a provider":             {field(`"type":"SOCIAL_LOGIN_BUTTON","key":"a","label":"L","idpType":"GOOGLE","idpId":"i","idpEnabled":true`), "fields[0].type: SOCIAL_LOGIN_BUTTON is not drawn by this server yet"},
		"no position":            {custom(`{"type":"TEXT","key":"a","label":"L","validation":{"type":"NONE"}}`), "fields[0].position: is required"},
		"a row too far":          {custom(text(`"position":{"row":51,"col":0}`, "a", "")), "fields[0].position.row: takes a whole number from 0 to 50"},
		"a column too far":       {custom(text(`"position":{"row":0,"col":5}`, "a", "")), "fields[0].position.col: takes a whole number from 0 to 4"},
		"too wide":               {custom(text(`"position":{"row":0,"col":0,"width":101}`, "a", "")), "position.width: takes a whole number from 0 to 100"},
		"one place for two":      {custom(text(at0, "a", ""), text(at0, "b", "")), "fields[1].position: row 0, col 0 is taken"},
		"one key for two":        {custom(text(at0, "a", ""), text(at1, "a", "")), "fields[1].key: a is taken by $.components.fields[0]"},
		"an object and a value":  {custom(text(at0, "a", ""), text(at1, "a.b", "")), "fields[1].key: a.b and a of"},
		"a value and an object":  {custom(text(at0, "a.b", ""), text(at1, "a", "")), "fields[1].key: a and a.b of"},
		"the second password's":  {custom(`{"type":"PASSWORD_VERIFY",`+at0+`,"key":"p","label":"L"}`, text(at1, "pVerify", "")), "fields[1].key: pVerify is taken"},
		"a key of ours":          {custom(text(at0, "_token", "")), "fields[0].key: takes names of letters"},
		"a key with a space":     {custom(text(at0, "a b", "")), "fields[0].key: takes names of letters"},
		"no label":               {field(`"type":"TEXT","key":"a","label":"","validation":{"type":"NONE"}`), "fields[0].label: is required"},
		"no validation":          {field(`"type":"TEXT","key":"a","label":"L"`), "fields[0].validation: is required"},
		"a strange member":       {custom(text(at0, "a", `,"placeholder":"x"`)), "fields[0].placeholder: is no member of a field of the type TEXT"},
		"an attribute of ours":   {custom(text(at0, "user.enabled", "")), "fields[0].key: user.enabled is kept by the service"},
		"no attribute":           {around("PROGRESSIVE_PROFILING", text(at0, "nickname", "")), "fields[0].key: is no attribute of a user"},
		"no attribute either":    {around("SELF_SERVICE", text(at0, "user.shoeSize", "")), "fields[0].key: is no attribute of a user"},
		"a password in the open": {custom(text(at0, "user.password", "")), "fields[0].type: of user.password is PASSWORD"},
		"a name as a password":   {field(`"type":"PASSWORD","key":"user.username","label":"L"`), "fields[0].type: PASSWORD is no type of user.username"},
		"looking ahead":          {field(`"type":"TEXT","key":"a","label":"L","validation":{"type":"CUSTOM","regex":"(?=a)b"}`), "validation.regex: cannot be run: error parsing regexp: invalid or unsupported Perl syntax"},
		"a reference back":       {field(`"type":"TEXT","key":"a","label":"L","validation":{"type":"CUSTOM","regex":"(a)\\1"}`), "validation.regex: cannot be run"},
		"a pattern that closes":  {field(`"type":"TEXT","key":"a","label":"L","validation":{"type":"CUSTOM","regex":"a)|(b"}`), "validation.regex: cannot be run"},
		"a quote without an end": {field(`"type":"TEXT","key":"a","label":"L","validation":{"type":"CUSTOM","regex":"\\Qa"}`), "validation.regex: cannot be run"},
		"no pattern":             {field(`"type":"TEXT","key":"a","label":"L","validation":{"type":"CUSTOM"}`), "validation.regex: is required"},
		"no options":             {field(`"type":"RADIO","key":"a","label":"L","layout":"VERTICAL","options":[]`), "fields[0].options: takes at least one option"},
		"no layout":              {field(`"type":"CHECKBOX","key":"a","label":"L","options":[{"label":"x","value":"y"}]`), "fields[0].layout: is required"},
		"an option twice":        {field(`"type":"DROPDOWN","key":"a","label":"L","options":[{"label":"x","value":"y"},{"label":"z","value":"y"}]`), "options[1].value: is that of another option"},
		"an option of no value":  {field(`"type":"DROPDOWN","key":"a","label":"L","options":[{"label":"x","value":""}]`), "options[0].value: is required"},
		"options of a text":      {custom(text(at0, "a", `,"otherOptionEnabled":true`)), "fields[0].otherOptionEnabled: is for fields with options"},
		"no country":             {field(`"type":"PHONE_NUMBER","key":"a","label":"L","defaultCountryCode":"XX"`), "defaultCountryCode: is no country"},
		"no extension's label":   {field(`"type":"PHONE_NUMBER","key":"a","label":"L","showExtension":true`), "fields[0].extensionLabel: is required"},
		"no appearance":          {field(`"type":"SINGLE_CHECKBOX","key":"a","label":"L","inputType":"BOOLEAN"`), "fields[0].appearance: is required"},
		"no agreement":           {field(`"type":"AGREEMENT","key":"a","inputType":"READ_ONLY_TEXT","titleEnabled":true`), "fields[0].agreement: is required"},
		"a button's key twice":   {custom(`{"type":"FLOW_BUTTON",`+at0+`,"key":"a","label":"L"}`, `{"type":"FLOW_LINK",`+at1+`,"key":"a","label":"L"}`), "fields[1].key: a is that of another button"},
		"an outlet of all":       {field(`"type":"FLOW_BUTTON","key":"ERROR","label":"L"`), "fields[0].key: ERROR is a result of every form"},
		"a link to a script":     {field(`"type":"TEXTBLOB","content":"[{\"type\":\"link\",\"url\":\"javascript:x\",\"children\":[]}]"`), "fields[0].content: has a link that leads neither"},
		"an unknown node":        {field(`"type":"TEXTBLOB","content":"[{\"type\":\"video\",\"children\":[]}]"`), `fields[0].content: has the node "video"`},
		"no node":                {field(`"type":"TEXTBLOB","content":"[1]"`), "fields[0].content: is neither plain text nor a list of nodes"},
		"an abyss of nodes":      {field(`"type":"TEXTBLOB","content":"` + strings.Repeat(`[{\"children\":`, 30) + `[]` + strings.Repeat(`}]`, 30) + `"`), "fields[0].content: lies deeper than 12 nodes"},
		"shown by no key":        {custom(text(at0, "a", `,"visibility":{"type":"HIDE_BY_DEFAULT"}`)), "fields[0].visibility.key: is required"},
		"waiting beside inputs":  {custom(text(at0, "a", ""), `{"type":"POLLING",`+at1+`,"key":"p","size":"SMALL"}`), "fields: POLLING submits the form by itself"},
		"no size of a code":      {field(`"type":"QR_CODE","key":"a"`), "fields[0].size: is required"},
		"no theme of a captcha":  {field(`"type":"RECAPTCHA_V2","size":"NORMAL","alignment":"LEFT"`), "fields[0].theme: is required"},
	} {
		t.Run(name, func(t *testing.T) {
			got := faults(t, tc.body)
			if !strings.Contains(strings.Join(got, "\n"), tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestEveryFaultIsNamedAtOnce(t *testing.T) {
	got := faults(t, `{"category":"X","markRequired":1,"components":{"fields":[{"type":"TEXT"},{"type":"NO"}]},"extra":1}`)
	for _, at := range []string{"$.name", "$.category", "$.markRequired", "$.markOptional", "$.extra", "fields[0].position", "fields[0].key", "fields[0].label", "fields[0].validation", "fields[1].type"} {
		if !strings.Contains(strings.Join(got, "\n"), at+":") {
			t.Errorf("%s is not among %q", at, got)
		}
	}
}

func TestWhatIsHiddenIsNotThere(t *testing.T) {
	f := compile(t, around("CUSTOM", text(at0, "a", `,"visibility":{"type":"SHOW_BY_DEFAULT","key":"v"}`), text(at1, "b", `,"required":true,"visibility":{"type":"HIDE_BY_DEFAULT","key":"v"}`),
		`{"type":"FLOW_BUTTON","position":{"row":2,"col":0},"key":"x","label":"L","visibility":{"type":"HIDE_BY_DEFAULT","key":"v"}}`))
	if len(f.Inputs()) != 1 || f.Inputs()[0].Name != "a" || len(f.Buttons()) != 0 {
		t.Errorf("%+v %+v", f.Inputs(), f.Buttons())
	}
}

func TestFieldsStandInReadingOrder(t *testing.T) {
	f := compile(t, around("CUSTOM", text(`"position":{"row":2,"col":0}`, "d", ""), text(`"position":{"row":0,"col":1}`, "b", ""), text(at1, "c", ""), text(at0, "a", "")))
	got := ""
	for _, in := range f.Inputs() {
		got += in.Name
	}
	if got != "abcd" {
		t.Error(got)
	}
}

func TestWhatABrowserIsToldOfAValue(t *testing.T) {
	field := func(kind, key, more string) string {
		return `{"type":"` + kind + `",` + at0 + `,"key":"` + key + `","label":"L"` + more + `}`
	}
	for name, tc := range map[string]struct{ category, field, want string }{
		"a username":            {"CUSTOM", text(at0, "user.username", ""), "text username 128"},
		"an address":            {"CUSTOM", text(at0, "user.email", ""), "email email 254"},
		"a first name":          {"CUSTOM", text(at0, "user.name.given", ""), "text given-name 256"},
		"a postal code":         {"CUSTOM", text(at0, "user.address.postalCode", ""), "text postal-code 40"},
		"a telephone as text":   {"CUSTOM", text(at0, "user.mobilePhone", ""), "tel tel 32"},
		"a telephone":           {"CUSTOM", field("PHONE_NUMBER", "call", ""), "tel tel 64"},
		"a code":                {"CUSTOM", text(at0, "recoveryCode", ""), "code one-time-code 1000"},
		"a code in an object":   {"CUSTOM", text(at0, "user.otp", ""), "code one-time-code 1000"},
		"a birthday":            {"CUSTOM", text(at0, "birthdate", ""), "text bday 1000"},
		"anything":              {"CUSTOM", text(at0, "username", ""), "text  1000"},
		"a password":            {"CUSTOM", field("PASSWORD", "user.password", ""), "password current-password 255"},
		"a new one, with rules": {"CUSTOM", field("PASSWORD", "user.password", `,"showPasswordRequirements":true`), "password new-password 255"},
		"a new one, by its key": {"CUSTOM", field("PASSWORD", "user.newPassword", ""), "password new-password 255"},
		"a new one, twice":      {"CUSTOM", field("PASSWORD_VERIFY", "user.password", ""), "password new-password 255"},
		"a new account's":       {"REGISTRATION", field("PASSWORD", "user.password", ""), "password new-password 255"},
	} {
		t.Run(name, func(t *testing.T) {
			in := compile(t, around(tc.category, tc.field)).Inputs()[0]
			b, _ := json.Marshal(in.MaxLength)
			if got := string(in.Type) + " " + in.Autocomplete + " " + string(b); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestSay(t *testing.T) {
	body := func(method string) string {
		return strings.Replace(around("CUSTOM", `{"type":"TEXT",`+at0+`,"key":"a","validation":{"type":"NONE"},"label":"[{\"type\":\"paragraph\",\"children\":[{\"text\":\"Your \"},{\"type\":\"i18n\",\"key\":\"k\",\"defaultTranslation\":\"node\",\"inline\":true,\"children\":[{\"text\":\"\"}]},{\"text\":\"\"}]}]"}`),
			`"cols":4`, `"cols":4,`+method+`"languageBundle":{"k":"bundle"},"translations":{"de":{"k":"deutsch"},"pt-BR":{"k":"brasileiro"}}`, 1)
	}
	for _, tc := range []struct{ method, language, want string }{
		{"", "de", "Your deutsch"},
		{"", "de-AT", "Your deutsch"},
		{"", "pt-BR", "Your brasileiro"},
		{"", "fr", "Your bundle"},
		{"", "", "Your bundle"},
		{`"translationMethod":"TRANSLATE",`, "de", "Your deutsch"},
		{`"translationMethod":"DEFAULT_VALUE",`, "de", "Your bundle"},
		{`"translationMethod":"KEY",`, "de", "Your k"},
	} {
		f := compile(t, body(tc.method))
		if got := f.Say(f.Fields[0].Label, tc.language); got != tc.want {
			t.Errorf("%s%s: %q, want %q", tc.method, tc.language, got, tc.want)
		}
	}
}

func TestWaysOut(t *testing.T) {
	button := `{"type":"FLOW_BUTTON",` + at0 + `,"key":"x","label":"Later"}`
	for name, tc := range map[string]struct {
		fields  []string
		submits bool
	}{
		"a button alone":        {[]string{button}, false},
		"a button beside input": {[]string{button, text(at1, "a", "")}, true},
		"nothing":               {[]string{`{"type":"DIVIDER",` + at0 + `}`}, true},
		"waiting":               {[]string{button, `{"type":"POLLING",` + at1 + `,"key":"p","size":"SMALL"}`}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if f := compile(t, around("CUSTOM", tc.fields...)); f.Submits() != tc.submits {
				t.Errorf("submits: %t", f.Submits())
			}
		})
	}
	f := compile(t, around("CUSTOM", button))
	if diff := cmp.Diff([]form.Button{{Key: "x", Label: "Later"}}, f.Buttons()); diff != "" {
		t.Error(diff)
	}
}

func FuzzCompile(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{"", "null", "{}", "[]", `{"components":{"fields":[null]}}`, `{"components":null}`, around("CUSTOM", text(at0, "a.", "")), around("CUSTOM", `{"type":null}`)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := form.Compile(body)
		if err != nil {
			var all document.Faults
			if !errors.As(err, &all) || len(all) == 0 {
				t.Fatalf("%v names no fault", err)
			}
			return
		}
		if !json.Valid(c.Schema()) {
			t.Fatalf("schema %s", c.Schema())
		}
		names := map[string]bool{}
		for _, in := range c.Inputs() {
			if names[in.Name] || in.Name == "" || in.Name[0] == '_' {
				t.Fatalf("an input is called %q", in.Name)
			}
			names[in.Name] = true
		}
		if _, fault := c.Decode(nil); fault == nil && strings.Contains(string(c.Schema()), `"required"`) {
			t.Fatal("nothing is enough, and something is required")
		}
	})
}
