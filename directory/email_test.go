package directory_test

import (
	"errors"
	"strings"
	"testing"

	"doorward/directory"
)

func TestNormalEmail(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"case", "Ada.Lovelace@Example.COM", "ada.lovelace@example.com"},
		{"spaces around", " ada@example.com\t", "ada@example.com"},
		{"tags stay", "ada+news@example.com", "ada+news@example.com"},
		{"dots stay", "a.d.a@example.com", "a.d.a@example.com"},
		{"signs", "o'brien_x-1@example.com", "o'brien_x-1@example.com"},
		{"no dot in the domain", "ada@localhost", "ada@localhost"},
		{"domain of another script", "ada@MÜNCHEN.de", "ada@xn--mnchen-3ya.de"},
		{"the same in Punycode", "ada@xn--mnchen-3ya.de", "ada@xn--mnchen-3ya.de"},
		{"full-width domain", "ada@ｅxample.com", "ada@example.com"},
		{"letters outside ASCII", "JÜRGEN@example.com", "jürgen@example.com"},
		{"full width", "ａda@example.com", "ada@example.com"},
		{"long s", "ſara@example.com", "sara@example.com"},
		{"Cyrillic stays", "аda@example.com", "аda@example.com"},
		{"longest", strings.Repeat("a", 242) + "@example.com", strings.Repeat("a", 242) + "@example.com"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, err := directory.NormalEmail(row.in); err != nil || got != row.want {
				t.Errorf("%q %v", got, err)
			}
		})
	}
}

func TestNormalEmailRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing": "", "no domain": "ada", "empty domain": "ada@", "nobody": "@example.com", "a display name": "Ada <ada@example.com>",
		"angle brackets": "<ada@example.com>", "a comment": "ada@example.com (Ada)", "quotes": `"ada"@example.com`, "quoted spaces": `"a b"@example.com`,
		"two": "ada@example.com, bea@example.com", "two signs": "ada@bea@example.com", "an address literal": "ada@[192.0.2.1]",
		"an underscore in the domain": "ada@exa_mple.com", "an empty label": "ada@example..com", "a hyphen first": "ada@-example.com",
		"a broken Punycode": "ada@xn--zzzzzz--.de", "a long label": "ada@" + strings.Repeat("a", 64) + ".com",
		"a space inside": "a da@example.com", "a space in the domain": "ada@exa mple.com", "a line break": "ada@example.com\r\nBcc: bea@example.com",
		"a break inside": "ada\r\n@example.com", "NUL": "ada\x00@example.com", "zero width": "a\u200bda@example.com", "bidirectional": "\u202eada@example.com",
		"zero width in the domain": "ada@exa\u200dmple.com", "an encoded word": "=?utf-8?q?bea=40example.org=3e?=@example.com", "invalid UTF-8": "ad\xff@example.com",
		"too long": strings.Repeat("a", 243) + "@example.com", "a mail link": "mailto:ada@example.com",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := directory.NormalEmail(in); !errors.Is(err, directory.ErrEmail) {
				t.Errorf("%q %v", got, err)
			}
		})
	}
}

func FuzzNormalEmail(f *testing.F) {
	for _, s := range []string{"Ada@Example.com", "ſ@ｅx.de", "ada@münchen.de", "a+b@c", "ß@x.de", "\xff@x", "İ@x.de", "a@xn--zzzzzz--.de"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := directory.NormalEmail(s)
		if err != nil {
			return
		}
		if strings.ContainsAny(once, "\r\n\x00 ,<>()\"") || strings.Count(once, "@") != 1 {
			t.Errorf("%+q: %+q", s, once)
		}
		if twice, err := directory.NormalEmail(once); err == nil && twice != once {
			t.Errorf("%+q: %+q, then %+q", s, once, twice)
		}
	})
}
