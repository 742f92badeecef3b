package main_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	visit "doorward/internal/journey"
)

// The environments of testdata/config that ask for second factors: one with the same
// sort of things in it stands beside, on the same host.
const (
	guardedEnv = "e6000000-0000-4000-8000-000000000001"
	twinEnv    = "e7000000-0000-4000-8000-000000000001"

	guardedRP   = "guarded.example"
	guardedPage = "https://app.guarded.example"
	twinRP      = "twin.example"
	twinPage    = "https://app.twin.example"
)

// The applications of testdata/config/guarded and testdata/config/twin.
var (
	lodge     = visit.App{Env: guardedEnv, ID: "e6000000-0000-4000-8000-0000000000a1", Secret: "guarded-lodge-secret-41b7", RedirectURI: guardedPage + "/cb"}      // Multi_Factor, Single_Factor, Strict, Factor_First, Passwordless
	gate      = visit.App{Env: guardedEnv, ID: "e6000000-0000-4000-8000-0000000000a2", Secret: "guarded-gate-secret-0c93", RedirectURI: "https://gate.example/cb"} // Multi_Factor
	twinLodge = visit.App{Env: twinEnv, ID: "e7000000-0000-4000-8000-0000000000a1", Secret: "twin-lodge-secret-41b7", RedirectURI: twinPage + "/cb"}               // Multi_Factor, Single_Factor

	guardedAdmin = visit.App{Env: guardedEnv, ID: "e6000000-0000-4000-8000-0000000000d1", Secret: "guarded-admin-secret-93fe"}
	twinAdmin    = visit.App{Env: twinEnv, ID: "e7000000-0000-4000-8000-0000000000d1", Secret: "twin-admin-secret-93fe"}
)

const guardedApp = "e6000000-0000-4000-8000-0000000000a3" // what devices run

// The statuses of steps that ask for devices.
const (
	coding     = "OTP_REQUIRED"
	asserting  = "ASSERTION_REQUIRED"
	selecting  = "DEVICE_SELECTION_REQUIRED"
	enrolling  = "DEVICE_ENROLLMENT_REQUIRED"
	activating = "ACTIVATION_REQUIRED"
	pairing    = "PAIRING_REQUIRED"
)

// lodger is somebody of an environment that asks for second factors.
type lodger struct {
	x                   *trial
	admin               *manager
	app                 visit.App
	id, name, mail, pwd string
}

var guests atomic.Int64 // so that no two tests meet the same person

// lodger makes somebody without devices.
func (x *trial) lodger() *lodger {
	x.Helper()
	return x.lodgerOf(lodge, guardedAdmin)
}

func (x *trial) lodgerOf(app, admin visit.App) *lodger {
	x.Helper()
	name := fmt.Sprintf("guest-%d-%d", guests.Add(1), time.Now().UnixNano()%1e9)
	r := &lodger{x: x, admin: x.manager(admin), app: app, name: name, mail: name + "@fourth.example", pwd: "Guest-Right-Horse-" + name}
	r.id = r.admin.user(name, r.pwd)
	return r
}

func (r *lodger) devices() string { return "/users/" + r.id + "/devices" }

// add adds a device by the management API.
func (r *lodger) add(body map[string]any) map[string]any {
	r.x.Helper()
	return r.x.mustJSON(r.admin.do(http.MethodPost, r.devices(), body).Is(201).Body)
}

// postbox is a device to which codes are mailed, and its id.
func (r *lodger) postbox() string {
	r.x.Helper()
	id, _ := r.add(map[string]any{"type": "EMAIL", "email": r.mail, "status": "ACTIVE"})["id"].(string)
	return id
}

// app computes codes. Its first one has been used up to activate it.
type app struct {
	id   string
	seed []byte
	used int64 // the step of it
}

const stepTime = 30 * time.Second

func (r *lodger) authenticator() *app {
	r.x.Helper()
	made := r.add(map[string]any{"type": "TOTP"})
	text, _ := made["secret"].(string)
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || len(seed) < 16 {
		r.x.Fatalf("a seed of %d bytes: %v", len(seed), err)
	}
	r.x.trail.Secret("seed", text)
	r.x.trail.Secret("seed", string(seed))
	a := &app{seed: seed, used: time.Now().Unix() / int64(stepTime/time.Second)}
	a.id, _ = made["id"].(string)
	r.admin.act(http.MethodPost, r.devices()+"/"+a.id, "device.activate", map[string]any{"otp": a.code(a.used)}).Is(200)
	return a
}

// code is that of a step. Source: RFC 4226 5.3.
func (a *app) code(step int64) string {
	mac := hmac.New(sha1.New, a.seed)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%1_000_000)
}

