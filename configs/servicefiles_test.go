package configs_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"doorward/configs"
	"doorward/runtime/external"
	"doorward/runtime/flow"
)

const partnerFile = "demo/externalServices/partner.json"

// filed is partner as a file has it.
func filed(secrets string) string {
	return strings.Replace(partner, `"name":"Partner"`, `"id":"d0000000-0000-4000-8000-0000000000f1","name":"Partner"`+secrets, 1)
}

func TestFilesHoldServicesWithTheirSecrets(t *testing.T) {
	const secrets, id = `,"secrets":[{"name":"apiKey","value":"hidden-1"},{"name":"other","value":"hidden-2"}]`, "d0000000-0000-4000-8000-0000000000f1"
	m := newMemory()
	files := func(text string) fstest.MapFS {
		out := demo(t, edit(t, "demo/environment.json", `"managed": false`, `"managed": true`))
		out[partnerFile] = &fstest.MapFile{Data: []byte(text)}
		return out
	}
	apply(t, m, files(filed(secrets)))
	b, _ := serve(t, m).Bundle(env)
	for name, want := range map[string]string{"secrets/apiKey": "hidden-1", "secrets/other": "hidden-2", "authSchemes/the/key/key": "hidden-key"} {
		if got, _ := b.ServiceSecret(id, name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if changes := apply(t, m, files(filed(secrets))); len(changes) > 0 {
		t.Errorf("the same again: %q", changes)
	}
	want := []string{`Demo: change externalService "Partner" (` + id + `)`}
	if diff := cmp.Diff(want, apply(t, m, files(filed(strings.Replace(secrets, `,{"name":"other","value":"hidden-2"}`, "", 1))))); diff != "" {
		t.Error(diff)
	}
	r := serve(t, m)
	if _, err := r.Secret(t.Context(), env, id, "secrets/other", nil); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("what a file no longer has is served: %v", err)
	}
	if s, err := r.Secret(t.Context(), env, id, "secrets/apiKey", []string{"https://partner.example"}); err != nil || s != "hidden-1" {
		t.Error(s, err)
	}
	if s, err := r.Secret(t.Context(), env, id, "secrets/apiKey", []string{"https://partner.example", "https://was.example"}); !errors.Is(err, external.ErrMoved) || s != "" {
		t.Errorf("a secret goes to where the service was: %v", err)
	}
	for _, one := range m.resources {
		if bytes.Contains(one.Body, []byte("hidden")) {
			t.Errorf("%s holds a secret", one.Kind)
		}
	}
}

func TestCheckNamesWhatIsWrongWithAService(t *testing.T) {
	const id = `"id":"d0000000-0000-4000-8000-0000000000f1",`
	for name, row := range map[string]struct {
		text             string
		faults, warnings []string
	}{
		"nothing":                   {filed(`,"secrets":[{"name":"apiKey","value":"v"}]`), nil, nil},
		"a secret without a value":  {filed(`,"secrets":[{"name":"apiKey"}]`), []string{"$.secrets[0].value: is required"}, []string{"$.requests[0]: reads the secret"}},
		"a secret twice":            {filed(`,"secrets":[{"name":"apiKey","value":"v"},{"name":"apiKey","value":"w"}]`), []string{"$.secrets[1].name: is the name of another"}, nil},
		"secrets that are no list":  {filed(`,"secrets":{"apiKey":"v"}`), []string{"$.secrets: takes a list"}, []string{"$.requests[0]: reads the secret"}},
		"a secret that is not here": {filed(""), nil, []string{`$.requests[0]: reads the secret "apiKey", which has no value`}},
		"a scheme without its key":  {`{` + id + `"name":"P","authSchemes":[{"name":"a","type":"API_KEY"}]}`, []string{"$.authSchemes[0].key: is required"}, nil},
		"a host of an input":        {`{` + id + `"name":"P","requests":[{"name":"a","request":{"method":"GET","url":"'https://' + inputs.host","inputSchema":"{\"type\":\"object\",\"properties\":{\"host\":{\"type\":\"string\"}}}"}}]}`, []string{"$.requests[0].request.url: "}, nil},
		"a stranger":                {`{` + id + `"name":"P","requets":[]}`, []string{"$.requets: is no member"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			faults, warnings, err := configs.Check(demo(t, map[string]string{partnerFile: row.text}), kinds())
			if err != nil {
				t.Fatal(err)
			}
			for what, is := range map[string]struct {
				got  configs.Faults
				want []string
			}{"fault": {faults, row.faults}, "warning": {warnings, row.warnings}} {
				for i := range max(len(is.got), len(is.want)) {
					if i >= len(is.got) || i >= len(is.want) || !strings.HasPrefix(is.got[i].Error(), partnerFile+": "+is.want[i]) {
						t.Fatalf("%ss\n%s\nwant\n%s", what, is.got.Error(), strings.Join(is.want, "\n"))
					}
				}
			}
		})
	}
}

// FuzzService holds that a file of a service is taken or refused with words, whatever
// is in it.
func FuzzService(f *testing.F) {
	for _, seed := range []string{
		partner, `{}`, `[]`, `null`, `{"authSchemes":null}`, `{"authSchemes":[null,1,"x",{}]}`, `{"authSchemes":[{"name":"a","type":"API_KEY","key":"hidden"}],"secrets":[{"name":"b","value":"hidden"},{"value":"hidden"},"c"]}`,
		`{"secrets":["a",{"name":"a","value":"hidden"}],"requests":[{"name":"","inputs":[1],"displayName":" "}]}`, `{"secrets":7,"requests":{}}`, `{"id":"x","name":7,"requests":[[]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		files := fstest.MapFS{partnerFile: &fstest.MapFile{Data: body}}
		faults, _, err := configs.Check(files, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range faults {
			if fault.Message == "" {
				t.Fatalf("%+v", fault)
			}
		}
	})
}
