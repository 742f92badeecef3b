package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorward/internal/nodetest"
	"doorward/internal/redistest"
)

const demoRegistration = "d0000000-0000-4000-8000-000000000103"

// A node that dies between making an account and keeping the step leaves an
// account of which nobody was told. The repeat of the submit, at another node, goes
// on with that one: there are not two, and no second code is mailed.
func TestFaultKillBetweenAccountAndStep(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	o := patient(t, s)
	n := nodetest.Start(t, o)
	o.BaseURL = n.Base
	next := nodetest.Start(t, o)
	db := openFile(t, o.DB)
	var w *witness
	var d deed
	var name string
	accounts := func() int {
		return number(t, db, `SELECT COUNT(*) FROM users WHERE username = '`+name+`' OR email = '`+name+`@example.com'`)
	}
	mails := func() int { return number(t, db, `SELECT COUNT(*) FROM outbox`) }

	// The submit has its lease when Redis stops taking what is written: a password is
	// hashed for longer than that takes, unless this test stands still meanwhile.
	var answered chan error
	var before int
	var version uint64
	for tries := 0; ; tries++ {
		w, name = at(n), fmt.Sprint("lin", tries)
		d = registers(t, w, name)
		answered, before, version = make(chan error, 1), mails(), stored(t, s, w.flow)
		go func() {
			_, err := w.do(d)
			answered <- err
		}()
		within(t, 5*time.Second, "the lease", func() bool { return len(s.Client().Keys(t.Context(), "l:*").Val()) > 0 || len(answered) > 0 })
		if err := s.Client().Do(t.Context(), "CLIENT", "PAUSE", "20000", "WRITE").Err(); err != nil {
			t.Fatal(err)
		}
		if stored(t, s, w.flow) == version || tries == 4 {
			break
		}
		if err := s.Client().Do(t.Context(), "CLIENT", "UNPAUSE").Err(); err != nil {
			t.Fatal(err)
		}
		t.Logf("the submit was quicker: %v", <-answered)
	}
	within(t, 5*time.Second, "the account", func() bool { return accounts() > 0 })
	n.Kill()
	if err := <-answered; err == nil {
		t.Fatal("the node answered before it died")
	}
	if err := s.Client().Do(t.Context(), "CLIENT", "UNPAUSE").Err(); err != nil {
		t.Fatal(err)
	}
	if now := stored(t, s, w.flow); now != version {
		t.Fatalf("the step was kept: version %d, before %d", now, version)
	}
	w.send = newDoor(next).send
	a, err := w.insist(d)
	if err != nil || a.status != http.StatusOK || member(a.body, "status") != verify {
		t.Fatalf("the repeat: %v, %v", a, err)
	}
	if got := accounts(); got != 1 {
		t.Errorf("%d accounts", got)
	}
	sent := mails() - before
	w.must(t, execution(w.submit("user.verify", `{"verificationCode":"ABCD2345"}`)), http.StatusBadRequest)
	undisturbed := at(next)
	undisturbed.must(t, registers(t, undisturbed, "kim"), http.StatusOK)
	if usual := mails() - before - sent; sent != usual {
		t.Errorf("%d mails were written, and for an account that nothing disturbs %d", sent, usual)
	}
}

// registers begins the registration of the demo and is the submit of its form.
func registers(t *testing.T, w *witness, name string) deed {
	t.Helper()
	begun := w.must(t, deed{
		method: http.MethodPost, path: "/" + nodetest.Env + "/experiences/" + demoRegistration, media: "application/json",
		body: fmt.Sprintf(`{"redirectUri":%q}`, w.base+"/demo/journeys/callback"),
	}, http.StatusCreated)
	w.flow = member(begun.body, "id")
	return execution(w.submit("form.submit", fmt.Sprintf(`{"user":{"username":"%[1]s","email":"%[1]s@example.com","password":"Correct-Relay-7","passwordVerify":"Correct-Relay-7"}}`, name)))
}

// execution is a deed on an execution of a flow definition.
func execution(d deed) deed {
	d.path = strings.Replace(d.path, "/flows/", "/flowExecutions/", 1)
	return d
}
