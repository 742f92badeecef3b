package document_test

import (
	"testing"

	"doorward/runtime/document"
)

func TestAPathIsAPointerToo(t *testing.T) {
	for want, path := range map[string]document.Path{
		"":              document.Root,
		"/a":            document.Root.Member("a"),
		"/a/0/b":        document.Root.Member("a").Index(0).Member("b"),
		"/0/12":         document.Root.Index(0).Index(12),
		"/x y/1":        document.Root.Member("x y").Index(1),
		"/user.email":   document.Root.Member("user.email"),
		"/a~1b/c~0d":    document.Root.Member("a/b").Member("c~d"),
		"/\"]/[\"":      document.Root.Member(`"]`).Member(`["`),
		"/ä/_1":         document.Root.Member("ä").Member("_1"),
		"/":             document.Root.Member(""),
		"/a//b":         document.Root.Member("a").Member("").Member("b"),
		"/user-agent/x": document.Root.Member("user-agent").Member("x"),
	} {
		if got := path.Pointer(); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestMergedFaultsKeepTheirCode(t *testing.T) {
	var inner, outer document.Faults
	inner.AddCode(document.Root.Member("a"), "REQUIRED_VALUE", "is required")
	outer.Merge(document.Root.Member("b").Index(2), inner)
	if want := (document.Fault{Path: "$.b[2].a", Message: "is required", Code: "REQUIRED_VALUE"}); len(outer) != 1 || outer[0] != want {
		t.Errorf("%v", outer)
	}
}
