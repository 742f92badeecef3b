package main_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"doorward/internal/nodetest"
)

// TestGoldenDeviceAuthentications sends every request of docs/device-authentications.md
// to the demo.
func TestGoldenDeviceAuthentications(t *testing.T) {
	t.Parallel()
	d := newDocs(t)
	d.made["mailed code"] = d.sentCode
	d.met = func(_ int, answer map[string]any) {
		if answer["type"] == "EMAIL" { // a device, and no flow
			d.known["device"] = d.known["flow"]
			delete(d.known, "flow")
		}
	}
	hold(t, "device-authentications.md", guide{fence: d.http(t)})
	for _, path := range []string{"/flows/" + d.known["flow"], "/as/resume?flowId=" + d.known["flow"], "/signon/?flowId=" + d.known["flow"]} {
		if res, err := d.client.Get(d.node.Base + "/" + nodetest.Env + path); err != nil || res.StatusCode != http.StatusNotFound || d.known["flow"] == "" {
			t.Errorf("a browser is shown %s: %v %v", path, res, err)
		} else {
			_ = res.Body.Close()
		}
	}
}

// sentCode is the code of the only mail that has one.
func (d *docs) sentCode(t *testing.T) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for _, m := range d.outbox(t) {
			if m.Template == "otp" {
				return strings.ReplaceAll(regexp.MustCompile(`\b\d{3} \d{3}\b`).FindString(m.Text), " ", "")
			}
		}
	}
	t.Fatal("no code was mailed")
	return ""
}
