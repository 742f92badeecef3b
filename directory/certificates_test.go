package directory_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/certificate"
	"doorward/runtime/device"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestCertificatesInSQLiteFile(t *testing.T)   { certificatesContract(t, onFile) }
func TestCertificatesInSQLiteMemory(t *testing.T) { certificatesContract(t, inMemory) }
func TestCertificatesInPostgres(t *testing.T)     { certificatesContract(t, onServer) }

// certificatesContract is what certificates do, whatever the directory lies on.
func certificatesContract(t *testing.T, open opener) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, opener){
		"authorities": testAuthorities, "certificates": testCertificates, "standing": testCertificateStanding, "reseal and sweep": testCertificatesResealed,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// registrar is a bench with certificates.
type registrar struct {
	*bench
	certs *directory.Certificates
	made  int
}

func newRegistrar(t *testing.T, open opener) *registrar {
	t.Helper()
	b := newBench(t, open)
	return &registrar{bench: b, certs: directory.NewCertificates(b.db, newRing(), b.now.Now)}
}

// issue keeps a certificate of a user, who has been proven by a device.
func (r *registrar) issue(user, device, pin string) certificate.Issued {
	r.t.Helper()
	got, err := r.certs.Add(r.t.Context(), r.order(user, device, pin))
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

func (r *registrar) order(user, device, pin string) certificate.New {
	r.made++
	return certificate.New{PIN: pin, Most: 3, Issued: certificate.Issued{
		Env: env, UserID: user, ID: uuid.NewString(), Device: device, Generation: 1, Serial: fmt.Sprintf("%x", r.made+100), Thumbprint: [32]byte{byte(r.made)},
		Certificate: []byte{byte(r.made)}, CreatedAt: r.now.Now(), ExpiresAt: r.now.Now().Add(24 * time.Hour),
	}}
}

// revoked are those of the first authority, as serial numbers and reasons.
func (r *registrar) revoked() string {
	r.t.Helper()
	all, err := r.certs.Revoked(r.t.Context(), env, 1)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, c := range all {
		out = append(out, fmt.Sprint(c.Serial, ":", c.Reason))
	}
	return strings.Join(out, " ")
}

func testAuthorities(t *testing.T, open opener) {
	r := newRegistrar(t, open)
	ctx := t.Context()
	if all, err := r.certs.Authorities(ctx, env); err != nil || len(all) > 0 {
		t.Fatal(all, err)
	}
	var wg sync.WaitGroup
	made := make([]bool, 8)
	for i := range made {
		wg.Go(func() {
			a, err := certificate.NewAuthority(env, "Acme", 1, r.now.Now(), r.now.Now())
			if err == nil {
				made[i], err = directory.NewCertificates(r.db, newRing(), r.now.Now).AddAuthority(context.WithoutCancel(ctx), a)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := strings.Count(fmt.Sprint(made), "true"); n != 1 {
		t.Errorf("%d first authorities", n)
	}
	all, err := r.certs.Authorities(ctx, env)
	if err != nil || len(all) != 1 || all[0].Private == nil || all[0].Generation != 1 || !all[0].ActiveAt.Equal(r.now.Now()) || all[0].EndsAt.Before(r.now.Now().Add(9*365*24*time.Hour)) {
		t.Fatalf("%+v %v", all, err)
	}
	other, err := directory.NewCertificates(r.db, newRing(), r.now.Now).Authorities(ctx, env)
	if err != nil || !bytes.Equal(other[0].Certificate, all[0].Certificate) {
		t.Error("two processes have two authorities", err)
	}
	if none, err := r.certs.Authorities(ctx, "other"); err != nil || len(none) > 0 {
		t.Error(none, err)
	}
}

func testCertificates(t *testing.T, open opener) {
	r := newRegistrar(t, open)
	ctx := t.Context()
	ada, bea := r.user(), r.user()
	phone := r.create(ada, device.TOTP, nil).ID
	order := r.order(ada, phone, "4711")
	order.Effect = "e1"
	first, err := r.certs.Add(ctx, order)
	if err != nil {
		t.Fatal(err)
	}
	again := r.order(ada, phone, "0815")
	again.Effect = "e1"
	second, err := r.certs.Add(ctx, again)
	if diff := cmp.Diff(first, second); err != nil || diff != "" {
		t.Errorf("the effect again: %v %s", err, diff)
	}
	for name, row := range map[string]struct{ user, id string }{
		"somebody else's": {bea, first.ID}, "nobody's": {ada, uuid.NewString()}, "one without a PIN": {ada, r.issue(ada, phone, "").ID},
	} {
		if _, err := r.certs.PIN(ctx, env, row.user, row.id); !errors.Is(err, flow.ErrUnknown) {
			t.Errorf("the PIN of %s: %v", name, err)
		}
	}
	for who, want := range map[string]bool{ada: true, bea: false} {
		if has, err := r.certs.HasPIN(ctx, env, who); has != want || err != nil {
			t.Error(who, has, err)
		}
	}
	for range 2 {
		if pin, err := r.certs.PIN(ctx, env, ada, first.ID); pin != "4711" || err != nil {
			t.Error(pin, err)
		}
	}
	got, err := r.certs.Get(ctx, env, ada, first.ID)
	first.Certificate = nil
	want := directory.Certificate{Issued: first, Status: directory.CertificateGood, PIN: true, PINReads: 2, PINReadAt: r.now.Now()}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	_, err = r.certs.Get(ctx, env, bea, first.ID)
	fails(t, err, flow.ErrUnknown)
	fails(t, r.certs.Revoke(ctx, env, bea, first.ID), flow.ErrUnknown)
	r.now.Move(time.Minute)
	if err := errors.Join(r.certs.Revoke(ctx, env, ada, first.ID), r.certs.Revoke(ctx, env, ada, first.ID)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.certs.PIN(ctx, env, ada, first.ID); !errors.Is(err, flow.ErrUnknown) {
		t.Error("a revoked one gives its PIN:", err)
	}
	if has, err := r.certs.HasPIN(ctx, env, ada); has || err != nil {
		t.Error("a revoked one has a PIN:", err)
	}
	if s := r.revoked(); s != first.Serial+":0" {
		t.Error(s)
	}
	var newest []string
	for range 3 { // as many as somebody may have, of four
		r.now.Move(time.Minute)
		newest = append([]string{r.issue(ada, phone, "").ID}, newest...)
	}
	all, err := r.certs.List(ctx, env, ada)
	var good []string
	for _, c := range all {
		if c.Status == directory.CertificateGood {
			good = append(good, c.ID)
		}
	}
	if diff := cmp.Diff(newest, good); err != nil || diff != "" || len(all) != 5 || all[4].Status != directory.CertificateRevoked {
		t.Error(err, diff, len(all))
	}
	if theirs, err := r.certs.List(ctx, env, bea); err != nil || len(theirs) > 0 {
		t.Error(theirs, err)
	}
}

func testCertificateStanding(t *testing.T, open opener) {
	r := newRegistrar(t, open)
	ctx := t.Context()
	user := r.user()
	phone, other := r.create(user, device.TOTP, nil).ID, r.create(user, device.Email, nil).ID
	a, b := r.issue(user, phone, "1"), r.issue(user, other, "2")
	enabled := func(on bool) error { return r.users.SetEnabled(ctx, env, user, on) }
	for _, step := range []struct {
		name    string
		do      func() error
		revoked string
		status  directory.CertificateStatus // of a
	}{
		{"at first", func() error { return nil }, "", directory.CertificateGood},
		{"the device is blocked", func() error { return r.Block(ctx, env, user, phone) }, a.Serial + ":6", directory.CertificateHeld},
		{"and not any more", func() error { return r.Unblock(ctx, env, user, phone) }, "", directory.CertificateGood},
		{"the user is disabled", func() error { return enabled(false) }, a.Serial + ":6 " + b.Serial + ":6", directory.CertificateHeld},
		{"and enabled", func() error { return enabled(true) }, "", directory.CertificateGood},
		{"the device is removed", func() error { return r.Delete(ctx, env, user, phone, nil, "") }, a.Serial + ":5", directory.CertificateRevoked},
		{"the user is deleted", func() error { return r.users.Delete(ctx, env, user) }, a.Serial + ":5 " + b.Serial + ":5", directory.CertificateRevoked},
	} {
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
		got, err := r.certs.Get(ctx, env, user, a.ID)
		if s := r.revoked(); s != step.revoked || err != nil || got.Status != step.status {
			t.Errorf("%s: %q %s %v", step.name, s, got.Status, err)
		}
		_, err = r.certs.PIN(ctx, env, user, a.ID)
		if good := got.Status == directory.CertificateGood; good != (err == nil) {
			t.Errorf("%s: the PIN comes with %v", step.name, err)
		}
	}
	r.now.Move(24 * time.Hour)
	if s := r.revoked(); s != "" {
		t.Error("what has ended is still listed:", s)
	}
}

func testCertificatesResealed(t *testing.T, open opener) {
	r := newRegistrar(t, open)
	ctx := t.Context()
	user := r.user()
	phone := r.create(user, device.Email, nil).ID
	a, err := certificate.NewAuthority(env, "Acme", 1, r.now.Now(), r.now.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.certs.AddAuthority(ctx, a); err != nil {
		t.Fatal(err)
	}
	c := r.issue(user, phone, "canary-4711")
	r.issue(user, phone, "")
	ring := newRing()
	for range 2 {
		if ring, err = ring.Rotate(); err != nil {
			t.Fatal(err)
		}
		if n, err := directory.Reseal(ctx, r.db, ring); n != 2 || err != nil {
			t.Errorf("%d values were sealed anew: %v", n, err)
		}
	}
	next := directory.NewCertificates(r.db, ring, r.now.Now)
	if pin, err := next.PIN(ctx, env, user, c.ID); pin != "canary-4711" || err != nil {
		t.Error(pin, err)
	}
	if all, err := next.Authorities(ctx, env); err != nil || len(all) != 1 {
		t.Error(all, err)
	}
	if _, err := r.certs.PIN(ctx, env, user, c.ID); !errors.Is(err, keys.ErrSealed) {
		t.Error("a generation that is gone opens it:", err)
	}
	private, err := (&keys.SigningKey{Private: a.Private}).MarshalPrivate()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"certificates", "certificate_authorities"} {
		column := map[string]string{"certificates": "pin", "certificate_authorities": "sealed"}[table]
		all, err := r.db.Reader().QueryContext(ctx, `SELECT `+column+` FROM `+table)
		if err != nil {
			t.Fatal(err)
		}
		for all.Next() {
			var b []byte
			if err := all.Scan(&b); err != nil || bytes.Contains(b, []byte("4711")) || bytes.Contains(b, private[len(private)-32:]) {
				t.Errorf("%s lie open: %v", table, err)
			}
		}
		if err := errors.Join(all.Err(), all.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		after time.Duration
		left  string
	}{{23 * time.Hour, "2 1"}, {2 * time.Hour, "0 1"}, {certificate.AuthorityLife, "0 0"}} {
		r.now.Move(step.after)
		if _, err := r.db.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(rows(t, r.db, "certificates"), " ", rows(t, r.db, "certificate_authorities")); got != step.left {
			t.Errorf("after another %v: %s", step.after, got)
		}
	}
}
