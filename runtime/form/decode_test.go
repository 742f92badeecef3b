package form_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/runtime/form"
)

// everything is a form with an input of every type.
func everything(t testing.TB) *form.Form {
	t.Helper()
	at := func(row string) string { return `"position":{"row":` + row + `,"col":0}` }
	body := around("CUSTOM",
		`{"type":"TEXT",`+at("0")+`,"key":"user.username","label":"L","required":true,"validation":{"type":"CUSTOM","regex":"[a-z]+|\\d+","errorMessage":"Small letters."}}`,
		`{"type":"PASSWORD_VERIFY",`+at("1")+`,"key":"user.password","label":"L"}`,
		`{"type":"PHONE_NUMBER",`+at("2")+`,"key":"user.mobilePhone","label":"L","defaultCountryCode":"DE","validatePhoneNumber":true,"showExtension":true,"extensionLabel":"E"}`,
		`{"type":"RADIO",`+at("3")+`,"key":"r","label":"L","layout":"VERTICAL","options":[{"label":"x","value":"1"}]}`,
		`{"type":"DROPDOWN",`+at("4")+`,"key":"d","label":"L","options":[{"label":"x","value":"1"}],"otherOptionEnabled":true}`,
		`{"type":"CHECKBOX",`+at("5")+`,"key":"c","label":"L","layout":"VERTICAL","options":[{"label":"x","value":"1"},{"label":"y","value":"2"}]}`,
		`{"type":"SINGLE_CHECKBOX",`+at("6")+`,"key":"b","label":"L","appearance":"SWITCH","inputType":"BOOLEAN","required":true,"errorMessage":"Say yes."}`,
		`{"type":"TEXT",`+at("7")+`,"key":"user.address.region","label":"L","validation":{"type":"NONE"}}`,
		`{"type":"TEXT",`+at("8")+`,"key":"note","label":"L","validation":{"type":"NONE"}}`,
		`{"type":"TEXT",`+at("9")+`,"key":"more","label":"L","validation":{"type":"NONE"}}`,
	)
	return compile(t, strings.Replace(body, `"name"`, `"id":"f1","name"`, 1))
}

func decoded(t *testing.T, f *form.Form, body string) (map[string]any, *flow.Fault, flow.Values) {
	t.Helper()
	var v flow.Values
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	out, fault := f.Decode(v)
	return out, fault, v
}

