package main

import (
	"crypto/rand"
	"net/http"
	"time"

	"doorward/configs"
	"doorward/runtime/captcha"
	"doorward/runtime/invoke"
)

// captchaTimeout is how long Google may take. Source: it answers within a fraction
// of a second; a person waits for the rest.
const captchaTimeout = 3 * time.Second

// recaptchaClient asks Google.
func recaptchaClient(out *invoke.Invoker) *http.Client {
	return out.HTTP(invoke.Target{Name: "recaptcha", Origins: []string{captcha.Origin}, Timeout: captchaTimeout, Concurrent: invoke.PerEnvironment})
}

// newCaptcha tells people from programs as each environment is set up to.
func newCaptcha(registry func() *configs.Registry, google *http.Client) *captcha.Captcha {
	settings := func(env string) (captcha.Settings, bool) {
		b, ok := registry().Bundle(env)
		if !ok {
			return captcha.Settings{}, false
		}
		if r := b.Recaptcha(); r.Provider == configs.RecaptchaGoogle {
			return captcha.Settings{SiteKey: r.SiteKey, SecretKey: r.SecretKey}, true
		}
		return captcha.Settings{}, true
	}
	return captcha.New(settings, google, rand.Reader)
}
