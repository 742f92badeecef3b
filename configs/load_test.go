package configs_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"doorward/configs"
)

func TestTheDemoLoads(t *testing.T) {
	if !load(t, configs.Demo).DemoSecrets() {
		t.Error("the demo does not say that its secrets are known")
	}
	if load(t, demo(t, edit(t, "demo/environment.json", `"demo": true`, `"demo": false`))).DemoSecrets() {
		t.Error("an environment of one's own counts as the demo")
	}
}

func TestEveryFaultIsNamedWithItsFileAndPath(t *testing.T) {
	const (
		environment = "demo/environment.json"
		standard    = "demo/passwordPolicies/standard.json"
		population  = "demo/populations/default.json"
		policy      = "demo/signOnPolicies/single-factor.json"
		webApp      = "demo/applications/web.json"
		nativeApp   = "demo/applications/native.json"
		workerApp   = "demo/applications/worker.json"
		ada         = "demo/users/ada.json"
	)
	tests := map[string]struct {
		files map[string]string
		want  []string
	}{
		"no environment file":           {map[string]string{environment: ""}, []string{environment + ": $: is missing"}},
		"a file beside the folders":     {map[string]string{"README.md": "x"}, []string{"README.md: $: does not belong here"}},
		"an unknown folder":             {map[string]string{"demo/gadgets/a.json": "{}"}, []string{"demo/gadgets: $: does not belong here"}},
		"a file that is no JSON":        {map[string]string{"demo/users/a.txt": "{}"}, []string{"demo/users/a.txt: $: does not belong here"}},
		"a folder in a folder":          {map[string]string{"demo/users/more/a.json": "{}"}, []string{"demo/users/more: $: does not belong here"}},
		"broken JSON":                   {map[string]string{ada: `{"id":`}, []string{ada + ": $.id: unexpected EOF"}},
		"a member twice":                {edit(t, ada, `"email"`, `"username": "b", "email"`), []string{ada + ": $.username: duplicate object member name"}},
		"not an object":                 {map[string]string{ada: `[]`}, []string{ada + ": $: takes an object", ada + ": $.id: takes a UUID"}},
		"another case":                  {edit(t, ada, `"email"`, `"Email"`), []string{ada + ": $.Email: is no member here; there are id, username, email,"}},
		"a member inside a member":      {edit(t, ada, `"given"`, `"first"`), []string{ada + ": $.name.first: is no member here; there are given, family"}},
		"a value of another type":       {edit(t, ada, `"ada@example.com"`, `7`), []string{ada + ": $.email: takes a string"}},
		"an id that is no UUID":         {edit(t, ada, "d0000000-0000-4000", "D0000000-0000-4000"), []string{ada + ": $.id: takes a UUID"}},
		"an id of version 1":            {edit(t, ada, "d0000000-0000-4000", "d0000000-0000-1000"), []string{ada + ": $.id: takes a UUID"}},
		"nothing required":              {map[string]string{ada: `{}`}, []string{ada + ": $.id: is required", ada + ": $.username: is required"}},
		"an id of another file":         {edit(t, workerApp, "a9", "a1"), []string{workerApp + ": $.id: is that of " + webApp + " too"}},
		"a name of another file":        {edit(t, workerApp, "Demo worker", "Demo web application"), []string{workerApp + ": $.name: is that of " + webApp + " too"}},
		"a username of 129 letters":     {edit(t, ada, `"ada"`, `"`+strings.Repeat("ä", 129)+`"`), []string{ada + ": $.username: takes at most 128"}},
		"a type of environment":         {edit(t, environment, "SANDBOX", "sandbox"), []string{environment + `: $.type: takes one of ["PRODUCTION","SANDBOX"]`}},
		"a base with a path":            {edit(t, environment, "{base}", "{base}/x"), []string{environment + ": $.authBase: takes https://host"}},
		"two defaults":                  {map[string]string{"demo/populations/b.json": `{"id":"d0000000-0000-4000-8000-0000000000b2","name":"B","default":true}`}, []string{`demo/populations: $: needs one file with "default": true, not 2`}},
		"registration in no population": {edit(t, policy, `"registration": { "enabled": true }`, `"registration":{"enabled":true,"population":{"id":"d0000000-0000-4000-8000-0000000000bb"}}`), []string{`demo/signOnPolicies/single-factor.json: $.actions[0].registration.population.id: there is no such population`}},
		"no default":                    {edit(t, policy, `"default": true`, `"default": "false"`), []string{`demo/signOnPolicies: $: needs one file with "default": true, not 0`}},
		"no such password policy":       {edit(t, population, "c1", "c2"), []string{population + ": $.passwordPolicy.id: there is no such password policy"}},
		"no such population":            {edit(t, ada, "b1", "b2"), []string{ada + ": $.population.id: there is no such population"}},
		"a fault in an action":          {edit(t, policy, "28800", "-1"), []string{policy + ": $.actions[0].condition.greater: takes a whole number"}},
		"no action":                     {edit(t, policy, `"actions"`, `"Actions"`), []string{policy + ": $.Actions: is no member", policy + ": $.actions: takes 1 to 20"}},
		"no secret":                     {edit(t, webApp, "demo-web-secret", "short"), []string{webApp + ": $.secret: takes at least 8"}},
		"a secret of a public one":      {edit(t, nativeApp, `"enabled"`, `"secret": "12345678", "enabled"`), []string{nativeApp + ": $.secret: belongs to no application"}},
		"no PKCE of a public one":       {edit(t, nativeApp, "S256_REQUIRED", "OPTIONAL"), []string{nativeApp + ": $.pkceEnforcement: takes REQUIRED or S256_REQUIRED"}},
		"a worker without a secret":     {edit(t, workerApp, `"CLIENT_SECRET_BASIC",`, `"NONE", "pkceEnforcement": "REQUIRED",`), []string{workerApp + ": $.secret: belongs to no", workerApp + ": $.tokenEndpointAuthMethod: takes no NONE with CLIENT_CREDENTIALS"}},
		"a protocol":                    {edit(t, webApp, "OPENID_CONNECT", "SAML"), []string{webApp + `: $.protocol: takes one of ["OPENID_CONNECT"]; this server does no other`}},
		"a grant":                       {edit(t, webApp, `"AUTHORIZATION_CODE"`, `"AUTHORIZATION_CODE", "IMPLICIT"`), []string{webApp + `: $.grantTypes[1]: takes one of`}},
		"no grants":                     {edit(t, workerApp, `"CLIENT_CREDENTIALS"`, ``), []string{workerApp + `: $.grantTypes: is required`}},
		"no redirect":                   {edit(t, webApp, `"{base}/demo/callback"`, ``), []string{webApp + ": $.redirectUris: takes at least one"}},
		"no response type":              {edit(t, webApp, `"CODE"`, ``), []string{webApp + ": $.responseTypes: takes CODE"}},
		"a response mode":               {edit(t, webApp, `"enabled"`, `"responseModes":["fragment"], "enabled"`), []string{webApp + ": $.responseModes[0]: takes one of"}},
		"a token without pi.flow":       {edit(t, nativeApp, `, "pi.flow"`, ``), []string{nativeApp + ": $.flowTokenEnabled: needs pi.flow"}},
		"a page over plain http":        {edit(t, webApp, `"{base}/demo/",`, `"http://app.example/",`), []string{webApp + ": $.homePageUrl: takes https"}},
		"an unknown behaviour":          {edit(t, webApp, `"enabled"`, `"corsSettings":{"behavior":"ANY"}, "enabled"`), []string{webApp + ": $.corsSettings.behavior: takes one of"}},
		"origins that are not used":     {edit(t, webApp, `"enabled"`, `"corsSettings":{"behavior":"ALLOW_NO_ORIGINS","origins":["https://a.example"]}, "enabled"`), []string{webApp + ": $.corsSettings.origins: takes 1 to 20"}},
		"an assignment to nothing":      {edit(t, webApp, `"enabled"`, `"signOnPolicyAssignments":[{"priority":1,"signOnPolicy":{"id":"x"}}], "enabled"`), []string{webApp + ": $.signOnPolicyAssignments[0].signOnPolicy.id: there is no such sign-on policy"}},
		"assignments in no order":       {edit(t, webApp, `"enabled"`, `"signOnPolicyAssignments":[{"priority":1,"signOnPolicy":{"id":"`+single+`"}},{"priority":1,"signOnPolicy":{"id":"`+single+`"}},{"priority":0,"signOnPolicy":{"id":"`+single+`"}}], "enabled"`), []string{webApp + ": $.signOnPolicyAssignments[1].priority: is that of another", webApp + ": $.signOnPolicyAssignments[2].priority: takes a whole number"}},
		"faults in several files":       {map[string]string{ada: `{"id":1}`, webApp: `{`}, []string{webApp + ": $: unexpected EOF", ada + ": $.id: takes a string", ada + ": $.username: is required"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := configs.Load(demo(t, tt.files), kinds())
			if err == nil {
				t.Fatal("loaded")
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(tt.want) {
				t.Fatalf("faults:\n%v\nwant:\n%s", err, strings.Join(tt.want, "\n"))
			}
			for i, w := range tt.want {
				if !strings.HasPrefix(got[i], w) {
					t.Errorf("fault %q, want %q", got[i], w)
				}
			}
		})
	}
}

func TestTwoEnvironmentsAreTwo(t *testing.T) {
	files := demo(t, nil)
	twin := fstest.MapFS{}
	for path, f := range files {
		twin[path] = f
		twin["twin"+strings.TrimPrefix(path, "demo")] = f
	}
	_, err := configs.Load(twin, kinds())
	want := "twin/environment.json: $.id: is that of demo/environment.json too\ntwin/environment.json: $.name: is that of demo/environment.json too"
	if err == nil || err.Error() != want {
		t.Errorf("faults:\n%v\nwant:\n%s", err, want)
	}
}

func TestNamesThatBeginWithADotAreSkipped(t *testing.T) {
	load(t, demo(t, map[string]string{".git/config": "x", "demo/.notes": "x", "demo/users/..data": "x"}))
}

func TestAFolderThatCannotBeReadIsAnError(t *testing.T) {
	if _, err := configs.Load(os.DirFS("testdata/no such folder"), kinds()); err == nil {
		t.Error("a directory that is not there loaded as an empty one")
	}
}

func TestPublishedBodies(t *testing.T) {
	body := func(name, id string) string {
		b, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Replace(string(b), "{", `{"id":"d0000000-0000-4000-8000-0000000000`+id+`",`, 1)
	}
	here := func(user string) string {
		return strings.Replace(user, "11111111-0000-4000-8000-0000000000a1", "d0000000-0000-4000-8000-0000000000b1", 1)
	}
	confidential := strings.Replace(body("comp-application-oidc-web", "a3"), "{", `{"secret":"12345678",`, 1)
	tests := map[string]struct {
		path, body string
		faults     int
	}{
		"population":                    {"demo/populations/finance.json", body("doc-population", "b2"), 0},
		"application":                   {"demo/applications/x.json", confidential, 0},
		"user":                          {"demo/users/lee.json", here(body("comp-user-create", "f9")), 0},
		"imported user":                 {"demo/users/lee.json", here(body("comp-user-import", "f9")), 1}, // suppressVerificationCode is not taken
		"password policy of many rules": {"demo/passwordPolicies/standard.json", body("doc-password-policy", "c1"), 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := configs.Load(demo(t, map[string]string{tt.path: tt.body}), kinds())
			if got := strings.Count(errorText(err), "\n"); got != tt.faults {
				t.Errorf("%d faults, want %d:\n%v", got, tt.faults, err)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error() + "\n"
}
