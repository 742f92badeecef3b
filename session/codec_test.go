package session_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"doorward/runtime/flow"
	"doorward/session"
)

// same compares what was stored with what was read: an empty list is no list, and
// of a fault neither the view nor the inner error is kept.
func same() cmp.Options {
	return cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(flow.Fault{}, "View", "Err")}
}

func TestFullFillsEveryField(t *testing.T) {
	sometimes := []string{
		"Execution.Repeat.Fault.View", "Execution.Repeat.Fault.Err", // never kept
		"Execution.Proofs.Origin", "Execution.Proofs.Address", "Execution.Demand.Needs.NotBefore", // in the second one
		"Session.Proofs.Origin", "Session.Proofs.Address", // as in the execution's
	}
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		if v.IsZero() && !slices.Contains(sometimes, path) {
			t.Errorf("%s is zero, so that no test would miss it", path)
		}
		switch {
		case v.Type() == reflect.TypeFor[time.Time]():
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case v.Kind() == reflect.Pointer && !v.IsNil():
			walk(path, v.Elem())
		case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
			for i := range v.Len() {
				walk(path, v.Index(i))
			}
		}
	}
	walk("Execution", reflect.ValueOf(full(newRef(), time.Now())).Elem())
	walk("Session", reflect.ValueOf(signOn(time.Now())).Elem())
}

func TestExecutionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := drawExecution(t)
		b, err := session.Encode(x)
		if err != nil {
			t.Fatal(err)
		}
		got, err := session.Decode(x.Ref, b, time.UnixMilli(0))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(x, got, same()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestSessionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &flow.Session{
			ID: drawName(t), User: drawSubject(t), Proofs: rapid.SliceOfN(rapid.Custom(drawProof), 0, 4).Draw(t, "proofs"),
			CreatedAt: drawTime(t), ActiveAt: drawTime(t), ExpiresAt: time.UnixMilli(math.MaxInt32).UTC(),
			RemoteIP: rapid.String().Draw(t, "ip"), UserAgent: rapid.String().Draw(t, "agent"),
			Replaced: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) flow.Replaced {
				return flow.Replaced{Hash: drawDigest(t), At: drawTime(t)}
			}), 0, 4).Draw(t, "replaced"),
		}
		b, err := session.EncodeSession(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := session.DecodeSession(b, time.UnixMilli(0))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, got, same()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func drawExecution(t *rapid.T) *flow.Execution {
	x := &flow.Execution{
		Ref: newRef(), Format: flow.Format, Version: rapid.Uint64().Draw(t, "version"), Plan: drawDigest(t),
		Node: rapid.String().Draw(t, "node"), Attempt: rapid.Uint32().Draw(t, "attempt"),
		Status: rapid.SampledFrom([]string{"", "OTP_REQUIRED", flow.Completed, flow.Failed}).Draw(t, "status"),
		User:   drawSubject(t), Proofs: rapid.SliceOfN(rapid.Custom(drawProof), 0, 4).Draw(t, "proofs"),
		Steps:   rapid.MapOfN(rapid.String(), rapid.SliceOf(rapid.Byte()), 0, 4).Draw(t, "steps"),
		Binding: drawDigest(t), Token: drawDigest(t), Accepted: rapid.Bool().Draw(t, "accepted"),
		Rotated: rapid.Uint64().Draw(t, "rotated"), TokenAt: rapid.Uint64().Draw(t, "tokenAt"),
		SessionID: drawName(t), SessionHash: drawDigest(t),
		CreatedAt: drawTime(t), ExpiresAt: time.UnixMilli(math.MaxInt32).UTC(), EndsAt: drawTime(t),
	}
	x.Demand.NotBefore, x.Demand.ACR = drawTime(t), rapid.String().Draw(t, "acr")
	x.Demand.Needs = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) flow.Need {
		return flow.Need{Factors: flow.Factor(rapid.Byte().Draw(t, "need")), NotBefore: drawTime(t)}
	}), 0, 3).Draw(t, "needs")
	x.Request = flow.Request{
		Application: drawName(t), PiFlow: rapid.Bool().Draw(t, "pi"), ReturnTo: rapid.String().Draw(t, "to"),
		Fresh: rapid.Bool().Draw(t, "fresh"), MaxAge: rapid.Int64().Draw(t, "age"), LoginHint: rapid.String().Draw(t, "hint"),
		Payload: rapid.SliceOf(rapid.Byte()).Draw(t, "payload"),
	}
	if rapid.Bool().Draw(t, "failed") {
		x.Failure = &flow.Failure{Code: rapid.String().Draw(t, "code"), Message: rapid.String().Draw(t, "message")}
	}
	if rapid.Bool().Draw(t, "marked") {
		x.Repeat = flow.Mark{Submit: drawDigest(t), Key: drawDigest(t), Binding: drawDigest(t), Version: rapid.Uint64().Draw(t, "markVersion"), At: drawTime(t)}
	}
	if rapid.Bool().Draw(t, "refused") {
		x.Repeat.Fault = drawFault(t)
	}
	return x
}

func drawFault(t *rapid.T) *flow.Fault {
	value := rapid.OneOf(
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.String().AsAny(),
		rapid.SliceOfN(rapid.String(), 1, 20).AsAny(),
	)
	return &flow.Fault{
		Code: flow.Code(rapid.String().Draw(t, "faultCode")), Message: rapid.String().Draw(t, "faultMessage"),
		RetryAfter: time.Duration(rapid.Int64().Draw(t, "retry")), Restart: rapid.Bool().Draw(t, "restart"),
		Err: errors.New("for the log"), View: &flow.View{},
		Details: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) flow.Detail {
			return flow.Detail{
				Code: rapid.String().Draw(t, "detail"), Target: rapid.String().Draw(t, "target"), Message: rapid.String().Draw(t, "text"),
				Inner: rapid.MapOfN(rapid.String(), value, 0, 3).Draw(t, "inner"),
			}
		}), 0, 3).Draw(t, "details"),
	}
}

