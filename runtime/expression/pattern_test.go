package expression_test

import (
	"testing"

	"doorward/runtime/expression"
)

// A pattern means the same to both engines: a look-ahead for nothing leads to the
// one that goes back.
func TestBothEnginesReadAPatternTheSameWay(t *testing.T) {
	patterns := []string{
		`a`, `a|ab`, `a*`, `a+?b`, `[a-c]+`, `[^a-c]+`, `[a\-c]+`, `[-a]`, `[a-]`, `[\]\[]`, `[]`, `a]`, `a}`, `\d+`, `\D+`, `\w+`, `\W+`, `\s+`, `\S+`, `[\s\d]+`, `[^\S]`, `[\w-]+`,
		`.`, `.*`, `(?s).*`, `(?i)ÄB`, `(?i:a)B`, `(?m)^a$`, `^a$`, `a\z`, `\Aa`, `a\Z`, `\ba\b`, `\p{L}+`, `\pL`, `\P{L}+`, `\p{Lu}`, `\p{IsLatin}+`, `\p{Alpha}+`, `\P{Alpha}+`, `[\p{Punct}]+`, `\p{Space}+`, `\P{Space}+`, `[^\P{Lower}]`, `[\P{XDigit}-]`, `\p{Cntrl}`, `\p{Graph}+`, `\p{Print}+`, `\p{Blank}`, `\p{ASCII}+`, `\P{ASCII}`, `\p{IsAlphabetic}+`,
		`\x41`, `\x{1F600}`, `\u00e4`, `\t`, `\n`, `\e`, `\cA`, `\0101`, `\Qa.b\E`, `\Q[\E`, `\.`, `\-`, `\@`, `\#`, `#`, ` `, `a{2}`, `a{2,}`, `a{1,2}?`, `(a)(b)?`, `(?:ab)+`, `(?<n>a)`, `~&<>"=%;:,!`, `é+`, `\\`, `\/`, `[\x{1F600}-\x{1F64F}]`, `[\Q]`, `&&`, `[^\n]`, `\_`,
	}
	subjects := []any{"", "a", "A", "ab", "aab", "b", "abc", "äB", "ÄB", "é", "é", "😀", "a\n", "a\nb", "\n", "\t", " ", "\v", "\f", "\u00a0", "\u0085", "1", "٣", "_", "-", "[]", "]", "a]", "a}", ".", "a.b", "axb", "[", "#", "@", "/", `\`, "\x1b", "\x01", "~&<>\"=%;:,!", "!?", "ſ", "K", "K", "&&", "Ⅷ", "日本"}
	for r := range rune(0x300) {
		subjects = append(subjects, string(r))
	}
	for _, pattern := range patterns {
		root := map[string]any{"all": subjects, "p": pattern}
		linear, err1 := evaluatedOn(t, root, `all.![#regex.matches(#this, #root.p)]`)
		back, err2 := evaluatedOn(t, root, `all.![#regex.matches(#this, '(?=)(?:' + #root.p + ')')]`)
		if (err1 == nil) != (err2 == nil) {
			t.Errorf("%s: %v, %v", pattern, err1, err2)
			continue
		}
		for i := range linear {
			if linear[i] != back[i] {
				t.Errorf("%s on %q: %v, %v", pattern, subjects[i], linear[i], back[i])
			}
		}
	}
}

func evaluatedOn(t *testing.T, root any, source string) ([]any, error) {
	t.Helper()
	p, err := expression.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Eval(expression.Context{Root: root})
	items, _ := v.([]any)
	return items, err
}
