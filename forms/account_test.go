package forms_test

import (
	"strings"
	"testing"
	"time"

	"doorward/forms"
	"doorward/runtime/flow"
)

// accountPages is every page of an account, with text wherever text goes.
func accountPages(p *forms.Pages, text string) map[string]func(forms.Setting) []byte {
	a := func(done string) forms.Account {
		return forms.Account{Address: "/e/account", Person: text, Token: "t", Done: done}
	}
	device := forms.AccountDevice{ID: "1", Type: "TOTP", Nickname: text, Name: text, First: true}
	devices := []forms.AccountDevice{
		device,
		{ID: "2", Type: "FIDO2", Name: text},
		{ID: "3", Type: "SMS", Nickname: "Work", Target: "*******01", Locked: true},
		{ID: "4", Type: "RECOVERY_CODE", Blocked: true},
	}
	at := time.Date(2026, 3, 2, 9, 5, 0, 0, time.UTC)
	browsers := []forms.AccountBrowser{
		{ID: "1", UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0", Address: "192.0.2.7", At: at, Age: 5 * time.Minute, Here: true},
		{ID: "2", UserAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1", Address: "2001:db8::7", At: at, Age: 26 * time.Hour},
		{ID: "3", UserAgent: text, At: at, Age: 9 * 24 * time.Hour},
		{ID: "4", At: at},
	}
	wrong := a("")
	wrong.Typed, wrong.Fault = map[string]string{"nickname": text}, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "nickname"})
	wrongAddress, limited := a(""), a("")
	wrongAddress.Typed, wrongAddress.Fault = map[string]string{"newEmail": text}, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "newEmail"})
	limited.Fault = flow.Invalid(flow.Detail{Code: flow.LimitExceeded, Target: "codes"})
	return map[string]func(forms.Setting) []byte{
		"passkey-offer": func(set forms.Setting) []byte { return p.PasskeyOffer(set, offer(a(""))) },
		"passkey-offer-refused": func(set forms.Setting) []byte {
			o := offer(a(""))
			o.Fault = flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "attestation"})
			return p.PasskeyOffer(set, o)
		},
		"account": func(set forms.Setting) []byte {
			return p.AccountHome(set, forms.AccountHome{Account: a("password"), Name: text, Email: text, Number: true, Password: true, SignOff: "/e/as/signoff"})
		},
		"account-email": func(set forms.Setting) []byte {
			return p.AccountAddress(set, forms.AccountAddress{Account: a("withdrawn"), Current: text})
		},
		"account-no-email": func(set forms.Setting) []byte { return p.AccountAddress(set, forms.AccountAddress{Account: a("")}) },
		"account-email-wrong": func(set forms.Setting) []byte {
			return p.AccountAddress(set, forms.AccountAddress{Account: wrongAddress, Current: text})
		},
		"account-email-code": func(set forms.Setting) []byte {
			return p.AccountAddress(set, forms.AccountAddress{Account: a("sent"), Current: text, Waiting: text})
		},
		"account-email-elsewhere": func(set forms.Setting) []byte {
			return p.AccountAddress(set, forms.AccountAddress{Account: a(""), Current: text, Waiting: text, Elsewhere: true})
		},
		"account-email-limit": func(set forms.Setting) []byte {
			return p.AccountAddress(set, forms.AccountAddress{Account: limited, Current: text, Waiting: text})
		},
		"account-phone": func(set forms.Setting) []byte {
			return p.AccountAddress(set, forms.AccountAddress{Account: a(""), Phone: true, Current: "+15550100"})
		},
		"account-no-phone": func(set forms.Setting) []byte {
			return p.AccountAddress(set, forms.AccountAddress{Account: a(""), Phone: true})
		},
		"account-phone-code": func(set forms.Setting) []byte {
			return p.AccountAddress(set, forms.AccountAddress{Account: a(""), Phone: true, Waiting: "+15550100"})
		},
		"account-phone-fixed": func(set forms.Setting) []byte {
			return p.AccountAddress(set, forms.AccountAddress{Account: a(""), Phone: true, Current: "+15550100", Fixed: true})
		},
		"account-devices":    func(set forms.Setting) []byte { return p.AccountDevices(set, a("removed"), devices) },
		"account-no-devices": func(set forms.Setting) []byte { return p.AccountDevices(set, a(""), nil) },
		"account-device":     func(set forms.Setting) []byte { return p.AccountDevice(set, a("named"), devices[1]) },
		"account-name-wrong": func(set forms.Setting) []byte { return p.AccountDevice(set, wrong, device) },
		"account-remove":     func(set forms.Setting) []byte { return p.AccountRemoval(set, a(""), device, forms.OneOfSeveral) },
		"account-remove-last": func(set forms.Setting) []byte {
			return p.AccountRemoval(set, a(""), device, forms.LastDevice)
		},
		"account-remove-needed": func(set forms.Setting) []byte { return p.AccountRemoval(set, a(""), device, forms.NeededDevice) },
		"account-remove-only":   func(set forms.Setting) []byte { return p.AccountRemoval(set, a(""), devices[1], forms.OnlyPasskey) },
		"account-codes":         func(set forms.Setting) []byte { return p.AccountCodes(set, a(""), true) },
		"account-codes-later":   func(set forms.Setting) []byte { return p.AccountCodes(set, a(""), false) },
		"account-codes-made": func(set forms.Setting) []byte {
			return p.AccountCodesMade(set, a(""), []string{"ABCDE-FGH23", "KLMNP-QRS45", text})
		},
		"account-browsers":    func(set forms.Setting) []byte { return p.AccountBrowsers(set, a("forgotten"), browsers) },
		"account-no-browsers": func(set forms.Setting) []byte { return p.AccountBrowsers(set, a(text), nil) },
		"account-sessions":    func(set forms.Setting) []byte { return p.AccountSessions(set, a("ended"), browsers) },
		"account-profile": func(set forms.Setting) []byte {
			return p.AccountProfile(set, forms.AccountProfile{Account: a("profile"), Given: text, Family: text, Nickname: text, Language: "de", Languages: []string{"de", "en", "es"}})
		},
	}
}

// TestAccountPages: every page of an account keeps the rules of pages, in every
// language, and nothing that people write into it becomes more than text.
func TestAccountPages(t *testing.T) {
	p := pages(t)
	for _, language := range p.Languages() {
		plain := accountPages(p, "Ada")
		for name, draw := range plain {
			t.Run(language+"/"+name, func(t *testing.T) {
				page := draw(acme(language))
				sound(t, page)
				if says := text(t, page); strings.Contains(says, "{") || !strings.Contains(says, "Ada") {
					t.Errorf("it says %q", says)
				}
				for _, evil := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onfocus='x`, "\x00</title>"} {
					if got := accountPages(p, evil)[name](acme(language)); skeleton(t, got) != skeleton(t, page) {
						t.Errorf("%q has become markup: %s", evil, got)
					}
				}
			})
		}
	}
}

// TestBrowserNames: what calls itself many things is called what people call it.
func TestBrowserNames(t *testing.T) {
	p := pages(t)
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0":                                                        "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36":               "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0": "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":         "Safari on macOS",
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36":                  "Chrome on Android",
		"curl/8.5.0": "Unknown browser (curl/8.5.0)",
		"":           "Unknown browser",
	} {
		page := p.AccountSessions(acme("en"), forms.Account{Address: "/e/account"}, []forms.AccountBrowser{{ID: "1", UserAgent: agent}})
		if says := text(t, page); !strings.Contains(says, " "+want+" Signed on ") {
			t.Errorf("%q is not called %q: %s", agent, want, says)
		}
	}
}
