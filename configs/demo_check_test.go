package configs_test

import (
	"bytes"
	"io/fs"
	"testing"
	"testing/fstest"

	"doorward/configs"
	"doorward/steps"
)

func TestTheDemoIsSoundAndHasNoFindings(t *testing.T) {
	faults, warnings, err := configs.Check(configs.Demo, steps.Builtin(steps.Parts{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(faults, warnings...) {
		t.Errorf("%+v", f)
	}
}

// What a sign-on policy leads through cannot be switched off beneath it.
func TestADefinitionThatIsLedThroughStaysEnabled(t *testing.T) {
	const file = "demo/flowDefinitions/basic-sign-on-policy.json"
	files := fstest.MapFS{}
	err := fs.WalkDir(configs.Demo, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := fs.ReadFile(configs.Demo, path)
		files[path] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files[file] = &fstest.MapFile{Data: bytes.Replace(files[file].Data, []byte(`"enabled": true`), []byte(`"enabled": false`), 1)}
	faults, _, err := configs.Check(files, steps.Builtin(steps.Parts{}))
	if err != nil || len(faults) != 1 || faults[0].File != file || faults[0].Path != "$.enabled" {
		t.Errorf("%v, %v", faults, err)
	}
}
