package configs

import (
	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// The providers of bot defence. PROOF_OF_WORK is ours: the browser does some work
// for this server, and nobody else takes part.
const (
	RecaptchaGoogle      = "GOOGLE"
	RecaptchaProofOfWork = "PROOF_OF_WORK"
)

// Recaptcha is how forms tell people from programs.
type Recaptcha struct {
	Provider  string // RecaptchaGoogle or RecaptchaProofOfWork
	SiteKey   string // public; for RecaptchaGoogle
	SecretKey string // in memory only; for RecaptchaGoogle
}

// Source: reference/management.md 3.6; provider is ours.
type recaptchaDocument struct {
	Provider  string `json:"provider"`
	SiteKey   string `json:"siteKey"`
	SecretKey string `json:"secretKey"`
}

func (d *recaptchaDocument) key() (string, string) { return "", "" }

func (d *recaptchaDocument) check(f *policy.Faults) {
	oneOf(f, "provider", d.Provider, "", RecaptchaGoogle, RecaptchaProofOfWork)
}

// provider is the one that is named, or the one that the keys are for.
func (d *recaptchaDocument) provider() string {
	switch {
	case d.Provider != "":
		return d.Provider
	case d.SiteKey != "":
		return RecaptchaGoogle
	}
	return RecaptchaProofOfWork
}

func recaptchaAcross(_ *tree, e *entry, f *policy.Faults) {
	d, _ := e.doc.(*recaptchaDocument)
	if d.provider() != RecaptchaGoogle {
		return
	}
	for member, value := range map[string]string{"siteKey": d.SiteKey, "secretKey": e.secrets["secretKey"]} {
		if value == "" {
			f.AddCode(root.Member(member), flow.RequiredValue, "is required of the provider "+RecaptchaGoogle)
		}
	}
}
