package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/configs"
	"doorward/directory"
	"doorward/runtime/flow"
	"doorward/steps/mfaautoenrollment"
	"doorward/steps/mfamobileenrollment"
)

// selfEnrolling is the demo, whose app may enrol itself.
func selfEnrolling(t *testing.T) *house {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, configs.Demo); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "demo", "deviceAuthenticationPolicies", "default.json")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), `"push": {`, `"autoEnrollment": { "enabled": true }, "push": {`, 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := build(t.Context(), options{
		Listen: "localhost:8080", BaseURL: "http://localhost:8080", Config: dir, Data: t.TempDir(), LogFormat: "text",
		Database: filepath.Join(t.TempDir(), "doorward.db"), Keys: filepath.Join(t.TempDir(), "keys.json"),
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.close(context.Background()) })
	return h
}

// A step that makes devices by itself is run again when its turn was lost after it made
// them, and comes to the same; the next turn is asked for a device.
func TestAStepThatMakesDevicesIsRunAgainAlike(t *testing.T) {
	t.Parallel()
	h := selfEnrolling(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkix, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(map[string]string{"publicKey": base64.RawURLEncoding.EncodeToString(pkix), "name": "Phone"})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		kind          flow.Stepper
		config, input string // %s: the user
		want          int    // devices
	}{
		"of addresses": {
			mfaautoenrollment.New(h.factors), `{"sms":{"enabled":true},"email":{"enabled":true}}`,
			`{"user":{"id":%q,"sms":{"mobilePhone":"+15550100"},"email":{"email":"ada@example.com"}}}`, 2,
		},
		"of the app": {
			mfamobileenrollment.New(h.factors), ``,
			`{"user":{"id":%q},"application":{"id":"d0000000-0000-4000-8000-0000000000a2"},"mobile":{"payload":` + fmt.Sprintf("%q", payload) + `}}`, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := h.users.Create(t.Context(), directory.User{Env: demoEnvironment, Username: name, Enabled: true}, "", "")
			if err != nil {
				t.Fatal(err)
			}
			config, err := tt.kind.Check(json.RawMessage(tt.config))
			if err != nil {
				t.Fatal(err)
			}
			enter := func(attempt uint32) flow.Outcome {
				t.Helper()
				at := flow.NewTurn(flow.Ref{Env: demoEnvironment, ID: "f-" + u.ID}, "enrol", config, h.now(), nil, attempt, flow.Digest{1})
				at.User, at.Proven, at.Proofs = u.Subject(), true, flow.Ledger{flow.PasswordProof(u.ID, h.now())}
				if err := json.Unmarshal(fmt.Appendf(nil, tt.input, u.ID), &at.Input); err != nil {
					t.Fatal(err)
				}
				out, err := tt.kind.Enter(t.Context(), at)
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			first := enter(1)
			if first.Failure != nil || len(first.Events) != 2*tt.want {
				t.Fatalf("%+v", first)
			}
			if diff := cmp.Diff(first, enter(1)); diff != "" {
				t.Error(diff)
			}
			if all, err := h.devices.List(t.Context(), demoEnvironment, u.ID); err != nil || len(all) != tt.want {
				t.Errorf("%d devices, %v", len(all), err)
			}
			if next := enter(2); next.Failure == nil || next.Failure.Code != "STEP_UP_REQUIRED" {
				t.Errorf("%+v", next)
			}
		})
	}
}
