package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	visit "doorward/internal/journey"
)

// servedWithin is how soon every node serves what one has changed: a second, and
// as much again on a machine that is busy.
const servedWithin = 2 * time.Second

// stepBody is one step of a definition that is written here.
type stepBody struct {
	kind    string
	config  any
	input   any
	outlets map[string]string // result to the key of the next step
}

// definition is the body of a flow definition whose first step is start.
func definition(trigger, start string, steps map[string]stepBody) map[string]any {
	all := map[string]any{}
	for key, s := range steps {
		one := map[string]any{"type": s.kind}
		if s.config != nil {
			one["configuration"] = s.config
		}
		if s.input != nil {
			one["input"] = s.input
		}
		if s.outlets != nil {
			outlets := map[string]any{}
			for result, next := range s.outlets {
				outlets[result] = map[string]any{"next": next}
			}
			one["outlets"] = outlets
		}
		all[key] = one
	}
	return map[string]any{"name": "Definition", "enabled": true, "trigger": map[string]any{"type": trigger, "next": start}, "stepDefinitions": all}
}

// fields is the body of a form with these fields, one below the other.
func fields(list ...map[string]any) map[string]any {
	for i, f := range list {
		f["position"] = map[string]any{"row": i, "col": 0}
	}
	return map[string]any{"name": "Form", "category": "CUSTOM", "cols": 4, "markRequired": true, "markOptional": false, "components": map[string]any{"fields": list}}
}

func text(key string) map[string]any {
	return map[string]any{"type": "TEXT", "key": key, "label": key, "required": true, "validation": map[string]any{"type": "NONE"}}
}

func secret(key string) map[string]any {
	return map[string]any{"type": "PASSWORD", "key": key, "label": key, "required": true}
}

// shows is a step that shows a form and goes on at next.
func shows(form, next string) stepBody {
	return stepBody{kind: "FORM", config: map[string]any{"form": map[string]any{"id": form}}, input: map[string]any{}, outlets: map[string]string{"SUBMITTED": next}}
}

// redirects is the end of an experience. user is a placeholder; empty: it signs
// nobody on.
func redirects(parameters map[string]any, user string, amr ...any) stepBody {
	if parameters == nil {
		parameters = map[string]any{}
	}
	in := map[string]any{"parameters": parameters}
	if user != "" {
		in["context"] = map[string]any{"amr": append([]any{}, amr...), "user": map[string]any{"id": user}}
	}
	return stepBody{kind: "COMPLETE_FLOW", config: map[string]any{"result": "REDIRECT"}, input: in}
}

// Numbers that an experience is begun with go on as they were written: some are ids.
func TestNumbersOfAnExperienceAreNotChanged(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	id := r.definition(definition("EXPERIENCE", "end", map[string]stepBody{
		"end": redirects(map[string]any{"customer": "${flow.inputs.parameters.customer}", "price": "${flow.inputs.parameters.price}"}, ""),
	}))
	begun := x.browser().Begin(shop4, id, map[string]any{"customer": json.Number("9007199254740993"), "price": json.Number("0.10")})
	if got, want := begun.Get().Flow().ResumeURL, shop4.RedirectURI+"?customer=9007199254740993&price=0.10"; got != want {
		t.Errorf("it ends at %s, want %s", got, want)
	}
}