// next is a code that is good once from now on: the step after the last one. A step
// ahead of the clock is as good as the one it is.
func (a *app) next(x *trial) string {
	x.Helper()
	now := time.Now().Unix() / int64(stepTime/time.Second)
	if a.used > now { // as if the time had passed
		x.exec(`UPDATE devices SET step = $1 WHERE id = $2`, now-1, a.id)
		a.used = now - 1
	}
	a.used = max(now, a.used+1)
	return a.code(a.used)
}

// wrong is a code that is not right for minutes.
func (a *app) wrong() string {
	now := time.Now().Unix() / int64(stepTime/time.Second)
	for n := 0; ; n++ {
		guess, near := fmt.Sprintf("%06d", n), false
		for step := now - 6; step <= now+6; step++ {
			near = near || a.code(step) == guess
		}
		if !near {
			return guess
		}
	}
}

// recoveryCodes are those of a list that is shown once.
func (r *lodger) recoveryCodes() (id string, codes []string) {
	r.x.Helper()
	made := r.add(map[string]any{"type": "RECOVERY_CODE", "status": "ACTIVE"})
	list, _ := made["recoveryCodes"].([]any)
	for _, v := range list {
		s, _ := v.(string)
		r.x.trail.Secret("recovery code", strings.ReplaceAll(s, "-", ""))
		codes = append(codes, s)
	}
	id, _ = made["id"].(string)
	return id, codes
}

// begin is a new browser's flow: of an application that wants two factors and nothing
// else, or of the one that may be asked for a policy.
func (r *lodger) begin(acr string) *visit.Flow {
	r.x.Helper()
	if acr == "" && r.app.Env == guardedEnv {
		return r.x.browser().Start(gate.Ask())
	}
	return r.x.browser().Start(r.app.Ask("acr_values", acr))
}

// asked is a flow whose first factor is given, and what it waits for.
func (r *lodger) asked(acr, status string, header ...string) *visit.Flow {
	r.x.Helper()
	f := r.begin(acr)
	if got := f.Password(r.name, r.pwd, header...).Flow(); got.Status != status {
		r.x.Fatalf("after the password the flow is in %s, want %s", got.Status, status)
	}
	return f
}

// code is the one that was mailed last, which is a secret from now on.
func (r *lodger) code() string {
	r.x.Helper()
	for range 8 { // there may be a notice before it
		if m := r.x.mailed(r.mail); m.Code() != "" {
			if len(m.Code()) != 10 {
				r.x.Fatalf("a code of %d digits", len(m.Code()))
			}
			return m.Code()
		}
	}
	r.x.Fatal("no mail has a code")
	return ""
}

// told are the subjects of the notices that a lodger has got.
func (r *lodger) told() (out []string) {
	for _, m := range r.x.mail.All() {
		if strings.EqualFold(m.To, r.mail) && m.Code() == "" {
			out = append(out, m.Subject)
		}
	}
	return out
}

func otp(code string) map[string]string { return map[string]string{"otp": code} }

// counted is how many wrong answers stand against a device, or by "mfa/" and the id
// of a user, against all of theirs.
func (x *trial) counted(key string) (n int) {
	x.Helper()
	if err := x.db.QueryRowContext(x.Context(), `SELECT COALESCE(SUM(count), 0) FROM failures WHERE env = $1 AND key = $2`, guardedEnv, key).Scan(&n); err != nil {
		x.Fatal(err)
	}
	return n
}

// forgive forgets all wrong answers, as the time does.
func (x *trial) forgive() {
	x.Helper()
	x.exec(`DELETE FROM failures WHERE env IN ($1, $2)`, guardedEnv, twinEnv)
	x.exec(`DELETE FROM mail_counts WHERE env IN ($1, $2)`, guardedEnv, twinEnv)
	for _, k := range x.redisKeys() {
		if strings.HasPrefix(k, "r:") {
			x.redis.Client().Del(context.Background(), k)
		}
	}
}

// done holds that a flow is completed, and returns the claims that it leads to.
func (x *trial) done(f *visit.Flow, a *visit.Answer) map[string]any {
	x.Helper()
	if got := a.Flow().Status; got != completed {
		x.Fatalf("the flow is in %s", got)
	}
	return x.claims(f)
}

// kept holds that a flow gives no code, and stands where it stood.
func (x *trial) kept(f *visit.Flow, status string) {
	x.Helper()
	if got := f.Get().Flow().Status; got != status {
		x.Errorf("the flow is in %s, want %s", got, status)
	}
	if a := f.Resume(); a.Code() != "" {
		x.Error("a code for half a sign-on")
	}
}
