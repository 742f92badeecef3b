package forms_test

import (
	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
)

// Executions as the engine shows them, each in one status.

const here = "https://auth.example.com/e/signon/?flowId=f"

func said(key, fallback string) flow.Text { return flow.Text{Key: key, Default: fallback} }

func field(name string, t flow.FieldType, autocomplete, key, label string) flow.Field {
	return flow.Field{Name: name, Type: t, Required: true, Autocomplete: autocomplete, Label: said(key, label)}
}

func check() flow.Offer {
	return flow.Offer{Name: "usernamePassword.check", Prompt: said("usernamePassword.check.submit", "Sign on"), Fields: []flow.Field{
		field("username", flow.TypeText, "username", "username.label", "Username"),
		field("password", flow.TypePassword, "current-password", "password.label", "Password"),
	}}
}

func forgot() flow.Offer {
	return flow.Offer{Name: "password.forgot", Prompt: said("password.forgot.submit", "Forgot your password?"), Fields: []flow.Field{
		field("username", flow.TypeText, "username", "recover.username.label", "Username"),
	}}
}

func register() flow.Offer {
	given, family := field("name.given", flow.TypeText, "given-name", "register.given.label", "First name"), field("name.family", flow.TypeText, "family-name", "register.family.label", "Last name")
	given.Required, family.Required = false, false
	return flow.Offer{Name: "user.register", Prompt: said("user.register.submit", "Create account"), Fields: []flow.Field{
		field("username", flow.TypeText, "username", "register.username.label", "Username"),
		field("email", flow.TypeEmail, "email", "register.email.label", "Email address"),
		field("password", flow.TypePassword, "new-password", "register.password.label", "Password"),
		given, family,
	}}
}

func execution(status string, offers ...flow.Offer) forms.SignOn {
	return forms.SignOn{
		Address: here, Application: "Acme Travel", Policy: standard(),
		View: flow.View{Status: status, Token: "tok", Offers: append(offers, flow.Offer{Name: forms.Reset, Prompt: said("session.reset", "Start again")})},
	}
}

// standard is the documented policy with every rule. Source: reference/flows.md 2.3.
func standard() *passwordpolicy.Policy {
	p := &passwordpolicy.Policy{
		MinLength: 8, MaxLength: 255, MinCharacters: map[string]int{}, MaxRepeated: 2, MinUnique: 5, MinComplexity: 7,
		ExcludesCommonlyUsed: true, ExcludesProfileData: true, NotSimilarToCurrent: true,
	}
	for _, a := range passwordpolicy.Alphabets() {
		p.MinCharacters[a] = 1
	}
	p.History.Count = 6
	return p
}

func known(s *forms.SignOn) {
	s.View.User = flow.Subject{ID: "u", Username: "ada@example.com"}
}

// claimed is somebody who typed a name, and nothing more.
func claimed(s *forms.SignOn) { s.View.User = flow.Subject{Username: "ada@example.com"} }

func signOn() forms.SignOn {
	return execution("USERNAME_PASSWORD_REQUIRED", check(), forgot(), register())
}

func lookup() forms.SignOn {
	return execution("SIGN_ON_REQUIRED", flow.Offer{Name: "user.lookup", Prompt: said("user.lookup.submit", "Continue"), Fields: []flow.Field{
		field("username", flow.TypeText, "username", "lookup.username.label", "Username"),
	}}, forgot(), register())
}

func password() forms.SignOn {
	s := execution("PASSWORD_REQUIRED", check(), forgot())
	claimed(&s)
	return s
}

// elsewhere is somebody who is to sign on at a provider.
func elsewhere() forms.SignOn {
	s := execution("EXTERNAL_AUTHENTICATION_REQUIRED")
	claimed(&s)
	s.View.External = &flow.External{Provider: "p", Name: "Partner", Type: "OPENID_CONNECT"}
	s.Elsewhere = "https://auth.example.com/e/rp/authenticate?providerId=p&flowId=f"
	return s
}

// unlinked is somebody who has, and is nobody here yet.
func unlinked() forms.SignOn {
	s := execution("ACCOUNT_LINKING_REQUIRED", check(), forgot())
	claimed(&s)
	s.View.External = &flow.External{Provider: "p", Name: "Partner", Type: "OPENID_CONNECT"}
	return s
}

func expired() forms.SignOn { return change("PASSWORD_EXPIRED") }

func change(status string) forms.SignOn {
	s := execution(status, flow.Offer{Name: "password.reset", Prompt: said("password.reset.submit", "Change password"), Fields: []flow.Field{
		field("currentPassword", flow.TypePassword, "current-password", "change.currentPassword.label", "Current password"),
		field("newPassword", flow.TypePassword, "new-password", "change.newPassword.label", "New password"),
	}})
	known(&s)
	return s
}

func recovery() forms.SignOn {
	s := execution("RECOVERY_CODE_REQUIRED", flow.Offer{Name: "password.recover", Prompt: said("password.recover.submit", "Set password"), Fields: []flow.Field{
		field("recoveryCode", flow.TypeCode, "one-time-code", "recover.code.label", "Recovery code"),
		field("newPassword", flow.TypePassword, "new-password", "recover.newPassword.label", "New password"),
	}}, flow.Offer{Name: "password.sendRecoveryCode", Prompt: said("password.sendRecoveryCode.submit", "Send a new code")})
	claimed(&s)
	return s
}

func verification() forms.SignOn {
	s := execution("VERIFICATION_CODE_REQUIRED", flow.Offer{Name: "user.verify", Prompt: said("user.verify.submit", "Verify"), Fields: []flow.Field{
		field("verificationCode", flow.TypeCode, "one-time-code", "verify.code.label", "Verification code"),
	}}, flow.Offer{Name: "user.sendVerificationCode", Prompt: said("user.sendVerificationCode.submit", "Send a new code")})
	claimed(&s)
	s.View.Address = "j•••@example.com"
	return s
}

func outOfTime() forms.SignOn {
	s := execution(flow.ContinueRequired, flow.Offer{Name: "continue", Prompt: said("page.continue", "Continue")})
	known(&s)
	return s
}

func registration() forms.SignOn {
	s := signOn()
	s.Show = "user.register"
	return s
}

func forgotten() forms.SignOn {
	s := signOn()
	s.Show = "password.forgot"
	return s
}

// refuse is an execution of which the action was refused.
func refuse(s forms.SignOn, action string, details ...flow.Detail) forms.SignOn {
	s.Submitted, s.Fault = action, flow.Invalid(details...)
	return s
}

// inner is a detail with an innerError.
func inner(code, target, member string, value any) flow.Detail {
	return flow.Detail{Code: code, Target: target, Inner: map[string]any{member: value}}
}
