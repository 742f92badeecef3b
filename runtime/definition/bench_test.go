package definition_test

import (
	"testing"

	"doorward/runtime/definition"
)

func BenchmarkSource(b *testing.B) {
	body, all, res := published(b, "rec-flow-sign-on-experience.json"), kinds(), stock()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := definition.Source(body, res, all); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	all := kinds()
	src, _, err := definition.Source(published(b, "rec-flow-sign-on-experience.json"), stock(), all)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := definition.Compile(src, all); err != nil {
			b.Fatal(err)
		}
	}
}
