package passwordpolicy_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"doorward/runtime/passwordpolicy"
)

func listed(t testing.TB) []string {
	t.Helper()
	b, err := os.ReadFile("list/passwords.txt")
	if err != nil {
		t.Fatal(err)
	}
	text, ended := strings.CutSuffix(string(b), "\n")
	if !ended {
		t.Fatal("the last line has no end")
	}
	return strings.Split(text, "\n")
}

func TestTheListIsInOrder(t *testing.T) {
	all := listed(t)
	if len(all) < 10_000 {
		t.Errorf("%d passwords", len(all))
	}
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Error("the list is not sorted, or has one twice")
	}
	for _, p := range all {
		if utf8.RuneCountInString(p) < 8 || norm.NFC.String(strings.ToLower(p)) != p {
			t.Errorf("%q is not in the form that it is looked up in, or too short for any policy", p)
		}
	}
}

func TestEveryListedPasswordIsFound(t *testing.T) {
	p := passwordpolicy.Policy{ExcludesCommonlyUsed: true}
	for _, password := range listed(t) {
		for _, spelt := range []string{password, strings.ToUpper(password)} {
			if p.Unsatisfied(passwordpolicy.Candidate{Password: spelt}) == nil {
				t.Errorf("%q is taken", spelt)
			}
		}
	}
}

func TestWhatIsNotListedIsNotFound(t *testing.T) {
	p := passwordpolicy.Policy{ExcludesCommonlyUsed: true}
	all := listed(t)
	near := []string{"", "\n", "a", "~~~~~~~~~", "\xff\xff", all[0] + "\n" + all[1], "Correct-Horse-9", "password\n"}
	for i := 0; i < len(all); i += 97 {
		near = append(near, all[i]+"\x00", all[i]+"-zq", all[i][:7], "\n"+all[i])
	}
	near = append(near, "\x00"+all[0], all[len(all)-1]+"z")
	for _, password := range near {
		if p.Unsatisfied(passwordpolicy.Candidate{Password: password}) != nil && !slices.Contains(all, password) {
			t.Errorf("%q is refused", password)
		}
	}
}

// The list stays where the binary has it: looking up makes nothing but the forms
// of the password itself.
func TestLookingUpUnpacksNothing(t *testing.T) {
	p := passwordpolicy.Policy{ExcludesCommonlyUsed: true}
	c := passwordpolicy.Candidate{Password: "Correct-Horse-9"}
	if n := testing.AllocsPerRun(100, func() { p.Unsatisfied(c) }); n > 8 {
		t.Errorf("%v allocations", n)
	}
}
