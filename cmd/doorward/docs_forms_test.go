package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"doorward/runtime/flow"
	"doorward/runtime/form"
)

const formsGuide = "forms.md"

// TestGoldenForms runs the commands of docs/forms.md over the files that it gives,
// and writes its table of fields by trying what each type takes.
func TestGoldenForms(t *testing.T) {
	t.Parallel()
	run := newWorkbench(t, formsGuide).console(t)
	hold(t, formsGuide, guide{fence: run, made: func(name string) string {
		if name != "fields" {
			t.Fatalf("%s wants %q made", formsGuide, name)
		}
		return fieldTable(t)
	}})
}

// needed are the members that make a field of each type, but for its type and
// position. Which of them it cannot be without is tried.
func needed() map[form.Type]string {
	return map[form.Type]string{
		form.TextField:      `{"key":"k","label":"L","validation":{"type":"NONE"}}`,
		form.Password:       `{"key":"k","label":"L"}`,
		form.PasswordVerify: `{"key":"k","label":"L"}`,
		form.PhoneNumber:    `{"key":"k","label":"L"}`,
		form.Radio:          `{"key":"k","label":"L","layout":"VERTICAL","options":[{"label":"A","value":"a"}]}`,
		form.Checkbox:       `{"key":"k","label":"L","layout":"VERTICAL","options":[{"label":"A","value":"a"}]}`,
		form.Dropdown:       `{"key":"k","label":"L","options":[{"label":"A","value":"a"}]}`,
		form.Combobox:       `{"key":"k","label":"L","options":[{"label":"A","value":"a"}]}`,
		form.SingleCheckbox: `{"key":"k","label":"L","appearance":"CHECKBOX","inputType":"BOOLEAN"}`,
		form.Agreement:      `{"key":"k","inputType":"READ_ONLY_TEXT","titleEnabled":true,"agreement":{"id":"a"}}`,
		form.Divider:        `{}`, form.EmptyField: `{}`, form.ErrorDisplay: `{}`, form.TextBlob: `{}`,
		form.SubmitButton: `{"label":"L"}`, form.FlowButton: `{"key":"k","label":"L"}`, form.FlowLink: `{"key":"k","label":"L"}`,
		form.SocialLogin: `{"idpType":"GOOGLE","idpId":"i"}`,
		form.Captcha:     `{"size":"NORMAL","theme":"LIGHT","alignment":"LEFT"}`,
		form.QRCode:      `{"key":"k","size":"SMALL"}`,
		form.Polling:     `{"key":"k","size":"SMALL"}`,
	}
}

// tried are all members that a field may have, with a value that is not the
// default.
func tried() map[string]string {
	return map[string]string{
		"key": `"other"`, "label": `"M"`, "labelMode": `"FLOAT"`, "required": `true`, "attributeDisabled": `true`, "layout": `"HORIZONTAL"`,
		"options": `[{"label":"B","value":"b"}]`, "otherOptionEnabled": `true`, "otherOptionKey": `"o"`, "otherOptionLabel": `"O"`,
		"otherOptionInputLabel": `"P"`, "otherOptionAttributeDisabled": `true`,
		"validation": `{"type":"CUSTOM","regex":"[0-9 ]+","errorMessage":"No."}`, "errorMessage": `"No."`, "showPasswordRequirements": `true`, "labelPasswordVerify": `"Again"`,
		"defaultCountryCode": `"DE"`, "countryCodeLabel": `"C"`, "validatePhoneNumber": `true`, "showExtension": `true`, "extensionLabel": `"X"`,
		"appearance": `"SWITCH"`, "inputType": `"BOOLEAN"`, "agreement": `{"useDynamicAgreement":true}`, "titleEnabled": `false`,
		"content": `"Text"`, "icon": `{"type":"MAIL","size":"SMALL"}`, "styles": `{"alignment":"RIGHT","width":50}`, "size": `"MEDIUM"`, "theme": `"DARK"`, "alignment": `"RIGHT"`,
		"fallbackText": `"F"`, "pollingAppearance": `"NONE"`, "visibility": `{"type":"HIDE_BY_DEFAULT","key":"v"}`,
		"idpName": `"N"`, "idpType": `"GITHUB"`, "idpId": `"j"`, "idpEnabled": `false`, "iconSrc": `"s"`,
	}
}

