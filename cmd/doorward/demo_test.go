package main_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"doorward/configs"
	"doorward/demo"
	"doorward/internal/nodetest"
)

// The demo reaches the node that it is part of also where that is known by an address
// that somebody else serves with TLS.
func TestTheDemoWorksBehindTLS(t *testing.T) {
	t.Parallel()
	const base = "https://door.example.com"
	n := nodetest.Start(t, nodetest.Options{BaseURL: base, Args: []string{
		"--allow-demo-secrets", "--smtp", "smtps://mail.example.com", "--mail-from", "demo@example.com",
	}})
	at, status := location(t, n, demo.SignOnPath)
	if want := base + "/" + nodetest.Env + "/as/authorize?"; status != http.StatusSeeOther || !strings.HasPrefix(at, want) {
		t.Errorf("%d %q", status, at)
	}
	if _, status := location(t, n, demo.OutboxPath); status != http.StatusNotFound {
		t.Errorf("messages are shown beyond loopback: %d", status)
	}
}

// Whoever tries a configuration of their own on their machine reads its messages, and
// has no demo.
func TestMessagesAreShownOnLoopback(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, configs.Demo); err != nil {
		t.Fatal(err)
	}
	n := nodetest.Start(t, nodetest.Options{Args: []string{"--config", dir}})
	for path, want := range map[string]int{demo.OutboxPath: http.StatusOK, "/dev/outbox.css": http.StatusOK, demo.HomePath: http.StatusNotFound} {
		if _, status := location(t, n, path); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	if !strings.Contains(n.Log(), "mail, SMS and calls land at "+n.Base+demo.OutboxPath) || strings.Contains(n.Log(), "/demo/") {
		t.Error("it is not said where they are")
	}
}

// location is where a GET of a path leads to, and its status.
func location(t *testing.T, n *nodetest.Node, path string) (string, int) {
	t.Helper()
	client := n.Client(nil)
	defer client.CloseIdleConnections()
	res, err := client.Get(n.Base + path)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.Header.Get("Location"), res.StatusCode
}
