package main_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

// choosing is a form with inputs of every sort.
func choosing() map[string]any {
	option := func(v string) map[string]any { return map[string]any{"label": v, "value": v} }
	number := text("person.size")
	number["required"], number["validation"] = false, map[string]any{"type": "CUSTOM", "regex": "^[0-9]+$", "errorMessage": "Digits, please."}
	return fields(
		text("color"), number, secret("person.password"),
		map[string]any{"type": "RADIO", "key": "shape", "label": "shape", "required": true, "layout": "VERTICAL", "options": []any{option("round"), option("square")}},
		map[string]any{"type": "CHECKBOX", "key": "extras", "label": "extras", "required": false, "layout": "VERTICAL", "options": []any{option("bow"), option("card")}},
		map[string]any{"type": "SUBMIT_BUTTON", "label": "Send"},
		map[string]any{"type": "FLOW_BUTTON", "key": "later", "label": "Later"},
	)
}

// What a form does not ask for, asks for otherwise, or asks for once, is refused
// with one fault for each field, and changes nothing.
func TestSec_INJ_FORM(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	f := x.browser().Begin(shop4, r.definition(r.asking(r.make("/forms", choosing()))), nil)
	const rest = `"color":"blue","shape":"round","person":{"password":"Form-Right-Horse-1"}`
	long := strings.Repeat("long", 1500)
	x.unchanged(f, func() {
		for body, details := range map[string][]string{
			``:   {"REQUIRED_VALUE@color", "REQUIRED_VALUE@person.password", "REQUIRED_VALUE@shape"},
			`{}`: {"REQUIRED_VALUE@color", "REQUIRED_VALUE@person.password", "REQUIRED_VALUE@shape"},
			`{"color":"","shape":null,"person":{"password":""}}`:                                  {"REQUIRED_VALUE@color", "REQUIRED_VALUE@person.password", "REQUIRED_VALUE@shape"},
			`{"color":1,"shape":["round"],"person":{"password":true,"size":[]},"extras":{}}`:      {"INVALID_VALUE@color", "INVALID_VALUE@person.size", "INVALID_VALUE@person.password", "INVALID_VALUE@shape", "INVALID_VALUE@extras"},
			`{` + rest + `,"taste":"sweet"}`:                                                      {"INVALID_VALUE@taste"},
			`{` + rest + `,"Color":"blue"}`:                                                       {"INVALID_VALUE@Color"},
			`{` + rest + `,"color.red":"blue"}`:                                                   {"INVALID_VALUE@color.red"},
			`{` + rest + `,"person.password":"Form-Other-Horse-2"}`:                               {"INVALID_VALUE@person.password"},
			`{` + rest + `,"person.size":"large"}`:                                                {"INVALID_VALUE@person.size"},
			`{` + rest + `,"extras":["bow","bow"]}`:                                               {"INVALID_VALUE@extras"},
			`{` + rest + `,"extras":["bow","hat"]}`:                                               {"INVALID_VALUE@extras"},
			`{` + rest + `,"extras":["bow","card","bow","card"]}`:                                 {"INVALID_VALUE@extras"},
			`{` + rest + `,"extras":"bow"}`:                                                       {"INVALID_VALUE@extras"},
			`{` + rest + `,"key":"later"}`:                                                        {"INVALID_VALUE@key"},
			`{` + rest + `,"form":{"id":"` + noFlow + `"}}`:                                       {"INVALID_VALUE@form.id"},
			`{"shape":"oval","color":"blue","person":{"password":"Form-Right-Horse-1"}}`:          {"INVALID_VALUE@shape"},
			`{"shape":"round","color":"` + long + `","person":{"password":"Form-Right-Horse-1"}}`: {"SIZE_LIMIT_EXCEEDED@color"},
		} {
			if a := f.Act("form.submit", body); a.Status != 400 {
				t.Errorf("%.120s: %d", body, a.Status)
			} else {
				a.Refused(400, "INVALID_DATA", details...)
			}
		}
		for what, body := range map[string]string{
			"a name twice":     `{` + rest + `,"color":"red"}`,
			"a name twice in":  `{"color":"blue","shape":"round","person":{"password":"Form-Right-Horse-1","password":"Form-Other-Horse-2"}}`,
			"too deep":         `{"color":` + strings.Repeat(`{"a":`, 33) + `1` + strings.Repeat(`}`, 33) + `}`,
			"an array":         `[{` + rest + `}]`,
			"something behind": `{` + rest + `}{}`,
		} {
			if a := f.Act("form.submit", body); a.Status != 400 || a.Problem().Code != "INVALID_REQUEST" {
				t.Errorf("%s: %d %s", what, a.Status, a.Body)
			}
		}
		var many []string
		for i := range 2000 {
			many = append(many, fmt.Sprintf(`"stranger%d":1`, i))
		}
		if p := f.Act("form.submit", `{`+rest+`,`+strings.Join(many, ",")+`}`).Is(400).Problem(); len(p.Details) == 0 || len(p.Details) > 12 {
			t.Errorf("2000 unknown values have %d faults", len(p.Details))
		}
		f.Act("form.action", `{}`).Refused(400, "INVALID_DATA", "REQUIRED_VALUE@key")
		f.Act("form.action", `{"key":"SUBMITTED"}`).Refused(400, "INVALID_DATA", "INVALID_VALUE@key")
		f.Act("form.action", `{"key":"ERROR"}`).Refused(400, "INVALID_DATA", "INVALID_VALUE@key")
		f.Act("form.action", `{"key":"later","color":"blue"}`).Refused(400, "INVALID_DATA", "INVALID_VALUE@color")
		f.Act("user.consent", `{"accept":true}`).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
		for _, media := range []string{"multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/json"} {
			f.Send(http.MethodPost, f.Path(), visit.Header("Content-Type", media), []byte(`{`+rest+`}`)).Refused(415, "UNSUPPORTED_MEDIA_TYPE")
		}
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nCookie: ST=%s\r\nContent-Type: %s\r\n", f.Path(), strings.TrimPrefix(x.site.Base, "http://"), f.ST(fourthEnv), visit.ContentType("form.submit"))
		if status, body := x.raw(0, head+fmt.Sprintf("Content-Length: %d\r\n\r\n{}", 64<<10+1)); status != 413 {
			t.Errorf("over the limit: %d %s", status, body)
		}
	})
	if got := f.Act("form.submit", `{`+rest+`,"extras":["card"],"person.size":"12","form":{"id":"`+f.Get().Flow().Form.ID+`"}}`).Flow(); got.Status != completed {
		t.Errorf("the right values lead to %s", got.Status)
	}
}

