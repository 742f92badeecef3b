package configs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"doorward/configs"
)

func folders(t *testing.T, fsys fs.FS) []*configs.Folder {
	t.Helper()
	out, err := configs.Folders(fsys, kinds())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The plans of files that are only read are those that would be served, also where a
// secret lies in what they take along.
func TestAFolderPlansWhatIsServed(t *testing.T) {
	m := newMemory()
	apply(t, m, configs.Demo)
	b, ok := serve(t, m).Bundle(env)
	if !ok {
		t.Fatal("the demo is not served")
	}
	all := folders(t, configs.Demo)
	if len(all) != 1 || all[0].ID != env || all[0].Name != "Demo" || all[0].Dir != "demo" {
		t.Fatalf("there are %+v", all)
	}
	definitions, policies := all[0].Planned("flowDefinition"), all[0].Planned("signOnPolicy")
	if len(definitions) != len(b.FlowDefinitions()) || len(policies) == 0 {
		t.Errorf("there are %d definitions and %d policies", len(definitions), len(policies))
	}
	for _, d := range definitions {
		served, _ := b.FlowDefinition(d.ID)
		if p, err := d.Plan(); err != nil || p.Hash != served.Plan || p.Name != d.Name {
			t.Errorf("the plan of %s is %v, %v; served is %s", d.Name, p, err, served.Plan)
		}
	}
	for _, d := range policies {
		served, err := b.Plans(&configs.Application{Assignments: []configs.Assignment{{Priority: 1, Policy: d.ID}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := d.Plan(); err != nil || p.Hash != served[0] {
			t.Errorf("the plan of %s is %v, %v; served is %s", d.Name, p, err, served[0])
		}
	}
	if other := all[0].Planned("form"); other != nil {
		t.Errorf("forms have plans: %v", other)
	}
}

// What is wrong with a file keeps its own plan from being made, and no other.
func TestAFolderIsReadWithAllItsFaults(t *testing.T) {
	const (
		standard = "demo/signOnPolicies/single-factor.json"
		more     = "demo/signOnPolicies/more.json"
	)
	for name, tt := range map[string]struct{ body, says string }{
		"no JSON":        {`{"id":`, more + ": $.id: unexpected EOF"},
		"a member twice": {`{"id":"x","id":"x"}`, more + ": $.id: duplicate object member name"},
		"no actions":     {`{"id":"d0000000-0000-4000-8000-0000000000e7","name":"More"}`, more + ": $.actions: takes 1 to 20 actions, not 0"},
		"two faults":     {`{"id":"x","name":"More","actions":[{"type":"X"},{"type":"Y"}]}`, more + ": $.actions[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			files := demo(t, map[string]string{more: tt.body, "demo/forms/broken.json": `[`, "demo/readme.txt": "x"})
			policies := folders(t, files)[0].Planned("signOnPolicy")
			if len(policies) != 2 {
				t.Fatalf("there are %d policies", len(policies))
			}
			if _, err := policies[0].Plan(); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("the error is %v, want %s", err, tt.says)
			}
			if _, err := policies[1].Plan(); err != nil || policies[1].Name != "Single_Factor" {
				t.Errorf("%s beside it: %v", standard, err)
			}
		})
	}
}

func TestWhatIsNoEnvironmentIsPassedOver(t *testing.T) {
	files := demo(t, map[string]string{"notes/readme.md": "x", ".git/environment.json": "{}", "README.md": "x"})
	if all := folders(t, files); len(all) != 1 || all[0].Dir != "demo" {
		t.Errorf("there are %+v", all)
	}
	if _, err := configs.Folders(fstest.MapFS{"notes/readme.md": &fstest.MapFile{}}, nil); err == nil || !strings.Contains(err.Error(), "there is no environment in it") {
		t.Errorf("the error is %v", err)
	}
	if f, err := configs.ReadFolder(files, "notes", nil); !errors.Is(err, fs.ErrNotExist) || f != nil {
		t.Errorf("read %v, %v", f, err)
	}
	if _, there := (*configs.Folder)(nil).Resource("form", env); there {
		t.Error("no folder has a form")
	}
}

// The folder of an environment stands for a directory in which there is no other.
func TestADirectoryIsOneOfEnvironmentsOrOneEnvironment(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		sub, err := fs.Sub(configs.Demo, "demo")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(dir, name), sub); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		dir, says string
		root      string
		names     []string
	}{
		"both":            {dir, "", dir, []string{"a", "b"}},
		"one":             {filepath.Join(dir, "b"), "", dir, []string{"b"}},
		"a file":          {filepath.Join(dir, "a", "environment.json"), "is no directory", "", nil},
		"what is nowhere": {filepath.Join(dir, "c"), "no such file", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			files, root, err := configs.Directory(tt.dir)
			if tt.says != "" {
				if err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("the error is %v, want %s", err, tt.says)
				}
				return
			}
			if err != nil || root != tt.root {
				t.Fatalf("root %s, %v", root, err)
			}
			var names []string
			for _, f := range folders(t, files) {
				names = append(names, f.Dir)
			}
			if strings.Join(names, " ") != strings.Join(tt.names, " ") {
				t.Errorf("the folders are %v, want %v", names, tt.names)
			}
		})
	}
}

func TestWhatIsKeptOfABody(t *testing.T) {
	for _, k := range configs.Kinds() {
		if k.Name != "form" {
			continue
		}
		got, err := k.Kept([]byte(`{"name": "F", "created": "x", "fieldTypes": [], "environment": {}, "_links": {}, "id": "x"}`))
		if want := `{"id":"x","name":"F"}`; err != nil || string(got) != want {
			t.Errorf("kept %s, %v; want %s", got, err, want)
		}
		if _, err := k.Kept([]byte(`{"a":1,"a":2}`)); err == nil {
			t.Error("a member may be there twice")
		}
	}
}
