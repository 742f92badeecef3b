package main_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

const wrongKey = "INVALID_VALUE@assertion"

// What was signed is good once: not again in its flow, not in another one of the
// same person, not by another browser, and not after a wrong answer, which ends the
// challenge. Source: WebAuthn level 3, 7.2, 13.4.3.
func TestSec_WA_REPLAY(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	k := r.key()
	f := r.asked("", asserting)
	body := k.assertion(options(f))
	cookie := "ST=" + f.ST(guardedEnv)
	answers := atOnce(16, func(i int) *visit.Answer { return f.Via(i%2).Act("assertion.check", body, "Cookie", cookie) })
	if got := answers[0].Flow(); got.Status != completed {
		t.Fatalf("with a passkey the flow is in %s", got.Status)
	}
	x.same(answers)
	x.happened(f, "MFA.CHECK_SUCCEEDED", 1)
	x.happened(f, "MFA.REPLAYED", 0)
	x.same(append(answers, f.Act("assertion.check", body, "Cookie", cookie))) // a repeat is answered, and not evaluated
	x.happened(f, "MFA.CHECK_SUCCEEDED", 1)

	again := r.asked("", asserting)
	again.Act("assertion.check", body).Refused(400, "INVALID_DATA", wrongKey)
	x.kept(again, asserting)
	f.As(x.browser()).Act("assertion.check", body).Refused(404, "NOT_FOUND")

	x.forgive()
	before := options(again) // that a wrong answer follows
	again.Act("assertion.check", k.assertion(before, func(s *signing) { s.counter, s.client["origin"] = 9, "https://evil.tld" })).Refused(400, "INVALID_DATA", wrongKey)
	again.Act("assertion.check", k.assertion(before, func(s *signing) { s.counter = 9 })).Refused(400, "INVALID_DATA", wrongKey)
	x.kept(again, asserting)
	x.forgive()
	k.counter = 9
	x.done(again, k.signs(again))

	x.part("of the hosted page's passkeys", func() { // whose challenge is nobody's
		door := r.begin("Passwordless")
		first := options(door)
		if len(first.Allow) != 0 || first.Challenge == "" || options(door).Challenge != first.Challenge {
			t.Errorf("the door asks with %+v", first)
		}
		k.counter++
		signed := k.assertion(first)
		if other := r.begin("Passwordless"); other.Act("assertion.check", signed).Status != 400 {
			t.Error("what was signed for one flow signs on in another")
		}
		x.done(door, door.Act("assertion.check", signed))
	})
}

// Where an answer was made is what was signed, against a list; what the body says is
// never enough. Source: WebAuthn level 3, 7.2; FIDO conformance, Resp-2.
func TestSec_WA_ORIGIN(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	k := r.key()
	f := r.asked("", asserting)
	for name, c := range map[string]change{
		"the body is right and what was signed is not": func(s *signing) { s.client["origin"] = "https://evil.tld" },
		"what was signed is right and the body is not": func(s *signing) { s.origin = "https://evil.tld" },
		"both are wrong":       func(s *signing) { s.client["origin"], s.origin = "https://evil.tld", "https://evil.tld" },
		"begins like it":       func(s *signing) { s.client["origin"] = guardedPage + ".evil.tld" },
		"below it":             func(s *signing) { s.client["origin"] = "https://evil.app.guarded.example" },
		"the party's own name": func(s *signing) { s.client["origin"], s.origin = "https://guarded.example", "https://guarded.example" },
		"not encrypted":        func(s *signing) { s.client["origin"] = "http://app.guarded.example" },
		"another port":         func(s *signing) { s.client["origin"] = guardedPage + ":444" },
		"in capitals":          func(s *signing) { s.client["origin"] = "https://APP.guarded.example" },
		"a dot behind it":      func(s *signing) { s.client["origin"] = guardedPage + "." },
		"null":                 func(s *signing) { s.client["origin"] = nil },
		"the text null":        func(s *signing) { s.client["origin"] = "null" },
		"empty":                func(s *signing) { s.client["origin"] = "" },
		"an application":       func(s *signing) { s.client["origin"] = "android:apk-key-hash:AQIDBAUGBwgJCgsMDQ4PEBESExQ" },
		"a page in a page":     func(s *signing) { s.client["crossOrigin"] = true },
		"on top of it another": func(s *signing) { s.client["topOrigin"] = "https://evil.tld" },
		"another environment":  func(s *signing) { s.client["origin"], s.origin = twinPage, twinPage },
	} {
		x.part(name, func() {
			k.signs(f, c).Refused(400, "INVALID_DATA", wrongKey)
			x.forgive()
		})
	}
	x.kept(f, asserting)
	x.done(f, k.signs(f))
	x.part("the hosted pages' own origin", func() {
		g := r.asked("", asserting)
		x.done(g, k.signs(g, func(s *signing) { s.client["origin"], s.origin = x.site.Base, x.site.Base }))
	})
}

