// Package steps lists the step kinds of this build: one constructor call a line,
// written by hand. It is the one file outside a kind's folder that knows it.
package steps

import (
	"doorward/runtime/flow"
	"doorward/steps/agreement"
	"doorward/steps/apirequest"
	"doorward/steps/branch"
	"doorward/steps/call"
	"doorward/steps/change"
	"doorward/steps/complete"
	"doorward/steps/external"
	"doorward/steps/externalinvoke"
	"doorward/steps/form"
	"doorward/steps/identify"
	"doorward/steps/link"
	"doorward/steps/lookup"
	"doorward/steps/mfaautoenrollment"
	"doorward/steps/mfachallenge"
	"doorward/steps/mfaenrollment"
	"doorward/steps/mfamobileenrollment"
	"doorward/steps/passkey"
	"doorward/steps/password"
	"doorward/steps/passwordcheck"
	"doorward/steps/passwordrecover"
	"doorward/steps/passwordreset"
	"doorward/steps/recover"
	"doorward/steps/recoverysend"
	"doorward/steps/register"
	"doorward/steps/terminate"
	"doorward/steps/usercreate"
	"doorward/steps/userlookup"
	"doorward/steps/userpatch"
	"doorward/steps/userread"
	"doorward/steps/verify"
	"doorward/steps/windowslogin"
)

// Parts is what the kinds need from outside. Describing kinds and compiling plans
// needs none of it, running them all.
type Parts struct {
	Passwords     password.Passwords
	Changes       change.Passwords
	Recoveries    recover.Recoveries
	Registrations register.Registrations
	Providers     external.Providers
	Externals     external.Accounts
	Links         link.Links
	Verifications verify.Verifications

	// Of flow definitions.
	UserLookups        userlookup.Users
	UserCreations      usercreate.Accounts
	UserReadings       userread.Users
	UserPatches        userpatch.Users
	PasswordChecks     passwordcheck.Passwords
	PasswordResets     passwordreset.Passwords
	RecoveryMails      recoverysend.Recoveries
	PasswordRecoveries passwordrecover.Recoveries
	Agreements         agreement.Agreements
	Consents           agreement.Consents
	Captcha            form.Captcha
	Terms              form.Agreements
	ExternalServices   externalinvoke.Services
	APIRequests        apirequest.Requests

	// Of devices: each of the first five, and Phones, is runtime/mfa's service.
	Challenges     mfachallenge.Service
	Enrollments    mfaenrollment.Service
	AutoEnrollment mfaautoenrollment.Service
	AppEnrollment  mfamobileenrollment.Service
	Passkeys       passkey.Passkeys
	DevicePolicies mfaenrollment.Policies
	DeviceUsers    mfachallenge.Users
	PasskeyUsers   passkey.Users
	Phones         windowslogin.Phones
	Certificates   windowslogin.Certificates
	PhoneUsers     windowslogin.Users
}

// Builtin returns every step kind.
func Builtin(p Parts) []flow.Kind {
	return []flow.Kind{
		identify.New(),
		lookup.New(),
		external.New(p.Providers, p.Externals),
		link.New(p.Links),
		password.New(p.Passwords, p.Providers),
		change.New(p.Changes),
		recover.New(p.Recoveries),
		register.New(p.Registrations),
		verify.New(p.Verifications),
		form.New(p.Captcha, p.Terms),
		branch.New(),
		call.New(),
		complete.New(),
		terminate.New(),
		userlookup.New(p.UserLookups),
		usercreate.New(p.UserCreations),
		userread.New(p.UserReadings),
		userpatch.New(p.UserPatches),
		passwordcheck.New(p.PasswordChecks),
		passwordreset.New(p.PasswordResets),
		recoverysend.New(p.RecoveryMails),
		passwordrecover.New(p.PasswordRecoveries),
		agreement.NewConsent(p.Agreements, p.Consents),
		agreement.NewReconsent(p.Agreements, p.Consents),
		externalinvoke.New(p.ExternalServices),
		apirequest.New(p.APIRequests),
		mfachallenge.New(p.Challenges, p.DevicePolicies, p.DeviceUsers),
		mfaenrollment.New(p.Enrollments, p.DevicePolicies),
		mfaautoenrollment.New(p.AutoEnrollment),
		mfamobileenrollment.New(p.AppEnrollment),
		passkey.New(p.Passkeys, p.PasskeyUsers),
		windowslogin.New(p.Phones, p.Certificates, p.PhoneUsers),
	}
}
