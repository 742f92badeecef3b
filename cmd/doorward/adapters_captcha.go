package main

import (
	"crypto/rand"
	"fmt"
	"time"

	"doorward/configs"
	"doorward/runtime/captcha"
	"doorward/runtime/invoke"
)

// captchaTimeout is how long Google may take. Source: it answers within a fraction
// of a second; a person waits for the rest.
const captchaTimeout = 3 * time.Second

// newCaptcha tells people from programs as each environment is set up to.
func newCaptcha(registry func() *configs.Registry) (*captcha.Captcha, error) {
	guard, err := invoke.NewGuard(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("captcha: %w", err)
	}
	google, err := invoke.NewClient(guard, invoke.Service{Origin: captcha.Origin, Timeout: captchaTimeout})
	if err != nil {
		return nil, fmt.Errorf("captcha: %w", err)
	}
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
	return captcha.New(settings, google.HTTP(), rand.Reader), nil
}