// The ceremony, the relying party and the flags are those that were asked for. Source:
// WebAuthn level 3, 7.2; FIDO conformance, Resp-3.
func TestSec_WA_FLAGS(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	k := r.key()
	f := r.asked("Strict", asserting)
	if o := options(f); o.UserVerification != "required" || len(o.Allow) != 1 || o.Allow[0].ID != plain(k.id) || o.RPID != guardedRP {
		t.Errorf("asked with %+v", o)
	}
	for name, c := range map[string]change{
		"an enrolment":              func(s *signing) { s.client["type"] = "webauthn.create" },
		"another relying party":     func(s *signing) { s.rp = "evil.tld" },
		"another environment's":     func(s *signing) { s.rp = twinRP },
		"the page's own host":       func(s *signing) { s.rp = "app.guarded.example" },
		"nobody touched it":         func(s *signing) { s.flags = verified },
		"nobody was verified":       func(s *signing) { s.flags = present },
		"backed up, not to be":      func(s *signing) { s.flags |= backedUp },
		"to be backed up, suddenly": func(s *signing) { s.flags |= eligible },
		"a key is missing":          func(s *signing) { s.flags |= attested },
		"extensions are missing":    func(s *signing) { s.flags |= extended },
		"a byte behind":             func(s *signing) { s.tail = []byte{0} },
		"36 bytes":                  func(s *signing) { s.data = make([]byte, 36) },
	} {
		x.part(name, func() {
			k.signs(f, c).Refused(400, "INVALID_DATA", wrongKey)
			x.forgive()
		})
	}
	x.kept(f, asserting)
	if claims := x.done(f, k.signs(f)); claims["acr"] != "Strict" {
		t.Errorf("acr is %v", claims["acr"])
	}
}

// A key that has not verified the person is one factor, where that is let, and no
// more. Source: Kratos 8eee972d8 (passkeys are not AAL2).
func TestSec_WA_FLAGS_unverified(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	k := r.key()
	weak := func(s *signing) { s.flags = present }
	x.part("preferred: it is the second factor", func() {
		g := r.asked("", asserting)
		claims := x.done(g, k.signs(g, weak))
		if amr := fmt.Sprint(claims["amr"]); strings.Contains(amr, "user") || !strings.Contains(amr, "pwd") {
			t.Errorf("amr is %s", amr)
		}
	})
	x.part("preferred: it is no more than one", func() {
		g := r.begin("Passwordless")
		if got := k.signs(g, weak).Flow(); got.Status != bound || got.Embedded.User.Username != r.name {
			t.Fatalf("a key that verified nobody leads to %s for %q", got.Status, got.Embedded.User.Username)
		}
		x.kept(g, bound)
		x.done(g, g.Password("", r.pwd))
		h := r.begin("Passwordless")
		if amr := fmt.Sprint(x.done(h, k.signs(h))["amr"]); strings.Contains(amr, "pwd") {
			t.Errorf("amr without a password is %s", amr)
		}
	})
}

