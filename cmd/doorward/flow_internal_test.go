package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// command runs the program and returns what it prints, with the error that ends it
// as the last line.
func command(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	nothing := func(string) string { return "" } // neither variables nor a home
	if err := run(t.Context(), args, nothing, strings.NewReader(""), &out, &out); err != nil {
		out.WriteString("doorward: " + err.Error() + "\n")
	}
	return out.String()
}

// inFlowFolder goes to a copy of testdata/flow, with another configuration in which
// there is a definition full of holes and a form that is none.
func inFlowFolder(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for to, from := range map[string]string{".": "testdata/flow", "holes": "testdata/flow/config"} {
		if err := os.CopyFS(filepath.Join(dir, to), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for file, body := range map[string]string{
		"holes/acme/flowDefinitions/holes.json": read(t, "holes.json"),
		"holes/acme/forms/none.json":            `{"id":"none","nam":1}`,
		"next/acme/environment.json":            read(t, "config/acme/environment.json"),
	} {
		write(t, file, body)
	}
	for _, folder := range []string{"forms", "flowDefinitions", "populations"} {
		if err := os.CopyFS(filepath.Join("next/acme", folder), os.DirFS(filepath.Join("config/acme", folder))); err != nil {
			t.Fatal(err)
		}
	}
	write(t, "formless.json", strings.Replace(read(t, "config/acme/flowDefinitions/sign-on.json"), "0000000000e1", "0000000000e9", 1))
	edit(t, "next/acme/forms/sign-on.json", `"label": "Not now"`, `"label": "Later"`, `"required": true, "validation"`, `"required": false, "validation"`)
	edit(t, "next/acme/flowDefinitions/sign-on.json", `["username"]`, `["username", "email"]`, `"PASSWORD_VALID": {"next": "done"}`,
		`"PASSWORD_VALID": {"next": "which"}`, `"left": {"type"`, branch+`"left": {"type"`, "You have left.", "Come back soon.")
}

const branch = `"which": {"type": "BRANCH", "configuration": {"conditions": [{"condition": {"value": "${flow.inputs.parameters.from}", "equals": "mail"}, "result": "mailed"}]}, ` +
	`"outlets": {"mailed": {"next": "done"}, "NO_MATCH": {"next": "left", "displayName": "Others"}}}, `

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
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

// edit replaces pairs of texts in a file, each of which is there.
func edit(t *testing.T, file string, pairs ...string) {
	t.Helper()
	body := read(t, file)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(body, pairs[i]) {
			t.Fatalf("%s has no %s", file, pairs[i])
		}
	}
	write(t, file, strings.NewReplacer(pairs...).Replace(body))
}

// What the commands print is kept. UPDATE_GOLDEN=1 writes it anew.
func TestFlowCommandsGolden(t *testing.T) {
	golden, err := filepath.Abs("testdata/flow/golden")
	if err != nil {
		t.Fatal(err)
	}
	inFlowFolder(t)
	for file, args := range map[string][]string{
		"check.txt":          {"check", "holes"},
		"check.json":         {"check", "--format", "json", "holes/acme"},
		"test.txt":           {"flow", "test", "--coverage", "policy.yaml", "registration.yaml", "sign-on.yaml"},
		"test_failed.txt":    {"flow", "test", "sign-on.yaml", "failed.yaml", "unexpected.yaml", "unmailed.yaml", "unreadable.yaml", "weak.yaml"},
		"graph.dot":          {"flow", "graph", "config"},
		"graph_holes.mmd":    {"flow", "graph", "--format", "mermaid", "--definition", "Holes", "holes"},
		"graph_policy.dot":   {"flow", "graph", "--policy", "f1000000-0000-4000-8000-0000000000e1", "config/acme"},
		"diff.txt":           {"flow", "diff", "config/acme/flowDefinitions/sign-on.json", "next/acme/flowDefinitions/sign-on.json"},
		"diff.json":          {"flow", "diff", "--format", "json", "config/acme/flowDefinitions/sign-on.json", "next/acme/flowDefinitions/sign-on.json"},
		"diff_same.txt":      {"flow", "diff", "config/acme/flowDefinitions/sign-on.json", "config/acme/flowDefinitions/sign-on.json"},
		"diff_loose.txt":     {"flow", "diff", "holes.json", "config/acme/flowDefinitions/sign-on.json"},
		"diff_unplanned.txt": {"flow", "diff", "config/acme/flowDefinitions/sign-on.json", "formless.json"},
	} {
		t.Run(file, func(t *testing.T) {
			got := command(t, args...)
			kept := filepath.Join(golden, file)
			if os.Getenv("UPDATE_GOLDEN") != "" {
				write(t, kept, got)
			}
			if diff := cmp.Diff(read(t, kept), got); diff != "" {
				t.Errorf("doorward %s prints (-kept +now):\n%s", strings.Join(args, " "), diff)
			}
		})
	}
}

// A command that cannot do what it is asked says what it can.
func TestWhatFlowCommandsRefuse(t *testing.T) {
	inFlowFolder(t)
	write(t, "bare/readme.txt", "")
	write(t, "several.yaml", "config: twins\ndefinition: Sign On\nsteps: []\n")
	for _, name := range []string{"a", "b"} {
		if err := os.CopyFS(filepath.Join("twins", name), os.DirFS("config/acme")); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"check without a directory":         {[]string{"check"}, "give the directory of configuration files: doorward check DIR"},
		"check of nothing":                  {[]string{"check", "nowhere"}, "nowhere: no such file or directory"},
		"check of a file":                   {[]string{"check", "holes.json"}, "holes.json is no directory"},
		"check in another format":           {[]string{"check", "--format", "xml", "config"}, `--format "xml": give text or json`},
		"strictly, a warning":               {[]string{"check", "--strict", "warned"}, "0 errors, 1 warning in warned"},
		"a graph of what there is not":      {[]string{"flow", "graph", "--definition", "Sign Off", "config"}, `there is no flow definition "Sign Off"; there are "Registration" (f1000000-0000-4000-8000-0000000000d2), "Sign On"`},
		"a graph of no configuration":       {[]string{"flow", "graph", "bare"}, "there is no environment in it"},
		"a graph in another language":       {[]string{"flow", "graph", "--format", "svg", "config"}, "give dot or mermaid"},
		"a graph of what does not stand":    {[]string{"flow", "graph", "--policy", "Password", "--definition", "Sign On", "config"}, "none of the others can be"},
		"a comparison of one file":          {[]string{"flow", "diff", "holes.json"}, "give the file as it was and the file as it is"},
		"a comparison with a form":          {[]string{"flow", "diff", "holes.json", "config/acme/forms/sign-on.json"}, "is no flow definition"},
		"a comparison with what is no JSON": {[]string{"flow", "diff", "holes.json", "sign-on.yaml"}, "sign-on.yaml: $: "},
		"a test without scripts":            {[]string{"flow", "test"}, "give the scripts to play"},
		"a test of two of one name":         {[]string{"flow", "test", "several.yaml"}, `"Sign On" is several`},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.args[len(tt.args)-1] == "warned" {
				warned(t)
			}
			if got := command(t, tt.args...); !strings.Contains(got, "doorward: ") || !strings.Contains(got, tt.says) {
				t.Errorf("doorward %s says %s, which lacks %s", strings.Join(tt.args, " "), got, tt.says)
			}
		})
	}
}

// warned is a configuration with a warning alone, which check lets pass.
func warned(t *testing.T) {
	t.Helper()
	if err := os.CopyFS("warned", os.DirFS("config")); err != nil {
		t.Fatal(err)
	}
	edit(t, "warned/acme/flowDefinitions/sign-on.json", `"left": {"type"`, `"lost": {"type": "TERMINATE_FLOW", "input": {"error": {"code": "LOST", "message": "Lost."}}}, "left": {"type"`)
	if got := command(t, "check", "warned"); !strings.Contains(got, "UNREACHABLE_STEP") || strings.Contains(got, "doorward: ") {
		t.Errorf("check says %s", got)
	}
}

// Passwords and codes of a script are nowhere in what a failure prints.
func TestAFailedFlowTestPrintsNoSecret(t *testing.T) {
	inFlowFolder(t)
	got := command(t, "flow", "test", "failed.yaml", "unmailed.yaml", "weak.yaml")
	for _, secret := range []string{"Correct-Horse-9", "Wrong-Horse-7", "Correct-Horse-7", "Weak-1"} {
		if strings.Contains(got, secret) {
			t.Errorf("%s is in\n%s", secret, got)
		}
	}
}
