package mfa

import (
	"encoding/base64"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
)

// The purposes of the keys that codes are kept under.
const (
	codePurpose   = "mfa.code"
	makingPurpose = "mfa.make"
)

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// mostTries is how many wrong codes void one, whatever a policy says. Source: cases
// OTP-ATTEMPT-CAP.
const mostTries = 5

// tries is how many answers one code has.
func tries(f mfapolicy.Failure) int {
	if f.Count > 0 && f.Count < mostTries {
		return f.Count
	}
	return mostTries
}

// secretName is what the one live code of a device in an execution is kept under.
func secretName(env, execution, id string) string { return "mfa/" + env + "/" + execution + "/" + id }

// hash binds a code to all that it is good for.
func (s *Service) hash(w Who, id, address, code string) [32]byte {
	return s.o.Keys.Derive(codePurpose, w.Env, w.Flow, id, address, code)
}

// digits makes a code. What a submit has made is the same when it is evaluated again,
// as what it sent is not sent again: then the source is a stream of the key ring's. A
// byte above 249 is passed over, as the digits 0 to 5 would come more often.
func (s *Service) digits(n int, effect string) (string, error) {
	return draw(s.source(effect), "0123456789", n)
}

// source is what secrets of an effect are drawn from.
func (s *Service) source(effect string) io.Reader {
	if effect == "" {
		return s.o.Random
	}
	return &stream{derive: func(i int) [32]byte { return s.o.Keys.Derive(makingPurpose, effect, strconv.Itoa(i)) }}
}

// stream is a key ring's answers one behind the other.
type stream struct {
	derive func(i int) [32]byte
	next   int
	rest   []byte
}

func (r *stream) Read(p []byte) (int, error) {
	for n := range p {
		if len(r.rest) == 0 {
			sum := r.derive(r.next)
			r.rest = sum[:]
			r.next++
		}
		p[n], r.rest = r.rest[0], r.rest[1:]
	}
	return len(p), nil
}

// draw makes a word of an alphabet of at most 256 letters, each as likely as another.
func draw(from io.Reader, alphabet string, n int) (string, error) {
	fair := 256 / len(alphabet) * len(alphabet)
	out := make([]byte, n)
	for i := 0; i < n; {
		if _, err := io.ReadFull(from, out[i:i+1]); err != nil {
			return "", err
		}
		if int(out[i]) < fair {
			out[i] = alphabet[int(out[i])%len(alphabet)]
			i++
		}
	}
	return string(out), nil
}

// mostTyped is the longest code that anybody could type, in bytes.
const mostTyped = 64

// typed is a code without what people put between its parts.
func typed(code string) string {
	if len(code) > mostTyped {
		return ""
	}
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) {
			return -1
		}
		return r
	}, code))
}

// budget is how many wrong answers an account may give in a window, over all its
// devices and executions. Source: cases OTP-NEW-FLOW.
const (
	budgetMost   = 10
	budgetWindow = 15 * time.Minute
)

func (s *Service) budget(w Who) []flow.Limit {
	return []flow.Limit{{Key: "mfa:" + w.Env + ":" + s.account(w), Max: budgetMost, Window: budgetWindow}}
}

// The limits of messages, for an hour. A user has more than one of their destinations,
// so that another device can be asked when one has had enough. Source: cases OTP-RESEND.
const (
	destinationMost = 5
	userMost        = 10
	alertMost       = 1
	messageWindow   = time.Hour
)
