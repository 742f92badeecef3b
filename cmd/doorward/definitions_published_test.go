package main_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// waiting are the published definitions whose kinds of steps are yet to come, with
// the kind that each waits for.
func waiting() map[string]string {
	return map[string]string{
		"rec-flow-identity-provider-sign-on-sign-on-policy": "IDENTITY_PROVIDER_AUTHENTICATION",
	}
}

// walked are the other ones, with the walks to their ends.
func walked() map[string][]func(w *tour) {
	signOn := []func(*tour){(*tour).signOn, (*tour).expired}
	return map[string][]func(w *tour){
		"mixed-flow-registration-experience":                {(*tour).registration},
		"mixed-flow-registration-sign-on-policy":            {(*tour).registration},
		"rec-flow-agreement-consent-experience":             signOn,
		"rec-flow-agreement-consent-sign-on-policy":         signOn,
		"rec-flow-agreement-reconsent-experience":           {(*tour).signedOn},
		"rec-flow-agreement-reconsent-sign-on-policy":       {(*tour).signedOn},
		"rec-flow-basic-experience":                         {(*tour).nobody},
		"rec-flow-basic-sign-on-policy":                     {(*tour).signedOn},
		"rec-flow-external-service-invoke-experience":       {(*tour).invokes},
		"rec-flow-mfa-challenge-experience":                 {(*tour).challenged},
		"rec-flow-mfa-challenge-sign-on-policy":             {(*tour).challenged},
		"rec-flow-mfa-enrollment-experience":                {(*tour).enrolled},
		"rec-flow-mfa-enrollment-sign-on-policy":            {(*tour).enrolled},
		"rec-flow-password-recovery-experience":             {(*tour).recovery},
		"rec-flow-password-recovery-sign-on-policy":         {(*tour).recovery},
		"rec-flow-registration-with-consent-sign-on-policy": {(*tour).registration},
		"rec-flow-sign-on-experience":                       signOn,
		"rec-flow-sign-on-sign-on-policy":                   signOn,
	}
}

// findings are what the verifier has to say of those; nothing keeps one from being
// published.
func findings() map[string][]string {
	mistyped := []string{"NO_ERROR_OUTLET at createUser"} // the documents have none there
	return map[string][]string{
		"mixed-flow-registration-experience":                mistyped,
		"mixed-flow-registration-sign-on-policy":            mistyped,
		"rec-flow-registration-with-consent-sign-on-policy": mistyped,
	}
}

// publishedFiles are the names of the bodies of the reference.
func publishedFiles(t *testing.T, pattern string) (out []string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal(pattern, err)
	}
	for _, f := range files {
		out = append(out, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	return out
}

// Every published definition is either walked to its end, or waits for a kind of
// step that is not known; one that could be walked and is not fails here.
func TestPublishedDefinitionsAreWalkedOrWait(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	known := map[string]bool{}
	for _, k := range embedded(r.get("/flowMetadata/stepTypes"), "stepTypes") {
		name, _ := k["typeName"].(string)
		known[name] = true
	}
	wait, walk, found := waiting(), walked(), findings()
	for _, file := range publishedFiles(t, "../../runtime/definition/testdata/*-flow-*.json") {
		body := r.reference(file)
		steps, _ := body["stepDefinitions"].(map[string]any)
		var unknown []string
		for _, s := range steps {
			if name, _ := memberOf(s, "type").(string); !known[name] {
				unknown = append(unknown, name)
			}
		}
		switch kind := wait[file]; {
		case kind == "" && walk[file] == nil:
			t.Errorf("%s is neither walked nor waiting; its unknown kinds are %v", file, unknown)
		case kind != "" && !slices.Contains(unknown, kind):
			t.Errorf("%s waits for %s, which is known now: have it walked", file, kind)
		case kind != "":
			a := r.do(http.MethodPost, "/flowDefinitions", r.fitted(file)).Is(400)
			if !strings.Contains(string(a.Body), kind) {
				t.Errorf("%s is refused with %s", file, a.Body)
			}
		case len(unknown) > 0:
			t.Errorf("%s is to be walked, and its kinds %v are not known", file, unknown)
		default:
			if got := r.verified(file); !slices.Equal(got, found[file]) {
				t.Errorf("of %s the verifier says %q, want %q", file, got, found[file])
			}
		}
		delete(wait, file)
		delete(walk, file)
	}
	if len(wait)+len(walk) > 0 {
		t.Errorf("there are no bodies for %v and %v", slices.Collect(maps.Keys(wait)), slices.Collect(maps.Keys(walk)))
	}
}

// verified publishes a definition, and returns what the verifier finds.
func (r *room) verified(file string) (out []string) {
	r.x.Helper()
	body := r.fitted(file)
	body["name"] = r.unique(file)
	made := r.x.mustJSON(r.do(http.MethodPost, "/flowDefinitions", body).Is(201).Body)
	id, _ := made["id"].(string)
	r.made = append(r.made, "/flowDefinitions/"+id)
	for _, f := range embedded(made, "warnings") {
		code, _ := f["code"].(string)
		step, _ := f["target"].(string)
		out = append(out, code+" at "+strings.TrimPrefix(step, "stepDefinitions."))
	}
	return out
}

// The published definitions are made over the API as they are, but for ids, read
// back and listed, and walked to their ends by a client that reads nothing but
// _templates: as experiences, which lead back to the application and leave a
// session, and as actions of sign-on policies, which lead to tokens.
func TestPublishedDefinitionsAreWalked(t *testing.T) {
	t.Parallel()
	x := apart(t)
	r := x.room(admin, shop4)
	defer r.clear()
	n := 0
	for _, file := range slices.Sorted(maps.Keys(walked())) {
		x.part(file, func() {
			id := r.definition(r.fitted(file))
			now := r.get("/flowDefinitions/" + id)
			if want := r.fitted(file); fmt.Sprint(now["stepDefinitions"]) != fmt.Sprint(want["stepDefinitions"]) || fmt.Sprint(now["trigger"]) != fmt.Sprint(want["trigger"]) {
				t.Errorf("%s was kept as %v", file, now)
			}
			if listed := embedded(r.get("/flowDefinitions?filter="+url.QueryEscape(`id eq "`+id+`"`)), "flowDefinitions"); len(listed) != 1 || listed[0]["name"] != now["name"] {
				t.Errorf("%s is listed as %v", file, listed)
			}
			for _, walk := range walked()[file] {
				n++
				walk(&tour{room: r, face: &reader{x.browser()}, file: file, id: id, name: fmt.Sprintf("walker-%d", n)})
			}
		})
	}
}
