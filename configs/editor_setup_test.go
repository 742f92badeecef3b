package configs_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/directory"
	"doorward/keys"
)

// desk is an Editor on a real database that holds the demo.
type desk struct {
	*configs.Editor
	t     *testing.T
	store *directory.Resources
	now   time.Time
}

func newDesk(t *testing.T, replaced map[string]string) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return d.now }
	db, err := directory.Open(t.Context(), directory.Options{Path: filepath.Join(t.TempDir(), "d.db"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	ring, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	d.store = directory.NewResources(db, ring)
	if _, err := configs.Apply(t.Context(), load(t, demo(t, replaced)), d.store, nobody{}); err != nil {
		t.Fatal(err)
	}
	d.Editor = configs.NewEditor(d.store, kinds(), "https://auth.example", clock, uuid.NewString)
	return d
}

// nobody takes users and keeps none.
type nobody struct{}

func (nobody) Seed(context.Context, configs.User) error { return nil }

// kind is a declaration by its name.
func kind(t *testing.T, name string) *configs.Kind {
	t.Helper()
	all := configs.Kinds()
	i := slices.IndexFunc(all, func(k *configs.Kind) bool { return k.Name == name })
	if i < 0 {
		t.Fatalf("there is no kind %s", name)
	}
	return all[i]
}

// at is a kind's name and the ids of parents, "signOnPolicyAction/e1".
func (d *desk) at(where string) (*configs.Kind, []string) {
	d.t.Helper()
	part := strings.Split(where, "/")
	return kind(d.t, part[0]), part[1:]
}

// make creates a resource that must be taken, and returns its id.
func (d *desk) make(where, body string) string {
	d.t.Helper()
	k, parents := d.at(where)
	item, err := d.Create(d.t.Context(), env, k, parents, []byte(body))
	if err != nil {
		d.t.Fatalf("%s: %v", where, err)
	}
	return item.ID
}

// body reads a resource.
func (d *desk) body(where, id string) map[string]any {
	d.t.Helper()
	k, parents := d.at(where)
	item, err := d.Read(d.t.Context(), env, k, parents, id)
	if err != nil {
		d.t.Fatalf("%s %s: %v", where, id, err)
	}
	var m map[string]any
	if err := json.Unmarshal(item.Body, &m); err != nil {
		d.t.Fatal(err)
	}
	return m
}

// bundle is the environment as a node serves it that has just started.
func (d *desk) bundle() *configs.Bundle {
	d.t.Helper()
	r := configs.NewRegistry(d.store, kinds(), "https://auth.example")
	if err := r.Reload(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	b, _ := r.Bundle(env)
	return b
}

// wants holds the faults of an error, as "code pointer: message", their beginnings.
func wants(t *testing.T, err error, want ...string) {
	t.Helper()
	var faults configs.Faults
	if err != nil && !errors.As(err, &faults) {
		t.Fatalf("error %v, want faults %q", err, want)
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.Reason()+" "+f.Pointer()+": "+f.Message)
	}
	slices.Sort(got)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !strings.HasPrefix(got[i], want[i]) {
			t.Fatalf("faults\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

const (
	standard   = "d0000000-0000-4000-8000-0000000000c1"
	everybody  = "d0000000-0000-4000-8000-0000000000b1"
	nothing    = "d0000000-0000-4000-8000-00000000ffff"
	signOnForm = `{"name":"Sign on","category":"CUSTOM","cols":4,"markRequired":true,"markOptional":false,"components":{"fields":[
		{"type":"TEXT","position":{"row":1,"col":0},"key":"user.username","label":"Username","required":true,"validation":{"type":"NONE"}},
		{"type":"PASSWORD","position":{"row":2,"col":0},"key":"user.password","label":"Password","required":true},
		{"type":"SUBMIT_BUTTON","position":{"row":4,"col":0},"label":"Sign on"}]}}`
)

// signOn is a flow definition that asks a form for a password.
func signOn(form string) string {
	return `{"name":"Sign on","enabled":true,"trigger":{"type":"EXPERIENCE","next":"form"},"stepDefinitions":{
		"form":{"type":"FORM","configuration":{"form":{"id":"` + form + `"}},"input":{},"outlets":{"SUBMITTED":{"next":"lookup"}}},
		"lookup":{"type":"USER_LOOKUP","configuration":{"matchAttributes":["username"],"matchPingOneUsersOnly":true},"input":{"identifier":"${steps.form.outputs.formData.user.username}"},
			"outlets":{"PING_ONE_USER_MATCHED":{"next":"password"},"ERROR":{"next":"form"}}},
		"password":{"type":"USER_PASSWORD_CHECK","input":{"user":{"id":"${steps.lookup.outputs.user.id}","password":"${steps.form.outputs.formData.user.password}"}},
			"outlets":{"PASSWORD_VALID":{"next":"done"},"PASSWORD_EXPIRED":{"next":"stop"},"MUST_CHANGE_PASSWORD":{"next":"stop"},"ERROR":{"next":"form"}}},
		"stop":{"type":"TERMINATE_FLOW","input":{"error":{"code":"OLD","message":"The password is too old."}}},
		"done":{"type":"COMPLETE_FLOW","configuration":{"result":"REDIRECT"},"input":{"parameters":{},"context":{"amr":["pwd"],"user":{"id":"${steps.lookup.outputs.user.id}"}}}}}}`
}

// basic is a flow definition that asks nothing.
const basic = `{"name":"Basic","enabled":true,"trigger":{"type":"EXPERIENCE","next":"done"},"stepDefinitions":{
	"done":{"type":"COMPLETE_FLOW","configuration":{"result":"REDIRECT"},"input":{"parameters":{},"context":{"amr":[]}}}}}`
