package keys_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/keys"
)

func secret(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }

func document(generations ...string) string {
	return `{"format":1,"generations":[` + strings.Join(generations, ",") + `]}`
}

func generation(id string, b byte) string {
	return fmt.Sprintf(`{"id":%q,"secret":%q,"createdAt":"2026-01-02T15:04:05Z"}`, id, secret(b))
}

func parse(tb testing.TB, doc string) *keys.Ring {
	tb.Helper()
	r, err := keys.Parse([]byte(doc))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func generate(tb testing.TB) *keys.Ring {
	tb.Helper()
	r, err := keys.Generate()
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestParseRefuses(t *testing.T) {
	for name, doc := range map[string]string{
		"nothing":                   ``,
		"an empty object":           `{}`,
		"another format":            `{"format":2,"generations":[` + generation("a", 1) + `]}`,
		"no generation":             document(),
		"three generations":         document(generation("a", 1), generation("b", 2), generation("c", 3)),
		"two of one id":             document(generation("a", 1), generation("a", 2)),
		"two of one secret":         document(generation("a", 1), generation("b", 1)),
		"an empty id":               document(generation("", 1)),
		"an id of 17 letters":       document(generation(strings.Repeat("a", 17), 1)),
		"an id with a space":        document(generation("a b", 1)),
		"a zero secret":             document(generation("a", 0)),
		"a secret of 31 bytes":      document(`{"id":"a","secret":"` + base64.StdEncoding.EncodeToString(make([]byte, 31)) + `"}`),
		"a secret in base64url":     document(`{"id":"a","secret":"` + strings.Repeat("_", 43) + `="}`),
		"no secret":                 document(`{"id":"a"}`),
		"an unknown member":         `{"format":1,"x":1,"generations":[` + generation("a", 1) + `]}`,
		"a member twice":            `{"format":1,"format":1,"generations":[` + generation("a", 1) + `]}`,
		"a member in another case":  `{"Format":1,"generations":[` + generation("a", 1) + `]}`,
		"something after the value": document(generation("a", 1)) + `{}`,
		"an array":                  `[]`,
		"a document over 4 KiB":     document(generation("a", 1)) + strings.Repeat(" ", 4096),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := keys.Parse([]byte(doc))
			if !errors.Is(err, keys.ErrRing) || r != nil {
				t.Errorf("got %v, %v; want ErrRing", r, err)
			}
		})
	}
}

func TestParseFaultsDoNotQuoteSecrets(t *testing.T) {
	s := secret(7)
	for _, doc := range []string{
		document(`{"id":"a","secret":"` + s + `x"}`),
		document(`{"id":"a b","secret":"` + s + `"}`),
		document(`{"id":"a","secret":"` + s + `"`),
		document(`{"id":"a","` + s + `":1}`),
	} {
		if _, err := keys.Parse([]byte(doc)); err == nil || strings.Contains(err.Error(), s[:8]) {
			t.Errorf("fault quotes the secret: %v", err)
		}
	}
}

func TestRingDoesNotPrintItsSecrets(t *testing.T) {
	r := parse(t, document(generation("a", 'A')))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, r); s != "key ring of 1 generations" {
			t.Errorf("%s prints %q", verb, s)
		}
	}
}

func TestMarshalIsWhatParseReads(t *testing.T) {
	doc := document(generation("new", 1), generation("old", 2)) + "\n"
	if diff := cmp.Diff(doc, string(parse(t, doc).Marshal())); diff != "" {
		t.Error(diff)
	}
}

func TestRotateKeepsOneOlderGeneration(t *testing.T) {
	first := generate(t)
	second, err := first.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	third, err := second.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	sum := first.Derive("token", "part")
	sealed, err := first.Seal([]byte("plain"), "env", "column")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		ring  *keys.Ring
		knows bool
	}{{"itself", first, true}, {"after one rotation", second, true}, {"after two", third, false}} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.ring.Matches("token", sum, "part"); got != tc.knows {
				t.Errorf("Matches = %v, want %v", got, tc.knows)
			}
			if _, err := tc.ring.Open(sealed, "env", "column"); (err == nil) != tc.knows {
				t.Errorf("Open: %v, want success %v", err, tc.knows)
			}
		})
	}
	if second.Derive("token", "part") == sum {
		t.Error("the new generation derives what the old one did")
	}
}

func TestDeriveSeparates(t *testing.T) {
	r := parse(t, document(generation("a", 1)))
	other := parse(t, document(generation("a", 2)))
	base := r.Derive("p", "ab", "c")
	for name, sum := range map[string][32]byte{
		"purposes":             r.Derive("q", "ab", "c"),
		"where a part ends":    r.Derive("p", "a", "bc"),
		"one part from two":    r.Derive("p", "abc"),
		"a trailing empty one": r.Derive("p", "ab", "c", ""),
		"no parts":             r.Derive("p"),
		"purpose from parts":   r.Derive("pa", "b", "c"),
		"rings":                other.Derive("p", "ab", "c"),
	} {
		if sum == base {
			t.Errorf("does not separate %s", name)
		}
	}
	if r.Derive("p", "ab", "c") != base || !r.Matches("p", base, "ab", "c") {
		t.Error("does not derive the same again")
	}
	if r.Matches("p", [32]byte{}, "ab", "c") {
		t.Error("zero matches")
	}
}