// Nor is a credential taken that was not made here, for this, by somebody.
func TestSec_WA_FLAGS_enrolment(t *testing.T) {
	x := newTrial(t)
	g := x.lodger().asked("", enrolling)
	for name, c := range map[string]change{
		"a sign-on":             func(s *signing) { s.client["type"] = "webauthn.get" },
		"another relying party": func(s *signing) { s.rp = "evil.tld" },
		"nobody touched it":     func(s *signing) { s.flags = 0 },
		"another page":          func(s *signing) { s.client["origin"] = "https://evil.tld" },
		"another challenge":     func(s *signing) { s.client["challenge"] = plain(make([]byte, 32)) },
	} {
		x.part(name, func() {
			at := g.Get().Flow()
			if at.Status == enrolling {
				at = g.Act("device.create", map[string]string{"type": "FIDO2"}).Flow()
			}
			g.Act("device.activate", x.newStick().attestation(at.Creation, c)).Refused(400, "INVALID_DATA", "INVALID_VALUE@attestation")
		})
	}
	x.kept(g, activating)
	x.done(g, g.Act("device.activate", x.newStick().attestation(g.Get().Flow().Creation)))
}

// A counter that does not go up is refused, told and marked, and what is kept never
// goes down. Source: WebAuthn level 3, 6.1.1, 7.2 step 22.
func TestSec_WA_COUNTER(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	k := r.key(func(s *signing) { s.counter = 10 })
	answer := func(counter uint32) *visit.Answer {
		k.counter = counter - 1
		return k.signs(r.asked("", asserting))
	}
	if got := answer(11).Flow(); got.Status != completed {
		t.Errorf("a counter that goes up leads to %s", got.Status)
	}
	suspected := x.recorded("WEBAUTHN.CLONE_SUSPECTED")
	for i, counter := range []uint32{11, 10, 0} {
		answer(counter).Refused(400, "INVALID_DATA", wrongKey)
		x.await(func() bool { return x.recorded("WEBAUTHN.CLONE_SUSPECTED") == suspected+i+1 })
		x.forgive()
	}
	if n := x.recorded("WEBAUTHN.CLONE_SUSPECTED") - suspected; n != 3 || k.signCount() != 11 {
		t.Errorf("%d suspicions; the counter is at %d", n, k.signCount())
	}
	alert := func(s string) bool { return !strings.Contains(s, "added") }
	if !x.await(func() bool { return slices.ContainsFunc(r.told(), alert) }) {
		t.Errorf("the owner was told %q", r.told())
	}
	if !strings.Contains(x.column(`SELECT credential FROM devices WHERE id = '`+k.device+`'`), `"suspected":true`) {
		t.Error("the credential is not marked")
	}

	one, two := r.asked("", asserting), r.asked("", asserting)
	bodies := []map[string]any{}
	for i, f := range []*visit.Flow{one, two} {
		bodies = append(bodies, k.assertion(options(f), func(s *signing) { s.counter = uint32(12 + i) }))
	}
	won := 0
	for _, a := range atOnce(2, func(i int) *visit.Answer { return []*visit.Flow{one, two}[i].Via(i).Act("assertion.check", bodies[i]) }) {
		if a.Status == 200 {
			won++
		}
	}
	if n := k.signCount(); won == 0 || n != 13 {
		t.Errorf("of 12 and 13 at once %d won, and the counter is at %d", won, n)
	}
	x.forgive()
	answer(math.MaxUint32).Is(200)
	answer(5).Refused(400, "INVALID_DATA", wrongKey)
	if n := k.signCount(); n != math.MaxUint32 {
		t.Errorf("the counter is at %d", n)
	}
	s := x.lodger()
	still := s.key()
	for range 2 {
		f := s.asked("", asserting)
		x.done(f, f.Act("assertion.check", still.assertion(options(f))))
	}
	x.forgive()
}
