package condition_test

import (
	"testing"

	"doorward/runtime/condition"
)

func TestAPathIsAPointerToo(t *testing.T) {
	for want, path := range map[string]condition.Path{
		"":              condition.Root,
		"/a":            condition.Root.Member("a"),
		"/a/0/b":        condition.Root.Member("a").Index(0).Member("b"),
		"/0/12":         condition.Root.Index(0).Index(12),
		"/x y/1":        condition.Root.Member("x y").Index(1),
		"/user.email":   condition.Root.Member("user.email"),
		"/a~1b/c~0d":    condition.Root.Member("a/b").Member("c~d"),
		"/\"]/[\"":      condition.Root.Member(`"]`).Member(`["`),
		"/ä/_1":         condition.Root.Member("ä").Member("_1"),
		"/":             condition.Root.Member(""),
		"/a//b":         condition.Root.Member("a").Member("").Member("b"),
		"/user-agent/x": condition.Root.Member("user-agent").Member("x"),
	} {
		if got := path.Pointer(); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestMergedFaultsKeepTheirCode(t *testing.T) {
	var inner, outer condition.Faults
	inner.AddCode(condition.Root.Member("a"), "REQUIRED_VALUE", "is required")
	outer.Merge(condition.Root.Member("b").Index(2), inner)
	if want := (condition.Fault{Path: "$.b[2].a", Message: "is required", Code: "REQUIRED_VALUE"}); len(outer) != 1 || outer[0] != want {
		t.Errorf("%v", outer)
	}
}