// The numbers were computed with HKDF-SHA256 and HMAC-SHA256 of another
// implementation; a change of either voids every cookie and token in the field.
func TestDeriveIsStable(t *testing.T) {
	r := parse(t, document(generation("a", 1)))
	const want = "72ef8dd70f7ee450c080a4a21f952f25037b9d81a4b8214d316fd86a3e1371e2"
	if got := fmt.Sprintf("%x", r.Derive("step-token", "flow", "7")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRingServesManyGoroutines(t *testing.T) {
	r := generate(t)
	want := r.Derive("p0", "x")
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 200 {
				p := fmt.Sprintf("p%d", (i+j)%8)
				if !r.Matches(p, r.Derive(p, "x"), "x") || !r.Matches("p0", want, "x") {
					t.Error("mixed up")
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestOpenRefuses(t *testing.T) {
	r := parse(t, document(generation("a", 1)))
	sealed, err := r.Seal([]byte("plain"), "env", "column")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := r.Open(sealed, "env", "column"); err != nil || string(plain) != "plain" {
		t.Fatalf("got %q, %v", plain, err)
	}
	sameID := parse(t, document(generation("a", 2)))
	sameSecret := parse(t, document(generation("b", 1)))
	for _, tc := range []struct {
		name, env, column string
		ring              *keys.Ring
		value             []byte
	}{
		{"another environment", "env2", "column", r, sealed},
		{"another column", "env", "column2", r, sealed},
		{"a moved boundary", "envc", "olumn", r, sealed},
		{"another secret of the same id", "env", "column", sameID, sealed},
		{"the same secret under another id", "env", "column", sameSecret, sealed},
		{"nothing", "env", "column", r, nil},
		{"a front that is cut off", "env", "column", r, []byte{1, 200, 'a'}},
		{"another format", "env", "column", r, append([]byte{2}, sealed[1:]...)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := tc.ring.Open(tc.value, tc.env, tc.column); !errors.Is(err, keys.ErrSealed) {
				t.Errorf("got %v, want ErrSealed", err)
			}
		})
	}
	t.Run("every flipped or missing byte", func(t *testing.T) {
		for i := range sealed {
			flipped := bytes.Clone(sealed)
			flipped[i] ^= 1
			if _, err := r.Open(flipped, "env", "column"); !errors.Is(err, keys.ErrSealed) {
				t.Errorf("byte %d flipped: %v", i, err)
			}
			if _, err := r.Open(sealed[:i], "env", "column"); !errors.Is(err, keys.ErrSealed) {
				t.Errorf("cut at %d: %v", i, err)
			}
		}
	})
}

func TestSealRoundTrip(t *testing.T) {
	r := generate(t)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		env, column := rapid.String().Draw(t, "env"), rapid.String().Draw(t, "column")
		a, err := r.Seal(plain, env, column)
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.Seal(plain, env, column)
		if err != nil || bytes.Equal(a, b) {
			t.Fatalf("sealed twice to the same bytes, %v", err)
		}
		if got, err := r.Open(a, env, column); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("got %q, %v", got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, doc := range []string{
		``, `{}`, `null`, `[]`, `{"format":1}`, `{"format":1,"generations":null}`, `{"format":1,"generations":[null]}`,
		document(generation("a", 1)), document(generation("a", 1), generation("b", 2)), document(generation("a", 1), generation("a", 1)),
		`{"format":1,"generations":[{"id":"a","secret":"` + secret(1) + `","createdAt":"9999-12-31T23:59:59.999999999Z"}]}`,
		`{"format":1e0,"generations":[` + generation("a", 1) + `]}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		r, err := keys.Parse(doc)
		if err != nil {
			if !errors.Is(err, keys.ErrRing) {
				t.Fatalf("fault is no ErrRing: %v", err)
			}
			return
		}
		again, err := keys.Parse(r.Marshal())
		if err != nil || !bytes.Equal(again.Marshal(), r.Marshal()) || again.Derive("p", "x") != r.Derive("p", "x") {
			t.Fatalf("does not survive Marshal: %v", err)
		}
	})
}

func BenchmarkDerive(b *testing.B) {
	r := generate(b)
	b.ReportAllocs()
	for b.Loop() {
		r.Derive("token", "d0000000-0000-4000-8000-000000000001", "c1c2c3c4-0000-4000-8000-000000000001", "12")
	}
}

func TestAStagedGenerationIsReadBeforeItMakes(t *testing.T) {
	first := generate(t)
	staged, err := first.Stage()
	if err != nil {
		t.Fatal(err)
	}
	staged = parse(t, string(staged.Marshal()))
	if _, err := staged.Stage(); !errors.Is(err, keys.ErrStaged) {
		t.Errorf("staged twice: %v", err)
	}
	second, err := staged.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	second = parse(t, string(second.Marshal()))
	// While the nodes of a deployment are given the rings one after the other, each
	// reads what any of them makes.
	for _, turn := range [][2]*keys.Ring{{first, staged}, {staged, second}} {
		for _, maker := range turn {
			sealed, err := maker.Seal([]byte("plain"), "env", "column")
			if err != nil {
				t.Fatal(err)
			}
			sum := maker.Derive("token", "part")
			for _, reader := range turn {
				if plain, err := reader.Open(sealed, "env", "column"); string(plain) != "plain" || !reader.Matches("token", sum, "part") {
					t.Errorf("not read: %v", err)
				}
			}
		}
	}
	old, err := first.Seal([]byte("plain"), "env", "column")
	if err != nil || !staged.Fresh(old) || second.Fresh(old) || second.Fresh(nil) {
		t.Errorf("fresh before: %v, after: %v; %v", staged.Fresh(old), second.Fresh(old), err)
	}
	if third, err := second.Rotate(); err != nil || third.Fresh(old) {
		t.Error(err)
	}
}
