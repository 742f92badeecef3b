package session_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"doorward/runtime/flow"
	"doorward/session"
)

// same compares what was stored with what was read: an empty list is no list, and
// of a fault neither the view nor the inner error is kept.
func same() cmp.Options {
	return cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(flow.Fault{}, "View", "Err", "Unknown")}
}

func TestFullFillsEveryField(t *testing.T) {
	sometimes := []string{
		"Execution.Repeat.Fault.View", "Execution.Repeat.Fault.Err", "Execution.Repeat.Fault.Unknown", // never kept
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

func TestNamesAreKeptAsTheyAre(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	for _, name := range []string{
		"", "password", "01234567-89ab-4cde-8f01-23456789abcd", "01234567-89AB-4cde-8f01-23456789abcd", "01234567-89ab-4cde-8f01-23456789abcg",
		"01234567-89ab-4cde-8f01-23456789abc", "01234567-89ab-4cde-8f01-23456789abcde", "01234567089ab-4cde-8f01-23456789abcd", "0123456789ab4cde8f0123456789abcd",
		"--------------------------------------", strings.Repeat("-", 36), "01234567-89ab-4cde-8f01-23-56789-b--", "-1234567-89ab-4cde-8f01-23456789abcd", "\x00123456789abcdef",
	} {
		x := full(newRef(), now)
		x.User.ID, x.SessionID, x.Request.Application = name, name, name
		b, err := session.Encode(x)
		must(t, err)
		got, err := session.Decode(x.Ref, b, now)
		must(t, err)
		if got.User.ID != name || got.SessionID != name || got.Request.Application != name {
			t.Errorf("%q became %q", name, got.User.ID)
		}
	}
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

// A store whose clock is behind must not revive what has ended.
func TestDecodeKnowsTheEnd(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	x, s := fresh(newRef(), now), signOn(now)
	b, err := session.Encode(x)
	must(t, err)
	_, err = session.Decode(x.Ref, b, x.ExpiresAt.Add(-1))
	must(t, err)
	_, err = session.Decode(x.Ref, b, x.ExpiresAt)
	wants(t, err, flow.ErrUnknown)
	b, err = session.EncodeSession(s)
	must(t, err)
	if got, err := session.DecodeSession(b, s.ExpiresAt.Add(-1)); got == nil || err != nil {
		t.Errorf("before: %v, %v", got, err)
	}
	if got, err := session.DecodeSession(b, s.ExpiresAt); got != nil || err != nil {
		t.Errorf("at the end: %v, %v", got, err)
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

// format2 is an execution as the format before wrote it, before anybody could be named.
const format2 = "AAAAAAAAAAMAVq9L3nCkeufQ8euzDkXtM2Fl1cnsALqakjEeM6QlbXRLdh+qUZAGn8E9D/8Arykl3AAaAsQgZIeffWuWCgGQl2LZEaMtRYLCABDFZB7pAni2RKnjtSWQqjEucGFzc3dvcmQAulVTRVJOQU1FX1BBU1NXT1JEX1JFUVVJUkVElKFDoU2QoJbEENAAAAAAAEAAgAAAAAAAAKGjYWRhoKCgoMCSqjEucGFzc3dvcmTEAnt9kJDAoMDCAACgwMCYoMK0aHR0cHM6Ly9hLmV4YW1wbGUvY2LC/6CgwM8AAAGLz+VoAM8AAAOjUpRAAM8AAAOjUpRAAJfAkJDDo2E9YsQQ0AAAAAAAQACAAAAAAAAA0aA="

func TestDecodeReadsTheFormatBefore(t *testing.T) {
	b, err := base64.StdEncoding.DecodeString(format2)
	if err != nil {
		t.Fatal(err)
	}
	ref := flow.Ref{Env: "d0000000-0000-4000-8000-000000000001", ID: "d0000000-0000-4000-8000-0000000000f1"}
	x, err := session.Decode(ref, b, time.UnixMilli(1700000000000))
	if err != nil {
		t.Fatal(err)
	}
	if x.Format != 2 || x.Return != "a=b" || x.Version != 3 || x.Node != "1.password" || x.User.Username != "ada" || x.Failure.Message != "M" || x.Request.MaxAge != -1 {
		t.Fatalf("read %+v", x)
	}
}
