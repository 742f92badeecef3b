package configs_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/configs"
)

func TestTheDemoIsSeededOnce(t *testing.T) {
	m := newMemory()
	want := []string{"environment", "passwordPolicy", "population", "agreement", "form", "externalService", "fido2Policy", "deviceAuthenticationPolicy", "flowDefinition", "signOnPolicy", "application"} // what is named before who names it
	var kinds []string
	for _, line := range apply(t, m, configs.Demo) {
		rest, adds := strings.CutPrefix(line, "Demo: add ")
		kind, _, _ := strings.Cut(rest, " ")
		if !adds {
			t.Error(line)
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
	ada := configs.User{
		Env: env, ID: "d0000000-0000-4000-8000-0000000000f1", Username: "ada", Email: "ada@example.com", EmailVerified: true, Enabled: true,
		Given: "Ada", Family: "Lovelace", Population: "d0000000-0000-4000-8000-0000000000b1", Password: "Correct-Horse-9",
	}
	grace, alan := ada, ada
	grace.ID, grace.Username, grace.Email = "d0000000-0000-4000-8000-0000000000f2", "grace", "grace@example.com"
	grace.Given, grace.Family, grace.Password, grace.ForceChange = "Grace", "Hopper", "Temporary-Horse-9", true
	alan.ID, alan.Username, alan.Email = "d0000000-0000-4000-8000-0000000000f3", "alan", "alan@example.com"
	alan.Given, alan.Family, alan.Password = "Alan", "Turing", "Expired-Horse-9"
	alan.PasswordChangedAt = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	if diff := cmp.Diff([]configs.User{ada, alan, grace}, m.users); diff != "" {
		t.Error(diff)
	}

	m.users = nil // somebody removed her, and renamed the application
	got := apply(t, m, demo(t, edit(t, "demo/applications/web.json", "Demo web application", "Web")))
	if diff := cmp.Diff([]string{`Demo: keep environment "Demo" (` + env + `)`}, got); diff != "" {
		t.Error(diff)
	}
	if m.revision != 1 || len(m.users) != 0 {
		t.Errorf("revision %d with %d users, want 1 with none", m.revision, len(m.users))
	}
}

func managed(t *testing.T, replaced map[string]string) map[string]string {
	t.Helper()
	out := edit(t, "demo/environment.json", `"managed": false`, `"managed": true`)
	for path, text := range replaced {
		out[path] = text
	}
	return out
}

// What files no longer own is handed over as it is, once; what no folder has any more is
// told, and stays.
func TestManagedFilesLetGo(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, managed(t, nil)))
	there, err := m.Environments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := load(t, fstest.MapFS{}).Abandoned(there); !slices.Equal(got, []string{env}) {
		t.Errorf("without its folder there is %q", got)
	}
	m.users = nil
	renamed := demo(t, edit(t, "demo/applications/web.json", "Demo web application", "Web"))
	for i, want := range [][]string{{`Demo: change environment "Demo" (` + env + `)`}, {`Demo: keep environment "Demo" (` + env + `)`}} {
		if diff := cmp.Diff(want, apply(t, m, renamed)); diff != "" {
			t.Errorf("%d: %s", i, diff)
		}
	}
	if m.revision != 2 || len(m.users) != 0 {
		t.Errorf("revision %d with %d users, want 2 with none", m.revision, len(m.users))
	}
	if there, err = m.Environments(t.Context()); err != nil || len(load(t, renamed).Abandoned(there)) != 0 {
		t.Error("it is files' own yet", err)
	}
	if got := apply(t, m, demo(t, managed(t, edit(t, "demo/applications/web.json", "Demo web application", "Web")))); !slices.Contains(got, `Demo: change application "Web" (`+web+`)`) {
		t.Errorf("taken back it is %q", got)
	}
}

func TestManagedFilesOwnTheEnvironment(t *testing.T) {
	tests := map[string]struct {
		files    map[string]string
		want     []string
		revision int64
	}{
		"nothing differs": {nil, []string{}, 1},
		"a document differs": {
			edit(t, "demo/applications/web.json", "Demo web application", "Web"),
			[]string{`Demo: change application "Web" (` + web + `)`},
			2,
		},
		"only white space differs": {edit(t, "demo/applications/web.json", "{", "\n{  "), []string{}, 1},
		"a secret differs": {
			edit(t, "demo/applications/web.json", "demo-web-secret", "another-secret"),
			[]string{`Demo: change application "Demo web application" (` + web + `)`},
			2,
		},
		"a file is gone": {
			map[string]string{"demo/applications/worker.json": ""},
			[]string{`Demo: remove application "Demo worker" (` + worker + `)`},
			2,
		},
		"a file is new": {
			map[string]string{"demo/populations/b.json": `{"id":"d0000000-0000-4000-8000-0000000000b2","name":"B"}`},
			[]string{`Demo: add population "B" (d0000000-0000-4000-8000-0000000000b2)`},
			2,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			apply(t, m, demo(t, managed(t, nil)))
			files := load(t, demo(t, managed(t, tt.files)))
			planned, err := configs.Diff(t.Context(), files, m)
			if err != nil || m.revision != 1 {
				t.Fatal(err, m.revision)
			}
			if diff := cmp.Diff(tt.want, lines(planned)); diff != "" {
				t.Error(diff)
			}
			done, err := configs.Apply(t.Context(), files, m, m)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(planned, done); diff != "" {
				t.Error(diff)
			}
			again, err := configs.Apply(t.Context(), files, m, m)
			if err != nil || len(again) != 0 || m.revision != tt.revision {
				t.Errorf("a second time: %v, %v, revision %d; want nothing, revision %d", again, err, m.revision, tt.revision)
			}
		})
	}
}

func TestASecretThatIsNoLongerThereIsRemoved(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, managed(t, nil)))
	public := edit(t, "demo/applications/web.json", `"CLIENT_SECRET_BASIC",
  "secret": "demo-web-secret"`, `"NONE", "pkceEnforcement": "S256_REQUIRED"`)
	apply(t, m, demo(t, managed(t, public)))
	if s := m.secrets[[2]string{env, "application/" + web + "/secret"}]; len(s) > 0 {
		t.Errorf("kept %q", s)
	}
}

func TestTakingOverAnEnvironmentRemovesWhatTheFilesDoNotName(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, nil))
	got := apply(t, m, demo(t, managed(t, map[string]string{"demo/applications/worker.json": ""})))
	want := []string{`Demo: change environment "Demo" (` + env + `)`, `Demo: remove application "Demo worker" (` + worker + `)`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoSecretIsKeptInABody(t *testing.T) {
	m := newMemory()
	apply(t, m, demo(t, nil))
	for key, r := range m.resources {
		for _, secret := range []string{"demo-web-secret", "demo-worker-secret", "Horse-9"} {
			if strings.Contains(string(r.Body), secret) {
				t.Errorf("%v holds %s", key, secret)
			}
		}
	}
	if got := string(m.secrets[[2]string{env, "application/" + web + "/secret"}]); got != "demo-web-secret" {
		t.Errorf("secret %q", got)
	}
}

func TestAStoreThatFailsStopsTheApply(t *testing.T) {
	m := newMemory()
	m.err = errors.New("disk")
	if _, err := configs.Apply(t.Context(), load(t, demo(t, nil)), m, m); !errors.Is(err, m.err) {
		t.Errorf("error %v", err)
	}
}
