package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// binaries are what is measured.
type binaries struct {
	product string // doorward, stripped
	cheap   string // the same with a hash that costs next to nothing
	bare    string

	config      string // the demo's configuration, with users for every client
	cheapConfig string // the same with signatures that cost next to nothing
}

// build compiles into dir, as the Dockerfile does.
func build(ctx context.Context, repo, dir string) (binaries, error) {
	in := func(name string) string { return filepath.Join(dir, name) }
	b := binaries{product: in("doorward"), cheap: in("doorward-cheap"), bare: in("bare"), config: in("config"), cheapConfig: in("config-cheap")}
	if err := errors.Join(configure(repo, b.config, "RS256"), configure(repo, b.cheapConfig, "EdDSA")); err != nil {
		return b, err
	}
	overlay, err := cheapHash(repo, dir)
	if err != nil {
		return b, err
	}
	for _, args := range [][]string{
		{"-o", b.product, "./cmd/doorward"},
		{"-overlay", overlay, "-o", b.cheap, "./cmd/doorward"},
		{"-o", b.bare, "./bench/bare"},
	} {
		if err := execute(ctx, repo, "env", append([]string{"CGO_ENABLED=0", "go", "build", "-tags", "grpcnotrace", "-trimpath", "-ldflags", "-s -w"}, args...)...); err != nil {
			return b, err
		}
	}
	return b, nil
}

// cheapHash writes an overlay in which the directory's argon2id takes 8 KiB and
// one pass whatever it is asked for. What a sign-on costs besides its hash is 2 %
// of the hash, too little to be found by subtracting; so it is measured without.
// The product has no switch for this and shall have none.
func cheapHash(repo, dir string) (string, error) {
	original, err := filepath.Abs(filepath.Join(repo, "directory", "hash", "argon2id.go"))
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	const call, cost = "argon2.IDKey(", "p.Time, p.Memory, "
	before, after, found := strings.Cut(string(source), call)
	if !found || !strings.Contains(after, cost) || strings.Contains(after, call) {
		return "", errors.New(original + ": argon2id is called in another way")
	}
	changed := before + call + strings.Replace(after, cost, "1, 8, ", 1)
	replacement := filepath.Join(dir, "argon2id.go")
	if err := os.WriteFile(replacement, []byte(changed), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, overlay, 0o600)
}

// configure writes the demo's configuration with a user for each client that signs
// on, since one user's passwords are judged one after the other, and with the
// algorithm by which the native application's tokens are signed. Two RS256
// signatures take more than all the rest of a sign-on but its hash, and between an
// idle and a busy core they differ by as much as that rest; so the rest is measured
// with EdDSA.
func configure(repo, dir, algorithm string) error {
	demo := filepath.Join(dir, "demo") // every environment is a folder
	if err := os.CopyFS(demo, os.DirFS(filepath.Join(repo, "configs", "demo"))); err != nil {
		return err
	}
	err := rewrite(filepath.Join(demo, "applications", "native.json"), filepath.Join(demo, "applications", "native.json"),
		map[string]any{"signingAlgorithm": algorithm})
	err = errors.Join(err, rewrite(filepath.Join(demo, "applications", "native.json"), filepath.Join(demo, "applications", "choosing.json"), map[string]any{
		"id": choosingApp, "name": "Choosing", "signOnPolicyAssignments": []any{map[string]any{"priority": 1, "signOnPolicy": map[string]any{"id": multiFactor}}},
	}))
	devices := filepath.Join(demo, "deviceAuthenticationPolicies", "default.json")
	err = errors.Join(err, rewrite(devices, devices, map[string]any{"authentication": map[string]any{"deviceSelection": "ALWAYS_DISPLAY_DEVICES"}}))
	for i := range hashers() {
		name := userName(i)
		err = errors.Join(err, rewrite(filepath.Join(demo, "users", "ada.json"), filepath.Join(demo, "users", name+".json"),
			map[string]any{"id": userID(name), "username": name, "email": name + "@example.com"}))
	}
	for i, members := range []map[string]any{{"username": disabledUser, "enabled": false}, {"username": emptyUser, "password": nil}} {
		name := fmt.Sprint(members["username"])
		members["id"], members["email"] = fmt.Sprintf("d0000000-0000-4000-8000-%012x", 0xde0000+i), name+"@example.com"
		err = errors.Join(err, rewrite(filepath.Join(demo, "users", "ada.json"), filepath.Join(demo, "users", name+".json"), members))
	}
	return err
}

// multiFactor is the demo's policy of that name.
const multiFactor = "d0000000-0000-4000-8000-000000000210"

// userID is the id of a user by their name.
func userID(name string) string {
	var client int
	_, _ = fmt.Sscanf(name, "client-%d", &client)
	return fmt.Sprintf("d0000000-0000-4000-8000-%012x", 0xbe0000+client)
}

// userName is the user that the client with that number signs on as.
func userName(client int) string { return fmt.Sprintf("client-%d", client) }

// rewrite copies a JSON document with some members changed; null takes one out.
func rewrite(from, to string, members map[string]any) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	document := map[string]any{}
	if err := json.Unmarshal(b, &document); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	maps.Copy(document, members)
	maps.DeleteFunc(document, func(_ string, value any) bool { return value == nil })
	if b, err = json.Marshal(document); err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// execute runs a program to its end; the error tells what it printed.
func execute(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, said)
	}
	return nil
}
