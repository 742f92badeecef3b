package forms_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
)

func draw(t *testing.T, language string, s forms.SignOn) string {
	t.Helper()
	return drawn(t, pages(t).SignOn(acme(language), s))
}

func TestSignOnPage(t *testing.T) {
	for _, tc := range []struct {
		name   string
		page   forms.SignOn
		change func(*forms.SignOn)
		has    []string
		not    []string
	}{
		{
			"asks for what the first offer asks for", signOn(), nil,
			[]string{`<h1>Sign on</h1>`, `to continue to <strong>Acme Travel</strong>`, `<label for="username">Username</label>`, `autocomplete="username" required autocapitalize="none" spellcheck="false" autofocus`, `type="password"`, `autocomplete="current-password"`, `name="_token" value="tok"`, `name="_action" value="usernamePassword.check"`},
			[]string{"Not you?", "session.reset", `role="alert"`, "Error:", "<style", "onclick", "maxlength", "minlength", `class="rules"`, "user.sendVerificationCode"},
		},
		{
			"leads to every other offer that asks for something", signOn(), nil,
			[]string{`<a href="` + here + `&amp;show=password.forgot">Forgot your password?</a>`, `<a href="` + here + `&amp;show=user.register">Create account</a>`},
			[]string{`name="email"`, `value="password.forgot"`, ">Back<"},
		},
		{
			"draws the offer that was asked for, and a way back", registration(), nil,
			[]string{`<h1>Create your account</h1>`, `name="_action" value="user.register"`, `type="email" id="email"`, `id="name-given" name="name.given"`, `<span>optional</span>`, `autocapitalize="words"`, `<a href="` + here + `">Back</a>`, `class="rules"`},
			[]string{"current-password", "show=", `value="usernamePassword.check"`},
		},
		{
			"draws the usual page for an offer that is not there", execution("USERNAME_PASSWORD_REQUIRED", check()),
			func(s *forms.SignOn) { s.Show = "user.register" },
			[]string{`<h1>Sign on</h1>`, `value="usernamePassword.check"`},
			[]string{"user.register", `name="email"`, "show="},
		},
		{
			"does not open a room without fields", recovery(), func(s *forms.SignOn) { s.Show = "password.sendRecoveryCode" },
			[]string{`<h1>Set a new password</h1>`, `value="password.recover"`},
			[]string{">Back<"},
		},
		{
			"does not show the reset as a form", signOn(), func(s *forms.SignOn) { s.Show = forms.Reset },
			[]string{`<h1>Sign on</h1>`},
			[]string{">Back<"},
		},
		{
			"has a quiet button for an offer that asks for nothing", verification(), nil,
			[]string{`value="user.sendVerificationCode"`, `<button class="button quiet" type="submit">Send a new code</button>`, `Enter the code we sent to <strong>j•••@example.com</strong>.`},
			[]string{"show="},
		},
		{
			"says that it was done", verification(), func(s *forms.SignOn) { s.Done = "user.sendVerificationCode" },
			[]string{`<div class="notice done" role="status">`, "A new code is on its way."},
			nil,
		},
		{
			"says nothing was done that is not offered", verification(), func(s *forms.SignOn) { s.Done = "password.sendRecoveryCode" },
			nil,
			[]string{"on its way"},
		},
		{
			"shows who it is and leads back", signOn(), known,
			[]string{`<span>ada@example.com</span>`, "Not you?", `name="_action" value="session.reset"`, `<input type="text" hidden name="username" value="ada@example.com" autocomplete="username">`},
			[]string{`<label for="username">`},
		},
		{"keeps the person beside a password that goes without a name", signOn(), func(s *forms.SignOn) {
			known(s)
			s.View.Offers[0].Fields = s.View.Offers[0].Fields[1:]
		}, []string{`<input type="text" hidden id="who" value="ada@example.com" autocomplete="username">`}, []string{`name="username"`}},
		{
			"sends the code to whom the page is about", password(), func(s *forms.SignOn) { s.Show = "password.forgot" },
			[]string{`<input type="text" hidden name="username" value="ada@example.com"`, "Not you?", `>Send code</button>`, `We send a code to your email address.`},
			[]string{`<label for="username">`},
		},
		{
			"lets whoever creates an account choose the name", registration(), claimed,
			[]string{`<label for="username">`, `value="ada@example.com"`},
			[]string{"Not you?", `class="chip"`},
		},
		{
			"fills in the name the application hinted at", signOn(), func(s *forms.SignOn) { s.View.LoginHint = "ada" },
			[]string{`name="username" value="ada" autocomplete="username"`},
			nil,
		},
		{
			"fills in the code of a link and goes on behind it", recovery(), func(s *forms.SignOn) { s.Code = "AB34EF78" },
			[]string{`class="code" inputmode="text" value="AB34EF78" autocomplete="one-time-code" required autocapitalize="characters" spellcheck="false"`, `aria-describedby="newPassword-rules" autofocus`},
			nil,
		},
		{
			"tells a password manager what to make", recovery(), nil,
			[]string{`autocomplete="new-password" required minlength="8" passwordrules="minlength: 8; maxlength: 255; required: upper; required: lower; required: digit; required: [-!#$%&amp;*+=?@_]; max-consecutive: 2;"`},
			nil,
		},
		{
			"shows no rules where no policy is known", recovery(), func(s *forms.SignOn) { s.Policy = nil },
			nil,
			[]string{`class="rules"`, "passwordrules", "minlength"},
		},
		{
			"does not say where a code went that may have gone nowhere", recovery(), nil,
			[]string{"If there is an account for <strong>ada@example.com</strong>, we sent a code to its email address."},
			nil,
		},
		{
			"draws a kind that has no words of its own", execution("TERMS_REQUIRED", flow.Offer{Name: "terms.accept", Prompt: said("terms.accept", "Agree and continue"), Fields: []flow.Field{{Name: "accept", Type: flow.TypeBoolean, Required: true, Label: said("terms.agree.label", "I agree to the terms of service")}}}),
			known,
			[]string{`<h1>Agree and continue</h1>`, `<input type="checkbox" id="accept" name="accept" value="true"`, `I agree to the terms of service</label>`, "to continue to"},
			nil,
		},
		{"tells a late page apart from an error", signOn(), func(s *forms.SignOn) {
			s.Fault = &flow.Fault{Code: flow.Conflict}
		}, []string{"That page was out of date."}, []string{"Error:", `role="alert"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.change != nil {
				tc.change(&tc.page)
			}
			page := draw(t, "en", tc.page)
			for _, want := range tc.has {
				if !strings.Contains(page, want) {
					t.Errorf("no %q in\n%s", want, page)
				}
			}
			for _, bad := range tc.not {
				if strings.Contains(page, bad) {
					t.Errorf("%q in\n%s", bad, page)
				}
			}
		})
	}
}

func TestRefusedSubmits(t *testing.T) {
	const sent = "usernamePassword.check"
	detail := func(code, target string) flow.Detail { return flow.Detail{Code: code, Target: target} }
	of := func(s forms.SignOn, change func(*forms.SignOn)) forms.SignOn {
		change(&s)
		return s
	}
	missed := func(names ...string) flow.Detail {
		return inner(flow.InvalidValue, "newPassword", "unsatisfiedRequirements", names)
	}
	for _, tc := range []struct {
		name string
		page forms.SignOn
		has  []string
		not  []string
	}{
		{
			"keeps what was typed, never the password",
			of(refuse(signOn(), sent, detail(flow.InvalidCredentials, "password")), func(s *forms.SignOn) {
				s.Typed = flow.Values{"username": "ada", "password": "secret-1"}
			}),
			[]string{`value="ada"`, `<title>Error: Sign on – Acme</title>`, `That username and password do not match.`, `aria-invalid="true" aria-describedby="password-error" autofocus`, `id="password-error"`},
			[]string{"secret-1", `id="problems"`},
		},
		{
			"sums up several errors and takes the focus there",
			refuse(signOn(), sent, detail(flow.RequiredValue, "username"), detail(flow.RequiredValue, "password")),
			[]string{"There are 2 problems", `role="alert" tabindex="-1" autofocus`, `<a href="#username">Enter your username.</a>`, "Enter your password."},
			[]string{`aria-describedby="username-error" autofocus`},
		},
		{
			"sums up an error that no field has", refuse(signOn(), sent, detail(flow.InvalidValue, "")),
			[]string{"There is a problem", `role="alert"`, "We could not take that."},
			[]string{`aria-invalid`},
		},
		{
			"shows the form again that was refused",
			of(refuse(signOn(), "user.register", detail(flow.InvalidValue, "email")), func(s *forms.SignOn) {
				s.Typed = flow.Values{"username": "ada", "email": "ada@", "password": "secret-1"}
			}),
			[]string{`<h1>Create your account</h1>`, `value="ada"`, `value="ada@"`, "That is not an email address.", ">Back<"},
			[]string{"secret-1", "show="},
		},
		{
			"shows what is offered now when the refused form is not",
			refuse(recovery(), "user.register", detail(flow.InvalidValue, "recoveryCode")),
			[]string{`<h1>Set a new password</h1>`, `id="problems"`},
			[]string{`aria-invalid`},
		},
		{
			"marks the rules that a password broke",
			refuse(recovery(), "password.recover", missed(passwordpolicy.Length, passwordpolicy.History)),
			[]string{"The password does not meet what is marked below.", `<li data-check="length 8 255" class="unmet">`, `<li class="unmet">`, "Not met:", `aria-describedby="newPassword-error newPassword-rules" autofocus`},
			[]string{"password.recover.title"},
		},
		{
			"marks a rule that it did not list",
			refuse(registration(), "user.register", inner(flow.InvalidValue, "password", "unsatisfiedRequirements", []string{passwordpolicy.MinAge})),
			[]string{"The password does not meet what is marked below.", "Not changed again so soon"},
			nil,
		},
		{
			"keeps a code whose password was refused",
			of(refuse(recovery(), "password.recover", missed(passwordpolicy.Length)), func(s *forms.SignOn) {
				s.Typed = flow.Values{"recoveryCode": "AB34EF78", "newPassword": "short"}
			}),
			[]string{`value="AB34EF78"`},
			[]string{`value="short"`},
		},
		{
			"offers a new code beside one that is wrong", refuse(verification(), "user.verify", detail(flow.InvalidValue, "verificationCode")),
			[]string{"That code is not right, or it has expired.", `aria-describedby="verificationCode-error verificationCode-hint" autofocus`, ">Send a new code<"},
			nil,
		},
		{
			"ticks a box again",
			of(refuse(execution("TERMS_REQUIRED", flow.Offer{Name: "x", Fields: []flow.Field{{Name: "accept", Type: flow.TypeBoolean, Required: true}}}), "x", detail(flow.InvalidValue, "accept")), func(s *forms.SignOn) {
				s.Typed = flow.Values{"accept": true}
			}),
			[]string{`value="true" checked aria-invalid="true"`},
			nil,
		},
		{
			"has no error beside a name that is not shown",
			of(refuse(password(), sent, detail(flow.InvalidValue, "username")), known),
			[]string{"You are signing on as ada@example.com. To be somebody else, choose “Not you?”.", `id="problems"`},
			[]string{"username-error"},
		},
		{
			"waits with a resend that came too often", of(recovery(), func(s *forms.SignOn) {
				s.Submitted, s.Fault = "password.sendRecoveryCode", &flow.Fault{Code: flow.Limited}
			}),
			[]string{"There were too many tries. Wait a moment, then try again.", `<h1>Set a new password</h1>`},
			[]string{"Error:"},
		},
		{
			"says how long the wait is where it is long", of(recovery(), func(s *forms.SignOn) {
				s.Submitted, s.Fault = "password.sendRecoveryCode", &flow.Fault{Code: flow.Limited, RetryAfter: time.Hour}
			}),
			[]string{"There were too many tries. Try again in 60 minutes, or use another way."},
			[]string{"Wait a moment"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			page := draw(t, "en", tc.page)
			for _, want := range tc.has {
				if !strings.Contains(page, want) {
					t.Errorf("no %q in\n%s", want, page)
				}
			}
			for _, bad := range tc.not {
				if strings.Contains(page, bad) {
					t.Errorf("%q in\n%s", bad, page)
				}
			}
		})
	}
}

// TestHostileTextStaysText puts markup into everything that comes from outside.
func TestHostileTextStaysText(t *testing.T) {
	p := pages(t)
	for _, evil := range []string{`"><script>alert(1)</script>`, `javascript:alert(1)`, `</textarea><img src=x onerror=1>`, `';alert(1)//`, `{{7*7}}`, "\x00<svg/onload=1>", `<form action=https://evil>`, `<meta http-equiv=refresh content=0>`} {
		skeletons := map[string]string{}
		for _, v := range []string{"x", evil} {
			set := forms.Setting{Language: "en", Owner: v, Theme: forms.Theme{Style: v, Logo: v, DarkLogo: v}}
			var b []byte
			for _, s := range []forms.SignOn{signOn(), registration(), recovery(), verification(), expired()} {
				fill(&s, v)
				b = append(b, p.SignOn(set, s)...)
			}
			b = slices.Concat(b, p.Failed(set, &flow.View{Failure: &flow.Failure{Code: v, Message: v}}, v, v),
				p.Fault(set, &flow.Fault{Code: flow.Unavailable}, v, v), p.SignOff(set, v, [][2]string{{v, v}}), p.Code(set, v), p.Gallery(set, v))
			noScriptAddress(t, b)
			skeletons[v] = skeleton(t, b)
		}
		if skeletons["x"] != skeletons[evil] {
			t.Errorf("%q changed the page:\n%s\n%s", evil, skeletons["x"], skeletons[evil])
		}
	}
}

// fill has v wherever an execution takes text from outside.
func fill(s *forms.SignOn, v string) {
	s.Address, s.Application, s.Code = "https://a.example/?"+v, v, v
	s.View.Token, s.View.Address, s.View.LoginHint = v, v, v
	s.View.User.Username = v
	s.Typed = flow.Values{}
	for i := range s.View.Offers {
		o := &s.View.Offers[i]
		o.Prompt = said("unknown", v)
		for j := range o.Fields {
			o.Fields[j].Label = flow.Text{Key: "unknown", Default: "{p}", Params: map[string]string{"p": v}}
			s.Typed[o.Fields[j].Name] = v
		}
	}
	first := s.View.Offers[0]
	s.Submitted = first.Name
	s.Fault = flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: first.Fields[0].Name}, flow.Detail{Code: flow.InvalidValue, Target: v}, inner(v, v, "unsatisfiedRequirements", []string{v}))
}

// noScriptAddress holds that nothing that leads somewhere leads into a script.
func noScriptAddress(t *testing.T, page []byte) {
	t.Helper()
	for n := range parse(t, page).Descendants() {
		for _, key := range []string{"href", "src", "srcset", "action"} {
			if value, _ := attr(n, key); strings.HasPrefix(value, "javascript") {
				t.Errorf("a script became the %s of a <%s>", key, n.Data)
			}
		}
	}
}
