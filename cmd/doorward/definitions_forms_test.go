package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// fillers is who fills in forms, and what with.
const (
	filler        = "form-filler"
	fillersFirst  = "Form-Filler-Horse-1"
	fillersSecond = "Form-Filler-Horse-2"
)

// filling answers what the published forms ask.
func (x *trial) filling(name string) *guest {
	g := x.guest(name, fillersFirst)
	g.answers["newPassword"], g.answers["code"] = fillersSecond, "ABCD2345"
	return g
}

// Every published form is made over the API as it is, read back and listed, shown
// by a definition, filled in by a client that knows no form, and left by each of
// its buttons; what was typed reaches the step behind it.
func TestPublishedFormsAreFilledIn(t *testing.T) {
	t.Parallel()
	x := apart(t)
	r := x.room(admin, shop4)
	defer r.clear()
	r.user(filler, fillersFirst)
	for _, file := range publishedFiles(t, "../../runtime/form/testdata/*-form-*.json") {
		x.part(file, func() {
			id := r.form(file)
			now := r.get("/forms/" + id)
			if want := r.reference(file); fmt.Sprint(now["components"]) != fmt.Sprint(want["components"]) || now["category"] != want["category"] || now["id"] != id {
				t.Errorf("%s was kept as %v", file, now)
			}
			if listed := embedded(r.get("/forms?filter="+url.QueryEscape(`id eq "`+id+`"`)), "forms"); len(listed) != 1 || listed[0]["name"] != now["name"] {
				t.Errorf("%s is listed as %v", file, listed)
			}
			definition, g := r.definition(r.handing(id, now)), x.filling(filler)
			f := x.browser().Begin(r.shop, definition, nil)
			if first := f.Get().Flow(); first.Status != "FORM_REQUIRED" || first.Form.ID != id || first.Form.Name != now["name"] {
				t.Fatalf("%s is shown as %+v", file, first)
			}
			done := f.Fill(g.know).Flow()
			if want := r.shop.RedirectURI + "?" + g.handed(now).Encode(); done.Status != completed || done.ResumeURL != want {
				t.Errorf("%s was filled in to %s, %s, want %s", file, done.Status, done.ResumeURL, want)
			}
			for _, key := range buttons(now) {
				done := x.browser().Begin(r.shop, definition, nil).Act("form.action", map[string]string{"key": key}).Flow()
				if done.Status != completed || done.ResumeURL != r.shop.RedirectURI+"?by="+key {
					t.Errorf("%s is left by %s to %s, %s", file, key, done.Status, done.ResumeURL)
				}
			}
		})
	}
}

// asking is a definition that shows a form and says by which of its results it was
// left.
func (r *room) asking(form string) map[string]any {
	r.x.Helper()
	config := map[string]any{"form": map[string]any{"id": form}}
	described := r.x.mustJSON(r.do(http.MethodPost, "/flowMetadata/stepTypes/FORM", map[string]any{"trigger": map[string]any{"type": "EXPERIENCE"}, "configuration": config}).Is(200).Body)
	results, _ := described["resultMetadata"].([]any)
	outlets, steps := map[string]any{}, map[string]any{}
	for i, v := range results {
		name, _ := memberOf(v, "typeName").(string)
		end := fmt.Sprintf("end%d", i)
		outlets[name] = next(end)
		steps[end] = map[string]any{"type": "COMPLETE_FLOW", "configuration": map[string]any{"result": "REDIRECT"}, "input": map[string]any{"parameters": map[string]any{"by": name}}}
	}
	steps["ask"] = map[string]any{"type": "FORM", "configuration": config, "input": map[string]any{}, "outlets": outlets}
	return map[string]any{"name": "Asking", "enabled": true, "trigger": map[string]any{"type": "EXPERIENCE", "next": "ask"}, "stepDefinitions": steps}
}

func next(step string) map[string]any { return map[string]any{"next": step} }

// handing is the same for a published form, and hands on what was typed. Passwords
// are handed to nobody: where one belongs to a name it must be right, and where it
// is a new one a published definition uses it.
func (r *room) handing(id string, form map[string]any) map[string]any {
	r.x.Helper()
	d := r.asking(id)
	steps, _ := d["stepDefinitions"].(map[string]any)
	end, _ := memberOf(steps, "ask", "outlets", "SUBMITTED", "next").(string)
	parameters, _ := memberOf(steps, end, "input", "parameters").(map[string]any)
	for _, key := range keysOf(form, "TEXT", "PHONE_NUMBER", "RADIO", "DROPDOWN", "COMBOBOX", "SINGLE_CHECKBOX") {
		parameters[key] = "${steps.ask.outputs.formData." + key + "}"
	}
	if !slices.Contains(keysOf(form, "PASSWORD"), "user.password") {
		return d
	}
	steps["find"] = map[string]any{
		"type": "USER_LOOKUP", "configuration": map[string]any{"matchAttributes": []string{"username"}, "matchPingOneUsersOnly": true},
		"input":   map[string]any{"identifier": "${steps.ask.outputs.formData.user.username}"},
		"outlets": map[string]any{"PING_ONE_USER_MATCHED": next("check"), "ERROR": next("ask")},
	}
	steps["check"] = map[string]any{
		"type": "USER_PASSWORD_CHECK", "input": map[string]any{"user": map[string]any{"id": "${steps.find.outputs.user.id}", "password": "${steps.ask.outputs.formData.user.password}"}},
		"outlets": map[string]any{"PASSWORD_VALID": next(end), "PASSWORD_EXPIRED": next("ask"), "MUST_CHANGE_PASSWORD": next("ask"), "ERROR": next("ask")},
	}
	outlets, _ := memberOf(steps, "ask", "outlets").(map[string]any)
	outlets["SUBMITTED"] = next("find")
	return d
}

// handed is what an application gets of a form that was filled in and handed on.
func (g *guest) handed(form map[string]any) url.Values {
	out := url.Values{"by": {"SUBMITTED"}}
	for _, key := range keysOf(form, "TEXT") {
		out.Set(key, g.says(key))
	}
	return out
}

// keys are those of the fields of a form that are of some types, in order.
func keysOf(form map[string]any, types ...string) (out []string) {
	fields, _ := memberOf(form, "components", "fields").([]any)
	for _, f := range fields {
		for _, of := range types {
			if key, _ := memberOf(f, "key").(string); memberOf(f, "type") == of {
				out = append(out, key)
			}
		}
	}
	return out
}

func buttons(form map[string]any) []string { return keysOf(form, "FLOW_BUTTON", "FLOW_LINK") }
