package mfapolicy

import (
	"slices"
	"time"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// readMobile reads mobile. Source: reference/flows.md 8.1; reference/management.md 5.10.
func readMobile(o *document.Object) Mobile {
	m := Mobile{Step: defaultStep, Failure: Failure{defaultCount, defaultCoolDown}}
	in, on := switched(o, "mobile")
	if in.Faults == nil {
		return m
	}
	defer in.End("mobile")
	m.Enabled, m.PairingDisabled, m.PromptForNickname = on, in.Flag("pairingDisabled"), in.Flag("promptForNicknameOnPairing")
	if otp, ok := in.Object("otp"); ok {
		m.Failure = readFailure(&otp)
		if window, ok := otp.Object("window"); ok {
			m.Step = readStep(&window)
			window.End("window")
		}
		otp.End("otp")
	}
	list(&in, "applications", func(of *document.Object) {
		a := readApplication(of)
		if slices.ContainsFunc(m.Applications, func(b MobileApplication) bool { return a.ID != "" && a.ID == b.ID }) {
			of.Faults.AddCode(of.At.Member("id"), flow.UniquenessViolation, "is the id of another application of this policy")
		}
		m.Applications = append(m.Applications, a)
	})
	return m
}

// readStep reads for how long a code that an app shows is the current one.
func readStep(o *document.Object) time.Duration {
	d := length{least: 30 * second, most: minute, otherwise: defaultStep, units: []string{"SECONDS", "MINUTES"}}.read(o, "stepSize")
	if d != 30*second && d != minute {
		o.Wrong("stepSize", "takes 30 or 60 seconds")
		return defaultStep
	}
	return d
}

func readApplication(in *document.Object) MobileApplication {
	defer in.End("an application")
	a := MobileApplication{PushLimit: defaultPushLimit(), PairingKey: true}
	if in.Need("id") {
		a.ID = in.Text("id", nameMost)
	}
	in.Ignore("type") // read only
	if push, on := switched(in, "push"); push.Faults != nil {
		a.Push = on
		if matching, on := switched(&push, "numberMatching"); matching.Faults != nil {
			a.NumberMatching = on
			matching.End("numberMatching")
		}
		push.End("push")
	}
	a.PushTimeout = length{least: 40 * second, most: 150 * second, otherwise: defaultPushTimeout, units: []string{"SECONDS"}}.read(in, "pushTimeout")
	if limit, ok := in.Object("pushLimit"); ok {
		span := length{least: minute, most: 120 * minute, units: []string{"MINUTES", "SECONDS"}}
		a.PushLimit.Count = within(&limit, "count", 1, 50, a.PushLimit.Count)
		span.otherwise = a.PushLimit.Period
		a.PushLimit.Period = span.read(&limit, "timePeriod")
		span.otherwise = a.PushLimit.Lock
		a.PushLimit.Lock = span.read(&limit, "lockDuration")
		limit.End("pushLimit")
	}
	a.PairingKeyLife = length{least: minute, most: 48 * hour, otherwise: defaultPairingKeyLife, units: []string{"MINUTES", "HOURS"}}.read(in, "pairingKeyLifetime")
	a.PairingKey = !in.Flag("pairingDisabled")
	a.Biometrics = in.Flag("biometricsEnabled")
	a.OTP = flagged(in, "otp")
	a.AutoEnrollment = flagged(in, "autoEnrollment")
	if extra, on := switched(in, "deviceAuthorization"); extra.Faults != nil {
		a.DeviceAuthorization = on
		if a.ExtraVerification = extra.One("extraVerification", "disabled", "permissive", "restrictive"); a.ExtraVerification == "disabled" {
			a.ExtraVerification = ""
		}
		extra.End("deviceAuthorization")
	}
	a.Integrity = in.One("integrityDetection", "permissive", "restrictive")
	return a
}

// flagged reads {"enabled": …} and nothing else.
func flagged(o *document.Object, member string) bool {
	in, on := switched(o, member)
	if in.Faults != nil {
		in.End(member)
	}
	return on
}