// Of identical submits of a form over both nodes one is evaluated, and all get its
// answer: one account, one mail. Of two different ones one wins, and the other is
// told what became of the step. Case FLT-DOUBLE-SUBMIT.
func TestSec_FLT_DOUBLE_SUBMIT_form(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	id := r.definition(r.fitted("mixed-flow-registration-experience"))
	register := func(name string) map[string]any {
		return map[string]any{"user": map[string]string{"username": name, "email": name + "@fourth.example", "password": "Twice-Right-Horse-1", "passwordVerify": "Twice-Right-Horse-1"}}
	}
	users := func(name string) string {
		return strings.TrimSpace(x.column(`SELECT count(*) FROM users WHERE env = '` + fourthEnv + `' AND username LIKE '` + name + `%'`))
	}
	for _, with := range []string{"nothing", "If-Match"} {
		name := "twice-" + suffix()
		f := x.browser().Begin(shop4, id, nil)
		header := []string{"Cookie", "ST=" + f.ST(fourthEnv)}
		if with == "If-Match" {
			header = append(header, with, f.Get().Header.Get("ETag"))
		}
		answers := atOnce(12, func(i int) *visit.Answer { return f.Via(i%2).Act("form.submit", register(name), header...) })
		if got := answers[0].Flow().Status; got != verify {
			t.Errorf("with %s: the execution is in %s", with, got)
		}
		x.same(answers)
		x.happened(f, "USER.REGISTERED", 1)
		if n := users(name); n != "1" {
			t.Errorf("with %s: %s accounts", with, n)
		}
		x.mailed(name + "@fourth.example")
	}
	for round := range 4 {
		name := "other-" + suffix()
		f := x.browser().Begin(shop4, id, nil)
		header := []string{"Cookie", "ST=" + f.ST(fourthEnv), "If-Match", f.Get().Header.Get("ETag")}
		answers := atOnce(2, func(i int) *visit.Answer {
			return f.Via((round+i)%2).Act("form.submit", register(fmt.Sprintf("%s-%d", name, i)), header...)
		})
		won, lost := answers[0], answers[1]
		if won.Status != 200 {
			won, lost = lost, won
		}
		won.Is(200)
		lost.Refused(409, "CONFLICT")
		x.happened(f, "USER.REGISTERED", 1)
		if n := users(name); n != "1" {
			t.Errorf("round %d: %s accounts", round, n)
		}
	}
}