func TestDecode(t *testing.T) {
	f := everything(t)
	least := func(more map[string]any) map[string]any {
		out := map[string]any{"user": map[string]any{"username": "ada"}, "b": true}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	user := func(more map[string]any) map[string]any {
		more["username"] = "ada"
		return least(map[string]any{"user": more})
	}
	for name, tc := range map[string]struct {
		body string
		want map[string]any
	}{
		"nested":                        {`{"user":{"username":"ada"},"b":true}`, least(nil)},
		"by dotted names":               {`{"user.username":"ada","b":true}`, least(nil)},
		"both, of different values":     {`{"user":{"username":"ada"},"user.address.region":"X","b":true}`, user(map[string]any{"address": map[string]any{"region": "X"}})},
		"an object by a dotted name":    {`{"user":{"username":"ada"},"user.address":{"region":"X"},"b":true}`, user(map[string]any{"address": map[string]any{"region": "X"}})},
		"null counts as not sent":       {`{"user":{"username":"ada","password":null},"b":true,"c":null}`, least(nil)},
		"nothing counts as not sent":    {`{"user":{"username":"ada","password":""},"b":true,"r":""}`, least(nil)},
		"a password is a secret":        {`{"user":{"username":"ada","password":"x"},"b":true}`, user(map[string]any{"password": flow.Secret("x")})},
		"and its second the same":       {`{"user":{"username":"ada","password":"x","passwordVerify":"x"},"b":true}`, user(map[string]any{"password": flow.Secret("x")})},
		"a number of the country":       {`{"user":{"username":"ada","mobilePhone":"0171 1234567"},"b":true}`, user(map[string]any{"mobilePhone": "+491711234567"})},
		"a number of another country":   {`{"user":{"username":"ada","mobilePhone":"+1 (212) 736-5000"},"b":true}`, user(map[string]any{"mobilePhone": "+12127365000"})},
		"a number with an extension":    {`{"user":{"username":"ada","mobilePhone":"030 1234567","mobilePhoneExtension":"12"},"b":true}`, user(map[string]any{"mobilePhone": "+49301234567;ext=12"})},
		"choices":                       {`{"user":{"username":"ada"},"b":true,"r":"1","c":["2","1"]}`, least(map[string]any{"r": "1", "c": []any{"2", "1"}})},
		"no choices are a list as well": {`{"user":{"username":"ada"},"b":true,"c":[]}`, least(map[string]any{"c": []any{}})},
		"beside the options":            {`{"user":{"username":"ada"},"b":true,"d":"mine"}`, least(map[string]any{"d": "mine"})},
		"the form's own id":             {`{"user":{"username":"ada"},"b":true,"form":{"id":"f1"}}`, least(nil)},
		"the form's own id, flat":       {`{"user":{"username":"ada"},"b":true,"id":"f1"}`, least(nil)},
		"as it is, untrimmed":           {`{"user":{"username":"ada"},"b":true,"note":" <b> "}`, least(map[string]any{"note": " <b> "})},
	} {
		t.Run(name, func(t *testing.T) {
			got, fault, v := decoded(t, f, tc.body)
			if fault != nil {
				t.Fatal(fault.Details)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if f.Ignores(v) {
				t.Error("something was ignored")
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	f := everything(t)
	with := func(members string) string { return `{"user":{"username":"ada"},"b":true,` + members + `}` }
	person := func(members string) string { return `{"user":{"username":"ada",` + members + `},"b":true}` }
	for name, tc := range map[string]struct{ body, want string }{
		"nothing":                        {`{}`, "REQUIRED_VALUE@user.username REQUIRED_VALUE@b"},
		"what is required, empty":        {`{"user":{"username":""},"b":false}`, "REQUIRED_VALUE@user.username REQUIRED_VALUE@b"},
		"an unknown name":                {with(`"x":1`), "INVALID_VALUE@x"},
		"an unknown member":              {person(`"shoeSize":1`), "INVALID_VALUE@user.shoeSize"},
		"a value in both ways":           {with(`"user.username":"ada"`), "INVALID_VALUE@user.username"},
		"a string for an object":         {`{"user":"ada","b":true}`, "REQUIRED_VALUE@user.username INVALID_VALUE@user"},
		"an object for a string":         {`{"user":{"username":{"a":1}},"b":true}`, "INVALID_VALUE@user.username"},
		"a number":                       {`{"user":{"username":7},"b":true}`, "INVALID_VALUE@user.username"},
		"a list":                         {with(`"note":["a"]`), "INVALID_VALUE@note"},
		"a word for a box":               {`{"user":{"username":"ada"},"b":"true"}`, "INVALID_VALUE@b"},
		"against the pattern":            {`{"user":{"username":"Ada"},"b":true}`, "INVALID_VALUE@user.username"},
		"against it in one part":         {`{"user":{"username":"ada\nA"},"b":true}`, "INVALID_VALUE@user.username"},
		"too long":                       {with(`"note":"` + strings.Repeat("é", 1001) + `"`), "SIZE_LIMIT_EXCEEDED@note"},
		"too much in all":                {with(`"note":"` + strings.Repeat("語", 1000) + `","more":"` + strings.Repeat("語", 999) + `"`), "SIZE_LIMIT_EXCEEDED@note"},
		"two passwords that differ":      {person(`"password":"x","passwordVerify":"y"`), "INVALID_VALUE@user.passwordVerify"},
		"a second password alone":        {person(`"passwordVerify":"y"`), "INVALID_VALUE@user.passwordVerify"},
		"a second password that is none": {person(`"password":"x","passwordVerify":""`), "INVALID_VALUE@user.passwordVerify"},
		"no number":                      {person(`"mobilePhone":"12"`), "INVALID_VALUE@user.mobilePhone"},
		"no extension":                   {person(`"mobilePhone":"030 1234567","mobilePhoneExtension":"a"`), "INVALID_VALUE@user.mobilePhoneExtension"},
		"no option":                      {with(`"r":"2"`), "INVALID_VALUE@r"},
		"a list for one":                 {with(`"r":["1"]`), "INVALID_VALUE@r"},
		"one for a list":                 {with(`"c":"1"`), "INVALID_VALUE@c"},
		"no option among some":           {with(`"c":["1","3"]`), "INVALID_VALUE@c"},
		"an option twice":                {with(`"c":["1","1"]`), "INVALID_VALUE@c"},
		"no text among some":             {with(`"c":[1]`), "INVALID_VALUE@c"},
		"another form":                   {with(`"form":{"id":"f2"}`), "INVALID_VALUE@form.id"},
		"a form that is none":            {with(`"form":{"id":"f1","x":1}`), "INVALID_VALUE@form"},
		"objects in objects":             {`{"user":{"username":"ada"},"b":true,"x":` + strings.Repeat(`{"a":`, 100) + `1` + strings.Repeat(`}`, 100) + `}`, "INVALID_VALUE@x"},
		"a long name":                    {with(`"` + strings.Repeat("é", 100) + `":1`), "INVALID_VALUE@" + strings.Repeat("é", 32)},
		"several at once, in order":      {`{"z":1,"y":1,"r":"2","user":{"username":7},"b":1}`, "INVALID_VALUE@user.username INVALID_VALUE@r INVALID_VALUE@b INVALID_VALUE@y INVALID_VALUE@z"},
	} {
		t.Run(name, func(t *testing.T) {
			got, fault, _ := decoded(t, f, tc.body)
			if fault == nil {
				t.Fatalf("taken as %v", got)
			}
			var list []string
			for _, d := range fault.Details {
				list = append(list, d.Code+"@"+d.Target)
			}
			if s := strings.Join(list, " "); s != tc.want || got != nil {
				t.Errorf("got %q, want %q", s, tc.want)
			}
		})
	}
}

func TestTheAdministratorsWords(t *testing.T) {
	_, fault, _ := decoded(t, everything(t), `{"user":{"username":"Ada"},"b":"no"}`)
	if len(fault.Details) != 2 || fault.Details[0].Message != "Small letters." || fault.Details[1].Message != "Say yes." {
		t.Errorf("%+v", fault.Details)
	}
}

func TestAttributesThatWereNotAskedForAreIgnored(t *testing.T) {
	f := everything(t)
	for name, body := range map[string]string{
		"the service's own":    `{"user":{"username":"ada","enabled":true},"b":true}`,
		"one in an object":     `{"user":{"username":"ada","address":{"region":"X","locality":"Y"}},"b":true}`,
		"an object":            `{"user":{"username":"ada","name":{"given":"A"}},"b":true}`,
		"under a dotted name":  `{"user.username":"ada","user.population":{"id":"x"},"b":true}`,
		"one that could be so": `{"user":{"username":"ada","nickname":"A"},"b":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			out, fault, v := decoded(t, f, body)
			if fault != nil || !f.Ignores(v) {
				t.Fatal(fault, f.Ignores(v))
			}
			b, _ := json.Marshal(out)
			for _, word := range []string{"enabled", "locality", "given", "population", "nickname"} {
				if strings.Contains(string(b), word) {
					t.Errorf("taken: %s", b)
				}
			}
		})
	}
}

func TestPrefill(t *testing.T) {
	f := everything(t)
	for name, tc := range map[string]struct {
		data map[string]any
		want flow.Values
	}{
		"nested":                     {map[string]any{"user": map[string]any{"username": "ada"}}, flow.Values{"user.username": "ada"}},
		"by its dotted name":         {map[string]any{"user.address.region": "X"}, flow.Values{"user.address.region": "X"}},
		"never a password":           {map[string]any{"user": map[string]any{"password": "x", "username": flow.Secret("s")}}, flow.Values{}},
		"numbers and booleans":       {map[string]any{"note": 12.5, "more": true, "b": true}, flow.Values{"note": "12.5", "more": "true", "b": true}},
		"a number of a service":      {map[string]any{"note": json.Number("9007199254740993")}, flow.Values{"note": "9007199254740993"}},
		"no objects":                 {map[string]any{"note": map[string]any{"a": 1}, "b": "true"}, flow.Values{}},
		"options alone":              {map[string]any{"r": "2", "d": "mine", "c": []any{"1", "3"}}, flow.Values{"d": "mine", "c": []any{"1"}}},
		"one for a list":             {map[string]any{"c": "2"}, flow.Values{"c": []any{"2"}}},
		"what is too long is not":    {map[string]any{"note": strings.Repeat("x", 1001)}, flow.Values{}},
		"what nobody asked for":      {map[string]any{"x": "y"}, flow.Values{}},
		"not past what may be kept":  {map[string]any{"note": strings.Repeat("語", 1000), "more": strings.Repeat("語", 1000)}, flow.Values{"note": strings.Repeat("語", 1000)}},
		"an object that is a string": {map[string]any{"user": "ada"}, flow.Values{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, f.Prefill(tc.data)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	everyone := everything(f)
	for _, s := range []string{
		`{}`, `{"":1}`, `{"user":null}`, `{"user":{"":{"":1}}}`, `{"user.":"x"}`, `{".user":"x"}`, `{"user":{"username":"ada","address":{}},"b":true}`,
		`{"user.username":"ada","user":{"username":"ada"}}`, `{"c":[[]]}`, `{"form":{}}`, `{"form":null}`, `{"id":{}}`, `{"user":{"address":{"region":{"x":1}}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v flow.Values
		if json.Unmarshal(body, &v) != nil {
			return
		}
		out, fault := everyone.Decode(v)
		if (out == nil) == (fault == nil) {
			t.Fatal("neither a result nor a fault, or both")
		}
		if fault != nil {
			for _, d := range fault.Details {
				if !slices.Contains([]string{flow.InvalidValue, flow.RequiredValue, flow.SizeLimitExceeded}, d.Code) {
					t.Fatalf("code %q", d.Code)
				}
			}
			return
		}
		for name := range out {
			if !slices.Contains([]string{"user", "r", "d", "c", "b", "note", "more"}, name) {
				t.Fatalf("%q came through", name)
			}
		}
		if b, err := json.Marshal(out); err != nil || len(b) > 3*(4<<10) {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		if again, _ := everyone.Decode(v); !cmp.Equal(out, again) {
			t.Fatal("the second time differs")
		}
	})
}
