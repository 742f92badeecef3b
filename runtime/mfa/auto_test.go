package mfa_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"strings"
	"testing"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

// pkix is a public key as a device says it.
func pkix(t *testing.T, public any, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	b, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnAppMayEnrolItself(t *testing.T) {
	on256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	right := pkix(t, &on256.PublicKey, err)
	on384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	another := pkix(t, &on384.PublicKey, err)
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	older := pkix(t, &old.PublicKey, err)
	for name, tt := range map[string]struct {
		app  mfapolicy.MobileApplication
		in   mfa.AppEnrolment
		ok   bool
		code flow.Code
	}{
		"that the policy lets":     {mfapolicy.MobileApplication{ID: "app", AutoEnrollment: true}, mfa.AppEnrolment{Application: "app", Key: right, Name: "Phone"}, true, ""},
		"that it does not let":     {mfapolicy.MobileApplication{ID: "app"}, mfa.AppEnrolment{Application: "app", Key: right}, false, ""},
		"that it does not know":    {mfapolicy.MobileApplication{ID: "app", AutoEnrollment: true}, mfa.AppEnrolment{Application: "other", Key: right}, false, ""},
		"with a key of no sort":    {mfapolicy.MobileApplication{ID: "app", AutoEnrollment: true}, mfa.AppEnrolment{Application: "app", Key: []byte("key")}, false, flow.InvalidData},
		"with another curve":       {mfapolicy.MobileApplication{ID: "app", AutoEnrollment: true}, mfa.AppEnrolment{Application: "app", Key: another}, false, flow.InvalidData},
		"with a key of RSA":        {mfapolicy.MobileApplication{ID: "app", AutoEnrollment: true}, mfa.AppEnrolment{Application: "app", Key: older}, false, flow.InvalidData},
		"with a name of two lines": {mfapolicy.MobileApplication{ID: "app", AutoEnrollment: true}, mfa.AppEnrolment{Application: "app", Key: right, Name: "a\nb"}, false, flow.InvalidData},
		"with a name without end":  {mfapolicy.MobileApplication{ID: "app", AutoEnrollment: true}, mfa.AppEnrolment{Application: "app", Key: right, Name: strings.Repeat("a", 101)}, false, flow.InvalidData},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.policy.Mobile.Applications = []mfapolicy.MobileApplication{tt.app}
			tt.in.Who = r.who("f1")
			d, ok, err := r.EnrolApp(t.Context(), tt.in)
			if ok != tt.ok || (err != nil) != (tt.code != "") || err != nil && flow.AsFault(err).Code != tt.code {
				t.Fatalf("%v, %v", ok, err)
			}
			all, err := r.Devices(t.Context(), r.who("f1"))
			if err != nil || (len(all) == 1) != tt.ok {
				t.Fatal(all, err)
			}
			if ok && (d.Type != device.Mobile || d.Status != device.Active || string(d.Key) != string(right) || d.UserID != user || all[0].ID != d.ID) {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestAPairingKeyIsMadeAgain(t *testing.T) {
	r := newRig(t)
	r.policy.Mobile.Applications = []mfapolicy.MobileApplication{{ID: "app", PairingKey: true, PairingKeyLife: 600e9}}
	who := r.who("f1")
	made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: who, Type: device.Mobile, Application: "app"})
	if err != nil {
		t.Fatal(err)
	}
	again, uri, err := r.PairingKey(who, "app")
	if err != nil || again != made.Pairing || again == "" {
		t.Errorf("%q, not %q: %v", again, made.Pairing, err)
	}
	if other, _, err := r.PairingKey(r.who("f1"), "app"); err != nil || other == again {
		t.Errorf("another submit has the same key: %q, %v", other, err)
	}
	if environment, code, err := device.ReadPairingURI(uri); err != nil || code != again || !strings.HasSuffix(environment, "/"+who.Env) {
		t.Errorf("the QR code says %q: %v", uri, err)
	}
}