// A definition that is published while a hundred executions of it are under way on
// both nodes changes none of them; both nodes run the new one within a second. So
// it is with one that is restored. A draft changes nothing.
func TestDefinitionsDoNotChangeUnderWay(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	first, second := r.make("/forms", fields(text("color"))), r.make("/forms", fields(text("color"), text("shape")))
	old := definition("EXPERIENCE", "ask", map[string]stepBody{
		"ask": shows(first, "end"), "end": redirects(map[string]any{"graph": "old", "color": "${steps.ask.outputs.formData.color}"}, ""),
	})
	id := r.definition(old)
	path := "/flowDefinitions/" + id
	begin := func(n int) (all []*visit.Flow) {
		for i := range n {
			all = append(all, x.browser().Via(i%2).Begin(shop4, id, nil))
		}
		return all
	}
	end := func(f *visit.Flow, node int, want string, values map[string]string) {
		t.Helper()
		if got := f.Via(node).Act("form.submit", values).Flow(); got.Status != completed || got.ResumeURL != shop4.RedirectURI+"?"+want {
			t.Errorf("an execution came to %s, %s, want %s", got.Status, got.ResumeURL, want)
		}
	}
	serving := func(form string) func(int) bool {
		return func(node int) bool { return x.browser().Via(node).Begin(shop4, id, nil).Get().Flow().Form.ID == form }
	}
	before := begin(100)

	draft := definition("EXPERIENCE", "end", map[string]stepBody{"end": redirects(map[string]any{"graph": "draft"}, "")})
	r.put(path+"/draft", draft)
	if !serving(first)(0) || !serving(first)(1) {
		t.Error("a draft is run")
	}
	next := definition("EXPERIENCE", "ask", map[string]stepBody{
		"ask": shows(second, "end"), "end": redirects(map[string]any{"graph": "new", "shape": "${steps.ask.outputs.formData.shape}"}, ""),
	})
	next["name"] = old["name"]
	r.put(path, next)
	for node := range 2 {
		within(t, servedWithin, fmt.Sprintf("the new definition on node %d", node), func() bool { return serving(second)(node) })
	}
	during := begin(10)
	for i, f := range before[:90] {
		end(f, i/2%2, "color=blue&graph=old", map[string]string{"color": "blue"})
	}
	for _, f := range during[:9] {
		f.Act("form.submit", map[string]string{"color": "blue"}).Refused(400, "INVALID_DATA", "REQUIRED_VALUE@shape")
		end(f, 0, "graph=new&shape=round", map[string]string{"color": "blue", "shape": "round"})
	}

	versions := embedded(r.get(path+"/versions"), "versions")
	if len(versions) != 2 || versions[0]["number"] != 2.0 || versions[1]["number"] != 1.0 || memberOf(versions[1], "application", "id") != admin.ID {
		t.Fatalf("the versions are %v", versions)
	}
	was, _ := versions[1]["hash"].(string)
	kept := r.get(path + "/versions/" + was)
	if fmt.Sprint(memberOf(kept, "flowDefinition", "stepDefinitions", "end")) != fmt.Sprint(memberOf(r.x.mustJSON(x.json(old)), "stepDefinitions", "end")) {
		t.Errorf("the old version is kept as %v", kept)
	}
	r.act(http.MethodPost, path+"/versions/"+was, "flowDefinition.restore", nil).Is(200)
	for node := range 2 {
		within(t, servedWithin, fmt.Sprintf("the restored definition on node %d", node), func() bool { return serving(first)(node) })
	}
	end(during[9], 1, "graph=new&shape=round", map[string]string{"color": "blue", "shape": "round"})
	for i, f := range append(before[90:], begin(4)...) {
		end(f, i%2, "color=red&graph=old", map[string]string{"color": "red"})
	}
	if got := r.get(path + "/draft"); !strings.Contains(fmt.Sprint(got), "draft") {
		t.Errorf("the draft became %v", got)
	}
	r.do(http.MethodDelete, path+"/draft", nil).Is(204)
}

// A form that is changed is pinned likewise: who has begun with the old one is not
// asked for what the new one asks for, and the definition has a version more.
func TestFormsDoNotChangeUnderWay(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	body := fields(text("color"))
	form := r.make("/forms", body)
	id := r.definition(definition("EXPERIENCE", "ask", map[string]stepBody{"ask": shows(form, "end"), "end": redirects(nil, "")}))
	f := x.browser().Begin(shop4, id, nil)
	changed := fields(text("color"), text("shape"))
	changed["name"] = body["name"]
	r.put("/forms/"+form, changed)
	r.served(func(node int) bool {
		return len(x.browser().Via(node).Begin(shop4, id, nil).Get().Flow().Templates["form.submit"].Properties) == 2
	})
	if got := f.Act("form.submit", map[string]string{"color": "blue"}).Flow(); got.Status != completed {
		t.Errorf("the execution is in %s", got.Status)
	}
	if versions := embedded(r.get("/flowDefinitions/"+id+"/versions"), "versions"); len(versions) != 2 {
		t.Errorf("%d versions", len(versions))
	}
}

// A definition that is switched off begins no more, and goes on where it has begun.
func TestDefinitionsAreSwitchedOff(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	body := definition("EXPERIENCE", "ask", map[string]stepBody{"ask": shows(r.make("/forms", fields(text("color"))), "end"), "end": redirects(nil, "")})
	id := r.definition(body)
	f := x.browser().Begin(shop4, id, nil)
	body["enabled"] = false
	r.put("/flowDefinitions/"+id, body)
	ask := map[string]string{"redirectUri": shop4.RedirectURI}
	r.served(func(node int) bool { return x.browser().Via(node).Experience(fourthEnv, id, ask).Status == 404 })
	unknown := x.browser().Experience(fourthEnv, noFlow, ask).Refused(404, "NOT_FOUND")
	if off := x.browser().Experience(fourthEnv, id, ask).Refused(404, "NOT_FOUND"); off.Message != unknown.Message {
		t.Errorf("it is told %q, and of an unknown one %q", off.Message, unknown.Message)
	}
	if got := f.Act("form.submit", map[string]string{"color": "blue"}).Flow(); got.Status != completed {
		t.Errorf("the execution is in %s", got.Status)
	}
}
