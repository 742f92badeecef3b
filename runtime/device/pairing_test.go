package device_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"

	"doorward/runtime/device"
)

func TestPairingKeysAreDrawnAndReadBack(t *testing.T) {
	for format, length := range map[string]int{device.Numeric: 12, device.Alphanumeric: 16} {
		seen, symbols := map[string]bool{}, map[rune]bool{}
		for range 500 {
			key, err := device.NewPairingKey(rand.Reader, format)
			if err != nil || len(key) != length {
				t.Fatalf("%s: %q, %v", format, key, err)
			}
			if normal, is := device.NormalPairingKey(key); !is || normal != key {
				t.Errorf("%s: %q is read as %q, %v", format, key, normal, is)
			}
			seen[key] = true
			for _, c := range key {
				symbols[c] = true
			}
		}
		if want := map[string]int{device.Numeric: 10, device.Alphanumeric: 32}[format]; len(seen) != 500 || len(symbols) != want {
			t.Errorf("%s: %d keys of %d symbols", format, len(seen), len(symbols))
		}
	}
	if key, err := device.NewPairingKey(bytes.NewReader(append(bytes.Repeat([]byte{255, 250}, 9), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 249)), device.Numeric); err != nil || key != "123456789019" {
		t.Errorf("bytes that would make some digits likelier are not used: %q, %v", key, err)
	}
	if _, err := device.NewPairingKey(rand.Reader, "HEX"); err == nil {
		t.Error("a format that there is not")
	}
	if _, err := device.NewPairingKey(bytes.NewReader(nil), device.Numeric); !errors.Is(err, io.EOF) {
		t.Errorf("without randomness: %v", err)
	}
}

func TestPairingKeysAsPeopleTypeThem(t *testing.T) {
	for typed, want := range map[string]string{
		"1234 5678 9012": "123456789012", "1234-5678-9012": "123456789012", "abcd efgh jkmn pqrs": "ABCDEFGHJKMNPQRS",
		"": "", "12345678901": "", "1234567890123": "", "12345678901a": "", "ABCDEFGHIJKLMNOP": "", "١٢٣٤٥٦": "", "123456789012\n": "", "1234567890\x0012": "",
	} {
		if got, is := device.NormalPairingKey(typed); is != (want != "") || is && got != want {
			t.Errorf("%q: %q, %v", typed, got, is)
		}
	}
}

func TestThePairingURIIsReadBack(t *testing.T) {
	const env = "https://login.example:8443/d0000000-0000-4000-8000-000000000001"
	uri := device.PairingURI(env, "123456789012")
	if environment, key, err := device.ReadPairingURI(uri); err != nil || environment != env || key != "123456789012" || !strings.HasPrefix(uri, "doorward://pair?") {
		t.Errorf("%s: %q, %q, %v", uri, environment, key, err)
	}
	for _, bad := range []string{
		"", "123456789012", "https://pair?code=123456789012", "doorward://other?environment=https%3A%2F%2Fa&code=123456789012",
		"doorward://pair?environment=https%3A%2F%2Fa", "doorward://pair?code=123456789012", "doorward://pair?environment=file%3A%2F%2Fa&code=123456789012",
		"doorward://pair?environment=https%3A%2F%2F&code=123456789012", "doorward://pair?%zz",
	} {
		if _, _, err := device.ReadPairingURI(bad); err == nil || strings.Contains(err.Error(), "123456789012") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestWhereAPushComesFrom(t *testing.T) {
	p := device.Push{Client: device.ClientOf(netip.MustParseAddr("::ffff:203.0.113.7"), "Mozilla/5.0\n\x00"+strings.Repeat("é", 300))}
	if address, agent := p.From(); address != "203.0.113.7" || !strings.HasPrefix(agent, "Mozilla/5.0é") || len(agent) > 256 || strings.ContainsAny(agent, "\n\x00�") {
		t.Errorf("%q, %q", address, agent)
	}
	none := device.Push{Client: device.ClientOf(netip.Addr{}, "")}
	if address, agent := none.From(); address != "" || agent != "" {
		t.Errorf("%q, %q", address, agent)
	}
}
