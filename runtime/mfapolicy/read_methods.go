package mfapolicy

import (
	"time"

	"doorward/runtime/document"
)

const (
	second = time.Second
	minute = time.Minute
	hour   = time.Hour

	// mostFailures is the most wrong answers in a row that may be let pass. Source:
	// NIST SP 800-63B-4 3.2.2.
	mostFailures   = 100
	mostCoolDown   = 24 * hour // of codes, where the reference names no most
	lockoutSeconds = 31 * 24 * 3600
	parametersMost = 20
)

func seconds(n int) time.Duration { return time.Duration(n) * second }

// readFailure reads how many wrong codes lock. The reference gives it no range but for
// FIDO2; a cool-down of 0 is published.
func readFailure(o *document.Object) Failure {
	f := Failure{Count: defaultCount, CoolDown: defaultCoolDown}
	in, ok := o.Object("failure")
	if !ok {
		return f
	}
	defer in.End("failure")
	in.Need("count")
	f.Count = within(&in, "count", 1, mostFailures, defaultCount)
	f.CoolDown = length{least: second, most: mostCoolDown, none: true, otherwise: defaultCoolDown, units: []string{"SECONDS", "MINUTES"}}.read(&in, "coolDown")
	return f
}

// readSent reads sms, voice or email. Source: reference/flows.md 8.1.
func readSent(o *document.Object, member string) Sent {
	s := Sent{Life: defaultLife, Length: defaultLength, Failure: Failure{defaultCount, defaultCoolDown}}
	in, on := switched(o, member)
	if in.Faults == nil {
		return s
	}
	defer in.End(member)
	s.Enabled, s.PairingDisabled, s.PromptForNickname = on, in.Flag("pairingDisabled"), in.Flag("promptForNicknameOnPairing")
	if on {
		in.Need("otp")
	}
	otp, ok := in.Object("otp")
	if !ok {
		return s
	}
	defer otp.End("otp")
	otp.Need("lifeTime")
	s.Life = length{least: second, most: MostLife, otherwise: defaultLife, units: []string{"MINUTES", "SECONDS"}}.read(&otp, "lifeTime")
	s.Length = within(&otp, "otpLength", 6, 10, defaultLength)
	s.Failure = readFailure(&otp)
	return s
}

// readTOTP reads totp. The grace period stands beside otp, or in it. Source:
// reference/flows.md 8.1; reference/management.md 5.10.
func readTOTP(o *document.Object) TOTP {
	t := TOTP{Grace: defaultGrace, Failure: Failure{defaultCount, defaultCoolDown}}
	in, on := switched(o, "totp")
	if in.Faults == nil {
		return t
	}
	defer in.End("totp")
	t.Enabled, t.PairingDisabled, t.PromptForNickname = on, in.Flag("pairingDisabled"), in.Flag("promptForNicknameOnPairing")
	if otp, ok := in.Object("otp"); ok {
		t.Grace = within(&otp, "passcodeGracePeriod", 1, 10, t.Grace)
		t.Failure = readFailure(&otp)
		otp.End("otp")
	}
	t.Grace = within(&in, "passcodeGracePeriod", 1, 10, t.Grace)
	if uri, ok := in.Object("uriParameters"); ok {
		names := uri.Names()
		if len(names) > parametersMost {
			in.Wrong("uriParameters", "takes at most 20")
			return t
		}
		t.URI = map[string]string{}
		for _, name := range names {
			switch name {
			case "secret", "issuer", "algorithm", "digits", "period":
				uri.Ignore(name)
				uri.Wrong(name, "is set by this server")
			default:
				t.URI[name] = uri.Text(name, nameMost)
			}
		}
	}
	return t
}

// readFIDO2 reads fido2, or the members that it has replaced. Source:
// reference/flows.md 8.1 (numbers), 8.2.
func readFIDO2(o *document.Object) FIDO2 {
	f := FIDO2{Failure: Failure{defaultCount, defaultCoolDown}}
	in, on := switched(o, "fido2")
	if in.Faults != nil {
		f.read(&in, "fido2")
		f.Enabled, f.Platform, f.SecurityKey = on, true, true
	}
	for _, old := range []struct {
		member string
		kind   *bool
	}{{"platform", &f.Platform}, {"securityKey", &f.SecurityKey}} {
		member, lets := switched(o, old.member)
		if member.Faults == nil {
			continue
		}
		was := f
		was.read(&member, old.member)
		if in.Faults == nil { // without fido2 these say it
			policy := f.Policy
			f.PairingDisabled, f.Enabled, *old.kind = was.PairingDisabled, f.Enabled || lets, lets
			if f.Policy = was.Policy; f.Policy == "" {
				f.Policy = policy
			}
		}
	}
	return f
}

func (f *FIDO2) read(in *document.Object, member string) {
	defer in.End(member)
	f.PairingDisabled, f.PromptForNickname = in.Flag("pairingDisabled"), in.Flag("promptForNicknameOnPairing")
	f.Policy = in.Text("fido2PolicyId", nameMost)
	if old := in.Text("fidoPolicyId", nameMost); f.Policy == "" {
		f.Policy = old
	}
	failure, ok := in.Object("failure")
	if !ok {
		return
	}
	defer failure.End("failure")
	f.Failure.Count = within(&failure, "count", 1, 7, defaultCount)
	f.Failure.CoolDown = length{least: 2 * minute, most: 30 * minute, otherwise: defaultCoolDown, units: []string{"MINUTES", "SECONDS"}}.read(&failure, "coolDown")
}

// readOathToken reads oathToken, which is off where it is left out.
func readOathToken(o *document.Object) OathToken {
	t := OathToken{Failure: Failure{defaultCount, defaultCoolDown}}
	in, on := switched(o, "oathToken")
	if in.Faults == nil {
		return t
	}
	defer in.End("oathToken")
	t.Enabled, t.PairingDisabled, t.PromptForNickname = on, in.Flag("pairingDisabled"), in.Flag("promptForNicknameOnPairing")
	if otp, ok := in.Object("otp"); ok {
		t.Failure = readFailure(&otp)
		otp.End("otp")
	}
	return t
}

// readRecovery reads recoveryCode, which is ours and on where it is left out: it is
// what keeps a lost telephone from being the end.
func readRecovery(o *document.Object) Recovery {
	r := Recovery{Enabled: true, Failure: Failure{defaultCount, defaultCoolDown}}
	in, on := switched(o, "recoveryCode")
	if in.Faults == nil {
		return r
	}
	defer in.End("recoveryCode")
	r.Enabled, r.PairingDisabled = on, in.Flag("pairingDisabled")
	r.Failure = readFailure(&in)
	return r
}

// list is the elements of a member that is a list of objects.
func list(o *document.Object, member string, each func(in *document.Object)) {
	for i, raw := range o.List(member, listMost) {
		if in, ok := document.Open(o.At.Member(member).Index(i), raw, o.Faults); ok {
			each(&in)
		}
	}
}
