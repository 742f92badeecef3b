package forms_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorward/forms"
	"doorward/runtime/passwordpolicy"
)

// listed are the rules that a page shows, as they are read.
func listed(t *testing.T, s forms.SignOn) []string {
	t.Helper()
	var out []string
	for _, m := range regexp.MustCompile(`(?s)<li[^>]*><svg.*?</svg><span class="aloud">[^<]*</span> <span>(.*?)</span></li>`).FindAllStringSubmatch(draw(t, "en", s), -1) {
		out = append(out, m[1])
	}
	return out
}

func TestRequirements(t *testing.T) {
	upper, digits := passwordpolicy.Alphabets()[0], passwordpolicy.Alphabets()[3]
	history := &passwordpolicy.Policy{NotSimilarToCurrent: true}
	history.History.Count = 1
	for name, row := range map[string]struct {
		page   forms.SignOn
		policy *passwordpolicy.Policy
		want   []string
	}{
		"nothing is enforced":                  {registration(), &passwordpolicy.Policy{}, nil},
		"a length":                             {registration(), &passwordpolicy.Policy{MinLength: 8, MaxLength: 255}, []string{"At least 8 characters"}},
		"a longest length that people meet":    {registration(), &passwordpolicy.Policy{MinLength: 8, MaxLength: 20}, []string{"8 to 20 characters"}},
		"kinds of characters, one and several": {registration(), &passwordpolicy.Policy{MinCharacters: map[string]int{upper: 1, digits: 2}}, []string{"A capital letter", "2 digits"}},
		"no repeats":                           {registration(), &passwordpolicy.Policy{MaxRepeated: 1}, []string{"No character twice in a row"}},
		"runs": {
			registration(), &passwordpolicy.Policy{MaxAlphabetSequence: 3, MaxNumberSequence: 2, MaxQwertySequence: 3, MaxShiftedNumberRowSequence: 3},
			[]string{"No runs of letters such as abcd", "No runs of digits such as 1234", "No runs of keys such as qwert", "No runs of keys such as #$%^"},
		},
		"what only the server can judge":                 {registration(), &passwordpolicy.Policy{ExcludesCommonlyUsed: true, ExcludesProfileData: true}, []string{"Not a password that many people use", "Not your name, username or email address"}},
		"a new account has no passwords to compare with": {registration(), history, nil},
		"nobody types the current one to recover":        {recovery(), history, []string{"Not your last password"}},
		"the current one is typed beside it":             {expired(), history, []string{"Clearly different from your current password", "Not your last password"}},
		"a page without a new password":                  {signOn(), standard(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			row.page.Policy = row.policy
			if got := listed(t, row.page); !slices.Equal(got, row.want) {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

// TestNoRuleIsLeftUnsaid: for every rule that a password can be refused by there
// is a line of its own, so that nobody is told less than is asked.
func TestNoRuleIsLeftUnsaid(t *testing.T) {
	all := standard()
	all.MaxAlphabetSequence, all.MaxNumberSequence, all.MaxQwertySequence, all.MaxShiftedNumberRowSequence = 3, 3, 3, 3
	worst := passwordpolicy.Candidate{Password: "aaa", Current: "aaa", Profile: []string{"aaa"}}
	names := slices.Concat(all.Unsatisfied(worst), all.Unsatisfied(passwordpolicy.Candidate{Password: "abcd1234qwert!@#$"}), []string{passwordpolicy.History, passwordpolicy.MinAge})
	for _, name := range names {
		s := refuse(expired(), "password.reset", inner("INVALID_VALUE", "newPassword", "unsatisfiedRequirements", []string{name}))
		s.Policy = all
		if page := draw(t, "en", s); strings.Count(page, `class="unmet"`) == 0 || !strings.Contains(page, "does not meet what is marked") {
			t.Errorf("%s is not said", name)
		}
	}
}

// TestOnlyTheMissingKindsAreMarked: the rule about kinds of characters has one
// name and a line for each kind.
func TestOnlyTheMissingKindsAreMarked(t *testing.T) {
	s := refuse(recovery(), "password.recover", inner("INVALID_VALUE", "newPassword", "unsatisfiedRequirements", []string{passwordpolicy.MinCharacters}))
	for password, want := range map[string][]string{
		"quiethorse":  {"A capital letter", "A digit", "A symbol such as #"},
		"QUIET-HORSE": {"A small letter", "A digit"},
		"":            {"A capital letter", "A small letter", "A digit", "A symbol such as #"},
	} {
		s.Typed = map[string]any{"newPassword": password}
		var got []string
		for _, m := range regexp.MustCompile(`(?s)class="unmet">.*?<span>([^<]*)</span></li>`).FindAllStringSubmatch(draw(t, "en", s), -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", password, got, want)
		}
	}
}