func drawProof(t *rapid.T) flow.Proof {
	return flow.Proof{
		Subject: drawName(t), Factors: flow.Factor(rapid.Byte().Draw(t, "factors")), Method: rapid.String().Draw(t, "method"),
		AMR: rapid.String().Draw(t, "amr"), Authenticator: drawName(t), Address: rapid.String().Draw(t, "address"),
		At: drawTime(t), Origin: flow.Origin(rapid.Byte().Draw(t, "origin")),
	}
}

func drawSubject(t *rapid.T) flow.Subject {
	return flow.Subject{ID: drawName(t), Username: rapid.String().Draw(t, "name"), Given: rapid.String().Draw(t, "given"), Family: rapid.String().Draw(t, "family")}
}

func drawDigest(t *rapid.T) (d flow.Digest) {
	if rapid.Bool().Draw(t, "zero") {
		return d
	}
	copy(d[:], rapid.SliceOfN(rapid.Byte(), len(d), len(d)).Draw(t, "digest"))
	return d
}

func drawTime(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "never") {
		return time.Time{}
	}
	return time.UnixMilli(rapid.Int64Range(-1<<40, 1<<43).Draw(t, "time")).UTC()
}

// drawName is a UUID, something that almost is one, or anything.
func drawName(t *rapid.T) string {
	return rapid.OneOf(
		rapid.Just(""), rapid.String(),
		rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
		rapid.StringMatching(`[0-9a-fA-Fg/:@-]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f-]{12}`),
	).Draw(t, "id")
}

func TestEncodeRefusesWhatItCannotReadBack(t *testing.T) {
	x := full(newRef(), time.Now())
	x.Repeat.Fault.Details[0].Inner["odd"] = struct{}{}
	if _, err := session.Encode(x); err == nil {
		t.Error("encoded a value that has no form")
	}
}

func TestDecodeNeverTakesDamage(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	x := full(newRef(), now)
	whole, err := session.Encode(x)
	must(t, err)
	for i := range whole {
		if _, err := session.Decode(x.Ref, whole[:i], now); !errors.Is(err, flow.ErrUnknown) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if _, err := session.Decode(x.Ref, append(bytes.Clone(whole), 0), now); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("with a byte too many: %v", err)
	}
	if _, err := session.Decode(x.Ref, make([]byte, 1<<20), now); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("of 1 MiB: %v", err)
	}
}

// FuzzDecode: whatever lies in the store, reading it ends in an answer, and what
// is read can be written and read again.
func FuzzDecode(f *testing.F) {
	now := time.Now()
	for _, x := range []*flow.Execution{{}, fresh(newRef(), now), full(newRef(), now), {ExpiresAt: now, Steps: map[string][]byte{"": nil}}} {
		b, err := session.Encode(x)
		must(f, err)
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	s, err := session.EncodeSession(signOn(now))
	must(f, err)
	head := make([]byte, session.AtBody)
	for _, body := range [][]byte{
		nil, {0}, {0xc0}, {0x90}, {0x91, 1}, {0x91, 2}, {0x91, 0}, {0xdc, 0xff, 0xff}, {0xdd, 0xff, 0xff, 0xff, 0xff}, // lists
		{0xdc, 0, 23, 1, 0xc6, 0xff, 0xff, 0xff, 0xff}, {0xdc, 0, 23, 1, 0xc4, 32}, {0xdc, 0, 23, 1, 0xc4, 31, 0}, // bytes
		{0xdc, 0, 23, 1, 0xc0, 0xdb, 0xff, 0xff, 0xff, 0xff}, {0xdc, 0, 23, 0xcf, 255, 255, 255, 255, 255, 255, 255, 255}, // strings, numbers
		{0xdc, 0, 23, 1, 0xc7, 255, 1}, {0xdc, 0, 23, 0xc1}, {0x80}, {0xdf, 0xff, 0xff, 0xff, 0xff}, s, // extensions, maps
	} {
		f.Add(append(bytes.Clone(head), body...))
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := session.DecodeSession(b, time.UnixMilli(0)); err == nil && s != nil {
			if _, err := session.EncodeSession(s); err != nil && !errors.Is(err, flow.ErrTooLarge) {
				t.Fatal(err)
			}
		}
		x, err := session.Decode(flow.Ref{}, b, time.UnixMilli(0))
		if err != nil {
			if x != nil || (!errors.Is(err, flow.ErrUnknown) && !errors.Is(err, flow.ErrNewer) && !errors.Is(err, flow.ErrOlder)) {
				t.Fatalf("got %v, %v", x, err)
			}
			return
		}
		again, err := session.Encode(x)
		if errors.Is(err, flow.ErrTooLarge) {
			return // numbers written longer than needed, names as text
		}
		must(t, err)
		y, err := session.Decode(flow.Ref{}, again, time.UnixMilli(0))
		must(t, err)
		if diff := cmp.Diff(x, y, same(), cmpopts.EquateNaNs()); diff != "" {
			t.Fatal(diff)
		}
	})
}

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

func TestCodecAllocatesLittle(t *testing.T) {
	x := fresh(newRef(), time.Now())
	x.Request.Application = uuid.NewString()
	record, err := session.Encode(x)
	must(t, err)
	if n := testing.AllocsPerRun(100, func() { _, _ = session.Encode(x) }); n > 6 {
		t.Errorf("encode: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = session.Decode(x.Ref, record, x.CreatedAt) }); n > 16 {
		t.Errorf("decode: %v allocations", n)
	}
}