// A password that was typed into a form lies nowhere while the execution waits for
// something else, and is right when it is needed.
func TestSec_FORM_PASSWORD(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	who, what := r.make("/forms", fields(text("user.username"), secret("user.password"))), r.make("/forms", fields(text("color")))
	id := r.definition(definition("EXPERIENCE", "who", map[string]stepBody{
		"who": shows(who, "what"), "what": shows(what, "lookup"),
		"lookup": {
			kind: "USER_LOOKUP", config: map[string]any{"matchAttributes": []any{"username"}, "matchPingOneUsersOnly": true},
			input: map[string]any{"identifier": "${steps.who.outputs.formData.user.username}"}, outlets: map[string]string{"PING_ONE_USER_MATCHED": "check"},
		},
		"check": {
			kind:    "USER_PASSWORD_CHECK",
			input:   map[string]any{"user": map[string]any{"id": "${steps.lookup.outputs.user.id}", "password": "${steps.who.outputs.formData.user.password}"}},
			outlets: map[string]string{"PASSWORD_VALID": "end", "PASSWORD_EXPIRED": "no", "MUST_CHANGE_PASSWORD": "no", "ERROR": "who"},
		},
		"no":  {kind: "TERMINATE_FLOW", input: map[string]any{"error": map[string]any{"code": "NO", "message": "No."}}},
		"end": redirects(map[string]any{"color": "${steps.what.outputs.formData.color}"}, "${steps.lookup.outputs.user.id}", "pwd"),
	}))
	name, password := "typist-"+suffix(), "Typed-Right-Horse-71"
	r.user(name, password)
	nowhere := func(f *visit.Flow, when, typed string) {
		t.Helper()
		places := x.dump()
		places["view"], places["page"] = f.Get().Body, f.Send(http.MethodGet, f.Page(), nil, nil).Body
		places["versions"] = r.do(http.MethodGet, "/flowDefinitions/"+id+"/versions", nil).Body
		for place, held := range places {
			if bytes.Contains(held, []byte(typed)) {
				t.Errorf("%s: %s has the password", when, place)
			}
		}
	}
	for _, typed := range []string{"Typed-Wrong-Horse-72", password} {
		f := x.browser().Begin(shop4, id, nil)
		f.Act("form.submit", map[string]any{"user": map[string]string{"username": name, "password": typed}}).Is(200)
		nowhere(f, "while it waits", typed)
		got := f.Act("form.submit", map[string]string{"color": "blue"}).Flow()
		if typed == password && got.Status != completed || typed != password && (got.Status != "FORM_REQUIRED" || got.Error.Code != "INVALID_CREDENTIALS") {
			t.Errorf("the execution is in %s, %+v", got.Status, got.Error)
		}
		if typed != password {
			nowhere(f, "after it was refused", typed)
		}
	}
}
