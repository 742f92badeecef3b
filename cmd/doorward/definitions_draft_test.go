package main_test

import (
	"net/http"
	"testing"
)

// A draft is tried by whoever was shown its plan, while everybody else runs what
// is published; published, it is what everybody runs.
func TestDraftsAreTriedBeforeTheyArePublished(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	ending := func(graph string) map[string]any {
		return definition("EXPERIENCE", "end", map[string]stepBody{"end": redirects(map[string]any{"graph": graph}, "")})
	}
	old := ending("old")
	id := r.definition(old)
	draft := ending("draft")
	draft["name"] = old["name"]
	plan, _ := memberOf(r.put("/flowDefinitions/"+id+"/draft", draft), "plan", "hash").(string)
	if len(plan) != 64 {
		t.Fatalf("the plan of the draft is %q", plan)
	}
	try := func(node int, plan string) (status int, at string) {
		ask := map[string]string{"redirectUri": shop4.RedirectURI}
		if plan != "" {
			ask["plan"] = plan
		}
		a := x.browser().Via(node).Experience(fourthEnv, id, ask)
		if a.Status != http.StatusCreated {
			return a.Status, ""
		}
		return a.Status, a.Resource().ResumeURL
	}
	r.served(func(node int) bool { _, at := try(node, plan); return at == shop4.RedirectURI+"?graph=draft" })
	for node := range 2 {
		if _, at := try(node, ""); at != shop4.RedirectURI+"?graph=old" {
			t.Errorf("node %d runs %q", node, at)
		}
		if status, _ := try(node, plan[:63]+"x"); status != http.StatusNotFound {
			t.Errorf("a plan that is none: %d", status)
		}
	}
	r.act(http.MethodPost, "/flowDefinitions/"+id+"/draft", "flowDefinition.publish", nil).Is(200)
	r.served(func(node int) bool { _, at := try(node, ""); return at == shop4.RedirectURI+"?graph=draft" })
	if status, _ := try(0, plan); status != http.StatusNotFound {
		t.Errorf("a draft that there is no more is run: %d", status)
	}
}
