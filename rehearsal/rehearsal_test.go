package rehearsal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorward/configs"
	"doorward/rehearsal"
	"doorward/runtime/flow"
	"doorward/steps"
)

// kinds are the step kinds, with nothing behind them.
func kinds() []flow.Kind { return steps.Builtin(steps.Parts{}) }

// demo is a copy of the demo's configuration.
func demo(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "config")
	if err := os.CopyFS(dir, configs.Demo); err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, file, body string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAReportIsAnErrorWhereItNamesOne(t *testing.T) {
	const broken, fine = `{"id":1}`, "is in order\n"
	for name, tt := range map[string]struct {
		form, below, says string
		wrong             bool
	}{
		"in order":                  {"", "", fine, false},
		"of one environment":        {"", "demo", fine, false},
		"with a fault":              {broken, "", "forms/more.json: $.id: takes a string", true},
		"of one that has the fault": {broken, "demo", "forms/more.json: $.id: takes a string", true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := demo(t)
			if tt.form != "" {
				write(t, filepath.Join(dir, "demo/forms/more.json"), tt.form)
			}
			r, err := rehearsal.Check(filepath.Join(dir, tt.below), kinds())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(r.Text(), tt.says) || (r.Verdict(false) != nil) != tt.wrong || (r.Errors > 0) != tt.wrong {
				t.Errorf("%d errors, %v: %s", r.Errors, r.Verdict(false), r.Text())
			}
		})
	}
}

func TestWhatIsDrawn(t *testing.T) {
	dir := demo(t)
	for name, tt := range map[string]struct {
		drawing   rehearsal.Drawing
		says, err string
	}{
		"every definition":      {rehearsal.Drawing{Language: "dot"}, "// Sign on (experience)\ndigraph", ""},
		"one of them":           {rehearsal.Drawing{Language: "mermaid", Definition: "Voucher (experience)"}, "flowchart", ""},
		"a policy":              {rehearsal.Drawing{Language: "dot", Policy: "Single_Factor"}, "digraph", ""},
		"what there is not":     {rehearsal.Drawing{Language: "dot", Definition: "Sign off"}, "", `there is no flow definition "Sign off"; there are "`},
		"a policy there is not": {rehearsal.Drawing{Language: "dot", Policy: "Sign off"}, "", `there is no sign-on policy "Sign off"; there are "`},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := rehearsal.Draw(&out, dir, tt.drawing, kinds())
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("the error is %v, want %q", err, tt.err)
			}
			if !strings.Contains(out.String(), tt.says) {
				t.Errorf("%s lacks %s", out.String(), tt.says)
			}
		})
	}
}

// A comparison speaks of the plans that would be served.
func TestComparedPlansAreThoseThatWouldBeServed(t *testing.T) {
	dir := demo(t)
	folders, err := configs.Folders(os.DirFS(dir), kinds())
	if err != nil {
		t.Fatal(err)
	}
	plans := map[string]string{}
	for _, d := range folders[0].Planned("flowDefinition") {
		p, err := d.Plan()
		if err != nil {
			t.Fatal(err)
		}
		plans[d.Name] = p.Hash.String()
	}
	from, to := filepath.Join(dir, "demo/flowDefinitions/voucher-experience.json"), filepath.Join(dir, "next.json")
	write(t, to, strings.Replace(read(t, from), `"Voucher (experience)"`, `"Vouchers"`, 1))
	c, err := rehearsal.Compare(from, to, kinds())
	if err != nil {
		t.Fatal(err)
	}
	if c.Plan.From != plans["Voucher (experience)"] || c.Plan.Changes == nil || !*c.Plan.Changes {
		t.Errorf("the plan is %+v, want from %s", c.Plan, plans["Voucher (experience)"])
	}
	if text := c.Text(); !strings.Contains(text, `~ name: "Voucher (experience)" => "Vouchers"`) || strings.Contains(text, "demo-voucher-desk-key") {
		t.Errorf("it says %s", text)
	}
}

const script = `config: config
definition: Sign on (experience)
users:
  - {username: ada, email: other@example.com}
  - {username: bob, email: bob@example.com, password: Correct-Horse-9}
steps: []
`

// Who builds a House is given the configuration of the script with its users in it,
// and it is gone when the House cannot be built.
func TestWhatAHouseIsBuiltOf(t *testing.T) {
	fault := configs.Faults{{File: "demo/users/flow-test-2.json"}}
	fault[0].Path, fault[0].Message = "$.email", "is that of nobody"
	for name, tt := range map[string]struct {
		err  error
		says string
	}{
		"it cannot be built":     {errors.New("no room"), "script.yaml: no room"},
		"a user is at fault":     {fault, "script.yaml:5: user: $.email: is that of nobody"},
		"the files are at fault": {configs.Faults{{File: "demo/environment.json", Fault: fault[0].Fault}}, "script.yaml: demo/environment.json: $.email"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(filepath.Dir(demo(t)), "script.yaml")
			write(t, file, script)
			var in rehearsal.Setting
			var out bytes.Buffer
			err := rehearsal.Play(t.Context(), &out, []string{file}, false, func(_ context.Context, s rehearsal.Setting) (*rehearsal.House, error) {
				in = s
				ada, bob := user(t, s, "flow-test-1.json"), user(t, s, "flow-test-2.json")
				if ada["id"] != "d0000000-0000-4000-8000-0000000000f1" || ada["email"] != "other@example.com" || ada["password"] == nil {
					t.Errorf("the user of the configuration is %v", ada)
				}
				if bob["username"] != "bob" || bob["id"] == "" {
					t.Errorf("the user of the script is %v", bob)
				}
				if _, err := os.Stat(filepath.Join(s.Config, "demo/users/ada.json")); err == nil {
					t.Error("ada is there twice")
				}
				return nil, tt.err
			})
			if err == nil || err.Error() != "1 of 1 script failed" || !strings.Contains(out.String(), "FAIL  "+file+"\n") || !strings.Contains(out.String(), tt.says) {
				t.Errorf("%v; it says %s, which lacks %s", err, out.String(), tt.says)
			}
			if _, err := os.Stat(in.Dir); in.Dir == "" || !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%q is left: %v", in.Dir, err)
			}
		})
	}
}

// user is the file that a user of a script is in.
func user(t *testing.T, s rehearsal.Setting, file string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(read(t, filepath.Join(s.Config, "demo/users", file))), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
