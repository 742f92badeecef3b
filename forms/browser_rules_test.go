package forms_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"doorward/internal/browsertest"
	"doorward/runtime/passwordpolicy"
)

// alone is the policy that enforces what one data-check says and nothing else.
func alone(t *testing.T, check string) passwordpolicy.Policy {
	t.Helper()
	words := strings.Fields(check)
	number := func(i int) int {
		n, err := strconv.Atoi(words[i])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var p passwordpolicy.Policy
	switch words[0] {
	case "length":
		p.MinLength, p.MaxLength = number(1), number(2)
	case "kind":
		p.MinCharacters = map[string]int{words[2]: number(1)}
	case "repeated":
		p.MaxRepeated = number(1)
	case "unique":
		p.MinUnique = number(1)
	case "days":
		p.MinComplexity = number(1)
	case "run":
		switch words[2][0] {
		case 'a':
			p.MaxAlphabetSequence = number(1)
		case '0':
			p.MaxNumberSequence = number(1)
		case 'q':
			p.MaxQwertySequence = number(1)
		case '!':
			p.MaxShiftedNumberRowSequence = number(1)
		}
	}
	return p
}

// TestBrowserTicksWhatTheServerTakes: the script judges each rule as the server
// does, also at the edges.
func TestBrowserTicksWhatTheServerTakes(t *testing.T) {
	t.Parallel()
	tab := browsertest.Start(t).Visitor(t, browsertest.Look{})
	tab.Open(hang(t).URL + "/en/gallery")
	checks := browsertest.Eval[[]string](tab, `[...document.querySelectorAll("[data-check]")].map(e => e.dataset.check)`)
	if len(checks) != 12 {
		t.Fatalf("%q", checks)
	}
	for _, password := range []string{
		"a", "aa", "aaa", "aaab", "aabbaab", "Abcdefg1#", "dcba9876", "DCBA", "abce", "abcd", "xabcx", "0123", "890", "7890", "0987", "qwer", "rewq", "QwErTy",
		"asdf", "zxcv", "!@#", "!@#$", ")(*&", "12", "121212", "aba", "abab", "Correct-Horse-9", "correcthorsebatterystaple", "Ab1#Ab1#", "Tr0ub4dor&3",
		"ÄÖÜäöü", "ä́́́", "e\u0301e\u0301e\u0301", "éée\u0301", "пароль123", "密码密码密码密码", "😀😀😀", "😀a😀b😀c😀d", "  spaces  ", "\\\"'`", "<script>", strings.Repeat("aB3$", 16), strings.Repeat("aB3$", 16) + "x",
		"ßSſK", "İstanbul", "abcDEFghiJKL1!", "a1!A", "~!@#$%^&*()-_=+[]{}|;:,.<>/?",
	} {
		quoted, _ := json.Marshal(password)
		met := browsertest.Eval[[]bool](tab, `(i => { i.value = `+string(quoted)+`; i.dispatchEvent(new Event("input")); return [...document.querySelectorAll("[data-check]")].map(e => e.className === "met" && e.querySelector(".aloud").textContent === "Met:") })(document.querySelector("#newPassword"))`)
		for i, check := range checks {
			broken := alone(t, check).Unsatisfied(passwordpolicy.Candidate{Password: password})
			if met[i] != (len(broken) == 0) {
				t.Errorf("%q and %q: the page says %t, the server %q", password, check, met[i], broken)
			}
		}
	}
}

// TestBrowserListsRules: they are there without scripts, and ticked off with them.
func TestBrowserListsRules(t *testing.T) {
	t.Parallel()
	b, s := browsertest.Start(t), hang(t)
	for _, noScript := range []bool{false, true} {
		tab := b.Visitor(t, browsertest.Look{NoScript: noScript})
		tab.Open(s.URL + "/en/weak-reset")
		if n := browsertest.Eval[int](tab, `document.querySelectorAll(".rules li").length`); n != 11 {
			t.Errorf("%d rules", n)
		}
		before := browsertest.Eval[[]int](tab, `[document.documentElement.scrollHeight, document.querySelectorAll(".unmet").length]`)
		tab.Fill("#newPassword", "Tr0ub4dor&3-Tr0ub")
		after := browsertest.Eval[[]int](tab, `[document.documentElement.scrollHeight, document.querySelectorAll(".unmet").length, document.querySelectorAll(".met").length]`)
		told := browsertest.Eval[bool](tab, `document.querySelector(".rules [role=status] span").checkVisibility()`)
		switch {
		case before[0] != after[0]:
			t.Errorf("the page moves: %v, %v", before, after)
		case noScript && (after[1] != 6 || after[2] != 0 || told):
			t.Errorf("without scripts: %v %t", after, told)
		case !noScript && (after[1] != 1 || after[2] != 8 || !told):
			t.Errorf("with scripts: %v %t", after, told)
		}
		if !noScript {
			tab.Click("#newPassword-reveal")
			if tab.Focused() != "newPassword" || !tab.Has("#newPassword[type=text]") || tab.Text("#newPassword-reveal") != "Hide" {
				t.Error("the password is not shown")
			}
		} else if browsertest.Eval[bool](tab, `document.querySelector(".reveal").checkVisibility()`) {
			t.Error("a button without a script")
		}
	}
}

// TestBrowserTakesACode: one input, pasted into in one go.
func TestBrowserTakesACode(t *testing.T) {
	t.Parallel()
	tab := browsertest.Start(t).Visitor(t, browsertest.Look{})
	tab.Open(hang(t).URL + "/en/verification")
	if tab.Focused() != "verificationCode" {
		t.Errorf("the focus is on %s", tab.Focused())
	}
	got := browsertest.Eval[[]string](tab, `(i => { i.focus(); document.execCommand("insertText", false, "ab34-ef78 "); const s = getComputedStyle(i); return [i.value, i.inputMode, i.autocomplete, i.autocapitalize, s.fontVariantNumeric, s.textTransform, String(parseFloat(s.letterSpacing) > 4)] })(document.querySelector("#verificationCode"))`)
	if want := []string{"ab34-ef78 ", "text", "one-time-code", "characters", "tabular-nums", "uppercase", "true"}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q", got)
	}
}
