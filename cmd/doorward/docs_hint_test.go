package main_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"doorward/internal/nodetest"
)

const (
	adaID   = "d0000000-0000-4000-8000-0000000000f1"
	graceID = "d0000000-0000-4000-8000-0000000000f2"
)

// hinting has what an application has that names its users.
type hinting struct {
	*docs
	last   string // the token that was made last
	claims map[string]any
}

// TestGoldenLoginHintToken sends every request of docs/login-hint-token.md to the demo, as
// the application of the page.
func TestGoldenLoginHintToken(t *testing.T) {
	t.Parallel()
	h := &hinting{docs: newDocs(t)}
	h.manage(t, http.MethodPost, "/users/"+adaID+"/devices", `{"type":"EMAIL","email":"ada@example.com","status":"ACTIVE"}`)
	h.made["mailed code"] = func(t *testing.T) string {
		t.Helper()
		return h.sentCode(t)
	}
	h.made["hint of ada"] = func(t *testing.T) string {
		t.Helper()
		return h.hint(t, adaID)
	}
	h.made["hint of grace"] = func(t *testing.T) string {
		t.Helper()
		return h.hint(t, graceID)
	}
	h.made["that hint"] = func(*testing.T) string { return h.last }
	h.made["credentials"] = func(t *testing.T) string {
		t.Helper()
		return base64.StdEncoding.EncodeToString([]byte(h.known["application"] + ":" + h.secret(t)))
	}
	h.met = h.remember
	asked := h.http(t)
	hold(t, "login-hint-token.md", guide{fence: func(info, content string) string {
		if info == "json claims" {
			return h.shownClaims(t)
		}
		return asked(info, content)
	}})
}

func (h *hinting) remember(_ int, answer map[string]any) {
	if answer["redirectUris"] != nil {
		h.known["application"], _ = answer["id"].(string)
	}
	if id, ok := answer["id_token"].(string); ok {
		b, _ := base64.RawURLEncoding.DecodeString(strings.Split(id, ".")[1])
		_ = json.Unmarshal(b, &h.claims)
	}
}

// shownClaims are those of the last ID token, those of one run by name.
func (h *hinting) shownClaims(t *testing.T) string {
	t.Helper()
	shown := maps.Clone(h.claims)
	for _, name := range []string{"iat", "exp", "at_hash", "sid"} {
		if shown[name] == nil {
			t.Errorf("the ID token has no %s", name)
		}
		shown[name] = "{" + name + "}"
	}
	b, err := json.MarshalIndent(shown, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return h.named(string(b)) + "\n"
}

// hint is a new token about a user.
func (h *hinting) hint(t *testing.T, user string) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(h.secret(t))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	h.last, err = jwt.Signed(s).Claims(map[string]any{
		"iss": h.known["application"], "aud": h.node.Base + "/" + nodetest.Env + "/as", "sub": user, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return h.last
}

// secret is that of the application.
func (h *hinting) secret(t *testing.T) string {
	t.Helper()
	s, _ := h.manage(t, http.MethodGet, "/applications/"+h.known["application"]+"/secret", "")["secret"].(string)
	if len(s) < 32 {
		t.Fatalf("a secret of %d bytes was made", len(s))
	}
	return s
}

// manage asks the management API.
func (d *docs) manage(t *testing.T, method, path, body string) (answer map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.node.Base+"/v1/environments/"+nodetest.Env+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.token(t))
	r.Header.Set("Content-Type", "application/json")
	res, err := d.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= http.StatusBadRequest || json.Unmarshal(raw, &answer) != nil {
		t.Fatal(fmt.Errorf("%s %s: %d %s %w", method, path, res.StatusCode, raw, err))
	}
	return answer
}
