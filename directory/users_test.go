package directory_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"doorward/directory"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
)

func ada() directory.User {
	return directory.User{
		Env: env, Username: "Ada", Population: "p1", Type: "staff", Enabled: true, Email: "ada@example.com",
		EmailVerified: true, Given: "Ada", Family: "Lovelace", Locale: "en-GB", PreferredLanguage: "en-GB, en", Unverified: true,
		Profile: []byte(`{"externalId":"x1","mobilePhone":"+43 1 234","name":{"middle":"King"}}`), MFAEnabled: true,
		MustChange: true, PasswordChangedAt: time.UnixMilli(1_700_000_000_000).UTC(),
	}
}

func testUsers(t *testing.T, open opener) {
	now := newClock()
	db := open(t, directory.Options{Now: now.Now})
	users := directory.NewUsers(db, directory.NewHasher(cheap(), 2, now.Now), now.Now)
	made, err := users.Create(t.Context(), ada(), "secret", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("are kept as given", func(t *testing.T) {
		want := ada()
		want.ID, want.CreatedAt, want.UpdatedAt = made.ID, now.Now(), now.Now()
		if got, err := users.Get(t.Context(), env, made.ID); err != nil || !cmp.Equal(got, want) || !cmp.Equal(made, want) || len(made.ID) != 36 {
			t.Errorf("%v %s", err, cmp.Diff(want, got))
		}
		if s := made.Subject(); s != (flow.Subject{ID: made.ID, Username: "Ada", Given: "Ada", Family: "Lovelace", Population: "p1", Locales: "en-GB, en"}) {
			t.Errorf("subject %+v", s)
		}
	})
	t.Run("are unknown elsewhere", func(t *testing.T) {
		if _, err := users.Get(t.Context(), "other", made.ID); !errors.Is(err, flow.ErrUnknown) {
			t.Error(err)
		}
		if err := users.SetEnabled(t.Context(), "other", made.ID, false); !errors.Is(err, flow.ErrUnknown) {
			t.Error(err)
		}
	})
	t.Run("cannot take a name that compares equal", func(t *testing.T) {
		for _, name := range []string{"ada", "ADA", "ａｄａ", "Ⓐda"} {
			u := ada()
			u.Username = name
			if _, err := users.Create(t.Context(), u, "", ""); !errors.Is(err, directory.ErrTaken) {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
	t.Run("can take the name in another environment", func(t *testing.T) {
		u := ada()
		u.Env = "other"
		if _, err := users.Create(t.Context(), u, "", ""); err != nil {
			t.Error(err)
		}
	})
	t.Run("cannot have a name with spaces around it", func(t *testing.T) {
		for _, name := range []string{"eve ", " eve", "eve\u00a0", "", "\u200beve"} {
			u := ada()
			u.Username = name
			if _, err := users.Create(t.Context(), u, "", ""); !errors.Is(err, directory.ErrName) {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
	t.Run("are created once per effect", func(t *testing.T) {
		u := ada()
		u.Username = "grace"
		first, err := users.Create(t.Context(), u, "secret", "flow/node/1")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := users.Create(t.Context(), u, "secret", "flow/node/1"); err != nil || !cmp.Equal(again, first) {
			t.Errorf("%+v %v", again, err)
		}
	})
	t.Run("are seeded once", func(t *testing.T) {
		u := ada()
		u.ID, u.Username = "11111111-1111-4111-8111-111111111111", "linus"
		seed := func(u directory.User, want bool) {
			t.Helper()
			if open, err := users.Seed(t.Context(), u, "secret"); err != nil || open != want {
				t.Errorf("open %v, %v", open, err)
			}
		}
		seed(u, true)
		seed(u, true) // what belongs to it is not made yet
		if err := users.Seeded(t.Context(), env, u.ID); err != nil {
			t.Fatal(err)
		}
		seed(u, false)
		if err := users.Delete(t.Context(), env, u.ID); err != nil {
			t.Fatal(err)
		}
		seed(u, false)
		if _, err := users.Get(t.Context(), env, u.ID); !errors.Is(err, flow.ErrUnknown) {
			t.Errorf("who was removed is there again: %v", err)
		}
	})
	t.Run("are not seeded over others", func(t *testing.T) {
		u := ada()
		u.ID = "11111111-1111-4111-8111-111111111112"
		for range 2 { // the name is somebody's
			if open, err := users.Seed(t.Context(), u, "secret"); err != nil || open {
				t.Errorf("open %v, %v", open, err)
			}
		}
		u.ID, u.Username = made.ID, "renamed" // the id is somebody's
		if open, err := users.Seed(t.Context(), u, "secret"); err != nil || open {
			t.Errorf("open %v, %v", open, err)
		}
	})
	t.Run("can be disabled", func(t *testing.T) {
		now.Move(time.Second)
		if err := users.SetEnabled(t.Context(), env, made.ID, false); err != nil {
			t.Fatal(err)
		}
		if u, err := users.Get(t.Context(), env, made.ID); err != nil || u.Enabled || !u.UpdatedAt.Equal(now.Now()) {
			t.Errorf("%+v %v", u, err)
		}
	})
}

func TestNormalName(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"ASCII case", "Ada.Lovelace@Example.COM", "ada.lovelace@example.com"},
		{"long s", "ſara", "sara"},
		{"Kelvin sign", "\u212aurt", "kurt"},
		{"sharp s", "STRAẞE", "strasse"},
		{"full width", "ａｄａ", "ada"},
		{"ligature", "ﬁnn", "finn"},
		{"circled", "Ⓐda", "ada"},
		{"composed", "e\u0301va", "\u00e9va"},
		{"Greek final sigma", "ΟΔΟΣ", "οδοσ"},
		{"final sigma typed", "οδος", "οδοσ"},
		{"dotted capital I", "İ", "i\u0307"},
		{"Cherokee upper", "\u13a0", "\uab70"},
		{"Cherokee lower", "\uab70", "\uab70"},
		{"space before", " ada", "ada"},
		{"space after", "ada  ", "ada"},
		{"ideographic space after", "ada\u3000", "ada"},
		{"spaces inside", "ada \u00a0\u2003lovelace", "ada lovelace"},
		{"lone diaeresis", "\u00a8a", "\u0308a"},
		{"Cyrillic stays", "аda", "аda"},
		{"longest", strings.Repeat("ä", 128), strings.Repeat("ä", 128)},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, err := directory.NormalName(row.in); err != nil || got != row.want {
				t.Errorf("%+q %v, want %+q", got, err, row.want)
			}
		})
	}
}

func TestNormalNameRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing": "", "spaces only": " \u3000", "zero-width space": "a\u200bda", "zero-width joiner": "a\u200dda",
		"zero-width non-joiner": "a\u200cda", "byte order mark": "\ufeffada", "word joiner": "ada\u2060", "soft hyphen": "a\u00adda",
		"right-to-left override": "\u202eada", "isolate": "\u2066ada", "newline": "ada\n", "tab": "\tada", "NUL": "a\x00da", "DEL": "ada\x7f",
		"Hangul filler": "\u3164", "half-width filler": "a\uffa0", "variation selector": "a\ufe0f", "tag": "a\U000e0041",
		"grapheme joiner": "a\u034fda", "private use": "\ue000", "unassigned": "\u0378", "noncharacter": "a\uffff",
		"line separator": "a\u2028", "invalid UTF-8": "ad\xff", "too long": strings.Repeat("a", 129),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := directory.NormalName(in); !errors.Is(err, directory.ErrName) {
				t.Errorf("%+q %v", got, err)
			}
		})
	}
}

func TestNormalNameOfEveryCharacterIsStable(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		once, err := directory.NormalName("a" + string(r) + "b")
		if err != nil {
			continue
		}
		if twice, err := directory.NormalName(once); err != nil || twice != once {
			t.Errorf("%U: %+q, then %+q %v", r, once, twice, err)
		}
	}
}

func TestNormalNameHasNoCase(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		key, err := directory.NormalName(string(r))
		if err != nil {
			continue
		}
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			if other, err := directory.NormalName(string(f)); err != nil || other != key {
				t.Errorf("%U %+q, %U %+q", r, key, f, other)
			}
		}
	}
}

func FuzzNormalName(f *testing.F) {
	for _, s := range []string{"", "Ada", "ſ", "\u00a8", "\u1e9e", "\u0345a", "\u0390", "a\u3000b", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := directory.NormalName(s)
		if err != nil {
			return
		}
		if upper, err := directory.NormalName(once + " "); err != nil && utf8.RuneCountInString(once) < 128 || err == nil && upper != once {
			t.Errorf("%+q: %+q, then %+q %v", s, once, upper, err)
		}
	})
}
