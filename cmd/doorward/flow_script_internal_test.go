package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// signedOn is a script whose last step is to be put behind it.
const signedOn = `config: config
definition: Sign On
redirectUri: https://shop.example/back
parameters: {from: "a b"}
client: {remoteIp: 198.51.100.7, languages: de}
users:
  - {username: ada, email: ada@example.com, password: Correct-Horse-9, name: {given: Ada}}
steps:
  - submit: form.submit
    values: {user: {username: ada, password: Wrong-Horse-7}}
  - expect: {status: FORM_REQUIRED, error: {code: INVALID_CREDENTIALS, target: user.password, message: Incorrect}, values: {user: {username: ada}}}
`

const rightly = `  - submit: form.submit
    values: {user: {username: ada, password: Correct-Horse-9}}
`

// What comes is what is expected, member by member.
func TestEveryMemberOfAnExpectationCounts(t *testing.T) {
	inFlowFolder(t)
	for name, tt := range map[string]struct{ more, says string }{
		"all as expected":        {rightly + "  - expect: {status: COMPLETED, error: none, offers: [], user: ada, amr: [pwd], redirect: 'https://*.example/back?from=a+b'}", "ok    "},
		"the reset is no offer":  {"  - expect: {offers: [form.action, form.submit]}", "ok    "},
		"the reset when asked":   {"  - expect: {offers: [form.action, form.submit, session.reset]}", "ok    "},
		"a status":               {rightly + "  - expect: {status: FAILED}", "status: expected FAILED, came COMPLETED"},
		"an offer too many":      {"  - expect: {offers: [form.submit]}", "offers: expected [form.submit], came [form.action form.submit]"},
		"an offer too few":       {"  - expect: {offers: [form.submit, form.action, user.verify]}", "came [form.action form.submit]"},
		"an error that is none":  {rightly + "  - expect: {error: INVALID_CREDENTIALS}", "error: expected INVALID_CREDENTIALS, came none"},
		"no error but one":       {"  - expect: {error: none}", "error: expected none, came INVALID_CREDENTIALS"},
		"another error":          {"  - expect: {error: LOCKED}", "error: expected LOCKED, came INVALID_CREDENTIALS"},
		"an error elsewhere":     {"  - expect: {error: {code: INVALID_CREDENTIALS, target: user.username}}", "expected INVALID_CREDENTIALS of user.username, came"},
		"an error otherwise":     {"  - expect: {error: {message: locked}}", `expected with the words "locked", came`},
		"somebody":               {"  - expect: {user: ada}", "user: expected ada, came nobody"},
		"nobody":                 {rightly + "  - expect: {user: ''}", "user: expected nobody, came ada"},
		"a method":               {rightly + "  - expect: {amr: [pwd, otp]}", "amr: expected [pwd otp], came [pwd]"},
		"an address":             {rightly + "  - expect: {redirect: 'https://shop.example/'}", "redirect: expected https://shop.example/, came https://shop.example/back?from=a+b"},
		"a form":                 {"  - expect: {form: Registration form}", "form: expected Registration form, came Sign on form"},
		"a value":                {"  - expect: {values: {user: {username: bob}}}", `values: user.username: expected "bob", came "ada"`},
		"a password is no value": {"  - expect: {values: {user: {password: Wrong-Horse-7}}}", "user.password: expected \"***\", came null"},
		"what is not offered":    {"  - submit: user.verify\n    values: {}", "INVALID_REQUEST, ACTION_NOT_OFFERED"},
		"what has ended":         {"  - wait: 20m\n" + rightly, "NOT_FOUND"},
		"a code of nobody":       {"  - submit: form.submit\n    values: {user: {password: '${code}'}}", "there is no ${code}"},
		"mail that is none":      {"  - mail: {}", "expected a mail (any) to (any), came none"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, "member.yaml", signedOn+tt.more)
			if got := command(t, "flow", "test", "member.yaml"); !strings.Contains(got, tt.says) {
				t.Errorf("%s lacks %s", got, tt.says)
			}
		})
	}
}

// An error that is refused before the flow begins is told like any other.
func TestWhatCannotBeBegun(t *testing.T) {
	inFlowFolder(t)
	for name, tt := range map[string]struct{ from, to, says string }{
		"an address of nobody's":       {"https://shop.example/back", "https://evil.example/", "is not registered with an application"},
		"a configuration that is none": {"config: config", "config: nowhere", "nowhere: no such file or directory"},
		"a definition that is none":    {"definition: Sign On", "definition: Sign Off", `there are "Registration"`},
		"a policy that is none":        {"definition: Sign On", "policy: Sign On", `there is no sign-on policy "Sign On"; there are "Password"`},
		"an environment that is none":  {"definition: Sign On", "definition: Sign On\nenvironment: other", `there is no flow definition "Sign On", and no other`},
		"a configuration with faults":  {"config: config", "config: holes", "holes.json: $.stepDefinitions.done: "},
		"a user who is wrong":          {"name: {given: Ada}", "nick: Ada", "member.yaml:7: user: $.nick"},
		"no address":                   {"198.51.100.7", "nowhere", "member.yaml:5: remoteIp takes an address"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, "member.yaml", strings.Replace(signedOn, tt.from, tt.to, 1))
			if got := command(t, "flow", "test", "member.yaml"); !strings.Contains(got, tt.says) {
				t.Errorf("%s lacks %s", got, tt.says)
			}
		})
	}
}

// Nothing is left of a script, whether it goes as it says or not.
func TestAFlowTestLeavesNothing(t *testing.T) {
	inFlowFolder(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	command(t, "flow", "test", "sign-on.yaml", "failed.yaml", "weak.yaml", "unreadable.yaml")
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("there is %v, %v", left, err)
	}
}
