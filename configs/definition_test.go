package configs_test

import (
	"errors"
	"strings"
	"testing"

	"doorward/configs"
	"doorward/runtime/flow"
)

// plan is the published plan of a flow definition, which a new node can run.
func (d *desk) plan(id string) flow.Digest {
	d.t.Helper()
	got, ok := d.bundle().FlowDefinition(id)
	if !ok {
		d.t.Fatalf("flow definition %s is not served", id)
	}
	return got.Plan
}

func (d *desk) versions(id string) []flow.Version {
	d.t.Helper()
	page, err := d.Versions(d.t.Context(), env, id, "", 0)
	if err != nil {
		d.t.Fatal(err)
	}
	return page.Versions
}

func TestEveryPublishIsKept(t *testing.T) {
	d := newDesk(t, nil)
	d.Editor = d.As("somebody")
	f := d.make("form", signOnForm)
	def := d.make("flowDefinition", signOn(f))
	first := d.plan(def)
	if err := d.put("form", f, `"Username"`, `"User name"`); err != nil {
		t.Fatal(err)
	}
	second := d.plan(def)
	if err := d.put("flowDefinition", def, `"OLD"`, `"EXPIRED"`); err != nil {
		t.Fatal(err)
	}
	third := d.plan(def)
	d.make("population", `{"name":"Other"}`) // publishes nothing
	got := d.versions(def)
	if len(got) != 3 || got[0].Hash != third || got[1].Hash != second || got[2].Hash != first || first == second || second == third {
		t.Fatalf("versions %v of %s, %s, %s", got, first, second, third)
	}
	if got[0].Author != "somebody" || got[0].At.IsZero() || got[0].Number != 3 {
		t.Errorf("%+v", got[0])
	}
	was, err := d.Version(t.Context(), env, def, second)
	is, _ := d.Version(t.Context(), env, def, third)
	if err != nil || !strings.Contains(string(was.Body), "OLD") || !strings.Contains(string(is.Body), "EXPIRED") {
		t.Errorf("%s\n%s\n%v", was.Body, is.Body, err)
	}
	if _, err := d.Restore(t.Context(), env, def, second); err != nil || d.plan(def) != second || len(d.versions(def)) != 4 {
		t.Errorf("rolled back to %s, %v", d.plan(def), err)
	}
	if err := d.Remove(t.Context(), env, kind(t, "flowDefinition"), nil, def); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Restore(t.Context(), env, def, third); err != nil || d.plan(def) != third {
		t.Errorf("brought back %s, %v", d.plan(def), err)
	}
}

func TestFilesPublishVersionsToo(t *testing.T) {
	const id, form = "d0000000-0000-4000-8000-0000000000d1", "d0000000-0000-4000-8000-0000000000d2"
	with := func(body, id string) string { return strings.Replace(body, "{", `{"id":"`+id+`",`, 1) }
	files := managed(t, map[string]string{"demo/forms/a.json": with(signOnForm, form), "demo/flowDefinitions/a.json": with(signOn(form), id)})
	d := newDesk(t, files)
	first := d.plan(id)
	files["demo/forms/a.json"] = strings.Replace(files["demo/forms/a.json"], `"Username"`, `"User name"`, 1)
	if _, err := configs.Apply(t.Context(), load(t, demo(t, files)), d.store, nobody{}); err != nil {
		t.Fatal(err)
	}
	if got := d.versions(id); len(got) != 2 || got[0].Hash != d.plan(id) || got[1].Hash != first || got[0].Author != "files" {
		t.Errorf("%v", got)
	}
}

func TestADraftChangesNothingUntilItIsPublished(t *testing.T) {
	d := newDesk(t, nil)
	f := d.make("form", signOnForm)
	def := d.make("flowDefinition", signOn(f))
	published := d.plan(def)
	draft, err := d.SaveDraft(t.Context(), env, def, []byte(strings.Replace(signOn(f), "OLD", "EXPIRED", 1)))
	if err != nil || len(draft.Faults) != 0 || draft.Plan == published {
		t.Fatalf("%+v, %v", draft, err)
	}
	if d.plan(def) != published || len(d.versions(def)) != 1 {
		t.Error("the draft is served")
	}
	node := configs.NewRegistry(d.store, kinds(), "https://auth.example")
	if plan, err := node.Plan(t.Context(), env, draft.Plan); err != nil || plan.Definition != def {
		t.Errorf("the draft cannot be tried: %v", err)
	}
	if _, err := d.Publish(t.Context(), env, def); err != nil || d.plan(def) != draft.Plan {
		t.Errorf("published %s, %v", d.plan(def), err)
	}
	if _, err := d.Draft(t.Context(), env, def); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("the draft is still there: %v", err)
	}
}

func TestADraftMayBeWrong(t *testing.T) {
	d := newDesk(t, nil)
	draft, err := d.SaveDraft(t.Context(), env, "", []byte(`{"name":"New","enabled":true}`))
	if err != nil || draft.Plan != (flow.Digest{}) {
		t.Fatalf("%+v, %v", draft, err)
	}
	wants(t, draft.Faults, "INVALID_VALUE /stepDefinitions", "INVALID_VALUE /trigger")
	_, err = d.Publish(t.Context(), env, draft.ID)
	wants(t, err, "INVALID_VALUE /stepDefinitions", "INVALID_VALUE /trigger")
	if _, ok := d.bundle().FlowDefinition(draft.ID); ok {
		t.Error("it is served")
	}
	again, err := d.SaveDraft(t.Context(), env, draft.ID, []byte(basic))
	if err != nil || again.ID != draft.ID || len(again.Faults) != 0 {
		t.Fatalf("%+v, %v", again, err)
	}
	if _, err := d.Publish(t.Context(), env, draft.ID); err != nil || d.plan(draft.ID) != again.Plan {
		t.Error(err)
	}
	if _, err := d.SaveDraft(t.Context(), env, draft.ID, []byte(`[]`)); err == nil {
		t.Error("took a list")
	}
	if _, err := d.SaveDraft(t.Context(), env, draft.ID, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if err := d.DiscardDraft(t.Context(), env, draft.ID); err != nil {
		t.Error(err)
	}
	if err := d.DiscardDraft(t.Context(), env, draft.ID); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("discarded twice: %v", err)
	}
}