// together are members that mean something only beside another one.
func together() map[string]string {
	return map[string]string{
		"extensionLabel": "showExtension", "defaultCountryCode": "validatePhoneNumber", "otherOptionLabel": "otherOptionEnabled", "otherOptionInputLabel": "otherOptionEnabled",
	}
}

// passedOver are members that the page names once for all types.
func passedOver() []string {
	return []string{"attributeDisabled", "labelMode", "otherOptionKey", "otherOptionAttributeDisabled"}
}

func fieldTable(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| type | needs | takes too | passes over | asks for | puts out |\n|---|---|---|---|---|---|\n")
	for _, name := range constants(t, "../../runtime/form/form.go", "TextField") {
		base := object(t, needed()[form.Type(name)])
		if base == nil {
			t.Fatalf("there is no example of %s", name)
		}
		plain := compiled(base, name)
		if plain == nil {
			t.Fatalf("the example of %s is none: %v", name, base)
		}
		var needs, takes, ignores []string
		for _, member := range slices.Sorted(maps.Keys(base)) {
			without := maps.Clone(base)
			delete(without, member)
			if compiled(without, name) == nil {
				needs = append(needs, "`"+member+"`")
			}
		}
		for _, member := range slices.Sorted(maps.Keys(tried())) {
			if slices.Contains(needs, "`"+member+"`") || member == "visibility" {
				continue
			}
			before, with := maps.Clone(base), maps.Clone(base)
			if other, ok := together()[member]; ok {
				before[other], with[other] = json.RawMessage(tried()[other]), json.RawMessage(tried()[other])
			}
			if with[member] = json.RawMessage(tried()[member]); member == "showExtension" {
				with["extensionLabel"] = json.RawMessage(`"X"`)
			}
			switch got, was := compiled(with, name), compiled(before, name); {
			case got == nil:
			case string(got) == string(was) && slices.Contains(passedOver(), member):
			case string(got) == string(was):
				ignores = append(ignores, "`"+member+"`")
			default:
				takes = append(takes, "`"+member+"`")
			}
		}
		f, _ := form.Compile(body(base, name))
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", name, strings.Join(needs, ", "), strings.Join(takes, ", "), strings.Join(ignores, ", "), asks(f), puts(t, f))
	}
	return b.String()
}

func object(t *testing.T, text string) (m map[string]json.RawMessage) {
	t.Helper()
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// body is a form of one field.
func body(field map[string]json.RawMessage, of string) json.RawMessage {
	field = maps.Clone(field)
	field["type"], field["position"] = json.RawMessage(`"`+of+`"`), json.RawMessage(`{"row":0,"col":0}`)
	b, err := json.Marshal(map[string]any{
		"id": "f", "name": "F", "category": "CUSTOM", "markRequired": false, "markOptional": false, "components": map[string]any{"fields": []any{field}},
	})
	if err != nil {
		panic(err)
	}
	return b
}

// compiled is everything that can be told from outside of a form with that field;
// nil when there can be none.
func compiled(field map[string]json.RawMessage, of string) []byte {
	f, err := form.Compile(body(field, of))
	if err != nil {
		return nil
	}
	told := []any{f.Fields, f.Inputs(), f.Buttons(), f.Schema()}
	for _, value := range []string{"0170 1234567", "x"} { // a number without a country, and none
		data, fault := f.Decode(flow.Values{"k": value})
		told = append(told, data, fault)
	}
	b, err := json.Marshal(told)
	if err != nil {
		panic(err)
	}
	return b
}

// asks names the types of the inputs of a form with one field.
func asks(f *form.Form) string {
	var out []string
	for _, in := range f.Inputs() {
		out = append(out, "`"+strings.TrimPrefix(in.Name, "k")+"` "+string(in.Type))
	}
	if len(f.Buttons()) > 0 {
		out = append(out, "an outlet")
	}
	return strings.ReplaceAll(strings.Join(out, ", "), "`` ", "")
}

// puts names what a field becomes in formData.
func puts(t *testing.T, f *form.Form) string {
	t.Helper()
	var s struct {
		Properties map[string]struct {
			Type   string `json:"type"`
			Format string `json:"format"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(f.Schema(), &s); err != nil {
		t.Fatal(err)
	}
	out := s.Properties["k"].Type
	if s.Properties["k"].Format == "password" {
		out = "password"
	}
	return out
}
