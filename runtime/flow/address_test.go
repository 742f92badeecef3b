package flow_test

import (
	"testing"

	"doorward/runtime/flow"
)

func TestMasked(t *testing.T) {
	for in, want := range map[string]string{
		"jane@example.com":          "j•••@example.com",
		"Ärger@example.com":         "Ä•••@example.com",
		`"a@b"@example.com`:         `"•••@example.com`,
		"j@example.com":             "•••@example.com",
		"jane":                      "",
		"@example.com":              "",
		"jane@":                     "",
		"":                          "",
		"very.long.local@a.example": "v•••@a.example",
	} {
		if got := flow.Masked(in); got != want {
			t.Errorf("Masked(%q) = %q, want %q", in, got, want)
		}
	}
}
