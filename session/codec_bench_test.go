package session_test

import (
	"testing"
	"time"

	"doorward/runtime/flow"
	"doorward/session"
)

func BenchmarkEncode(b *testing.B) {
	for name, x := range samples() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := session.Encode(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, x := range samples() {
		record, err := session.Encode(x)
		must(b, err)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.ReportMetric(float64(len(record)), "bytes")
			for b.Loop() {
				if _, err := session.Decode(x.Ref, record, x.CreatedAt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func samples() map[string]*flow.Execution {
	now := time.Now()
	return map[string]*flow.Execution{"first status": fresh(newRef(), now), "every field": full(newRef(), now)}
}
