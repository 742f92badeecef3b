package windowslogin_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

const (
	selecting = "DEVICE_SELECTION_REQUIRED"
	coding    = "OTP_REQUIRED"
	pushing   = "PUSH_CONFIRMATION_REQUIRED"
	pushed    = "PUSH_CONFIRMATION_TIMED_OUT"
	resuming  = "AUTHENTICATION_RESUME_REQUIRED"
)

func TestTheDocumentedOrder(t *testing.T) {
	w := newTown()
	v := w.visit(t, "ada")
	v.enter()
	if offers, shown := v.seen(); offers != "device.select authentication.poll otp.check" || !strings.Contains(shown, `"number":"42"`) || strings.Contains(shown, "d1") {
		t.Errorf("%s %s", offers, shown)
	}
	v.leads("authentication.poll", nil, pushing)
	w.push = device.PushApproved
	if due, err := v.kind.Due(t.Context(), v.turn()); !due || err != nil {
		t.Error(due, err)
	}
	v.leads("authentication.poll", nil, resuming)
	if v.user.ID != "u1" || len(v.proofs) != 1 || v.proofs[0].Authenticator != "d1" {
		t.Error(v.user, v.proofs)
	}
	if offers, shown := v.seen(); offers != "authentication.resume certificate.create" || shown != "{}" {
		t.Error(offers, shown)
	}
	v.leads("certificate.create", flow.Values{"csr": "request", "pin": "4711"}, resuming)
	if o := w.orders[0]; o.UserID != "u1" || o.Username != "ada" || o.Device != "d1" || o.Request != "request" || o.PIN != "4711" || o.Effect == "" {
		t.Errorf("%+v", o)
	}
	offers, shown := v.seen()
	if offers != "authentication.resume certificate.readPin" || shown != `{"certificate":{"id":"c1","pem":"leaf","chain":"ca","expiresAt":"1970-01-01T00:33:20.000Z"}}` {
		t.Error(offers, shown)
	}
	v.leads("certificate.readPin", flow.Values{"certificate": map[string]any{"id": "c1"}}, resuming)
	if len(v.once) != 1 || string(v.once[0].JSON) != `{"certificate":{"id":"c1"},"value":"4711"}` || strings.Contains(string(v.state), "4711") {
		t.Errorf("%+v %s", v.once, v.state)
	}
	out, err := v.does("authentication.resume", nil)
	got, _ := json.Marshal(out.Outputs)
	if err != nil || out.Name != "SUCCEEDED" || string(got) != `{"pingIdDevice":{"id":"d1"}}` {
		t.Error(out.Name, string(got), err)
	}
	for _, e := range []flow.EventType{flow.PushSent, flow.DeviceAccepted, flow.CertificateIssued, flow.PINRead} {
		if !slices.Contains(v.events, e) {
			t.Errorf("%s is not recorded: %v", e, v.events)
		}
	}
}

// TestNobodyLearnsWhoIsThere: what is shown and answered of somebody, of somebody without
// a phone, and of nobody.
func TestNobodyLearnsWhoIsThere(t *testing.T) {
	var told []string
	for _, name := range []string{"ada", "bea", "zoe"} {
		w := newTown()
		v := w.visit(t, name)
		out := v.enter()
		_, shown := v.seen()
		got := []string{out.Status, shown}
		act := func(action string, in flow.Values) {
			out, err := v.does(action, in)
			offers, shown := v.seen()
			got = append(got, action, out.Status, offers, shown)
			if err != nil {
				t.Fatal(name, action, err)
			}
			if out.Fault != nil {
				got = append(got, out.Fault.Error())
			}
		}
		act("otp.check", flow.Values{"otp": "000000"})
		act("device.select", flow.Values{"device.id": "another's"})
		var members struct{ SelectedDevice struct{ ID string } }
		if err := json.Unmarshal([]byte(shown), &members); err != nil || members.SelectedDevice.ID == "" {
			t.Fatal(shown, err)
		}
		act("device.select", flow.Values{"device.id": members.SelectedDevice.ID})
		if last := w.asked[len(w.asked)-1]; last.Device.ID != "" || last.Instead == nil || !last.Unproven {
			t.Errorf("%+v", last)
		}
		act("authentication.poll", nil)
		w.push = device.PushGone
		act("authentication.poll", nil)
		if v.person.Username != name || v.user.ID != "" {
			t.Error(v.person, v.user)
		}
		if told == nil {
			told = got
		}
		if !slices.Equal(got, told) {
			t.Errorf("%s is told\n%q\nand ada\n%q", name, got, told)
		}
	}
}

func TestACodeProves(t *testing.T) {
	w := newTown()
	v := w.visit(t, "ada")
	v.enter()
	v.leads("otp.check", flow.Values{"otp": "000000"}, pushing)
	v.leads("otp.check", flow.Values{"otp": right}, resuming)
	if v.user.ID != "u1" {
		t.Errorf("it proves %v", v.user)
	}
	w = newTown()
	v = w.visit(t, "ada")
	v.enter()
	w.push = device.PushGone
	v.leads("poll", nil, pushed)
	v.leads("otp.check", flow.Values{"otp": right}, resuming)
}

func TestWhoIsKnownChooses(t *testing.T) {
	known := func(w *town) *visit {
		v := w.visit(t, "ada")
		v.user, v.proven = w.account.Subject, true
		return v
	}
	w := newTown()
	w.devices = append(w.devices, device.Device{ID: "d2", UserID: "u1", Type: device.TOTP}, device.Device{ID: "d3", UserID: "u1", Type: device.SMS})
	v := known(w)
	if out := v.enter(); out.Status != pushing {
		t.Fatal(out)
	}
	if _, shown := v.seen(); !strings.Contains(shown, `"d2"`) || strings.Contains(shown, `"d3"`) || !strings.Contains(shown, `"selectedDevice":{"id":"d1"}`) {
		t.Error(shown)
	}
	v.leads("device.select", flow.Values{"device": map[string]any{"id": "d2"}}, coding)
	if offers, _ := v.seen(); offers != "otp.check device.select" {
		t.Error(offers)
	}
	if _, err := v.does("device.select", flow.Values{"device.id": "d3"}); flow.AsFault(err).Code != flow.InvalidData {
		t.Error(err)
	}
	w.locks = true
	v.leads("otp.check", flow.Values{"otp": "0"}, selecting)
	if _, shown := v.seen(); !strings.Contains(shown, "DEVICE_LOCKED") {
		t.Error(shown)
	}
	w.devices = []device.Device{{ID: "d3", Type: device.SMS}}
	for name, row := range map[string]struct {
		prepare func(w *town, v *visit)
		code    string
	}{
		"no phone":          {func(w *town, _ *visit) { w.devices = w.devices[:0] }, "NO_USABLE_DEVICES"},
		"somebody else":     {func(_ *town, v *visit) { v.name = "bea" }, "USER_MISMATCH"},
		"nobody":            {func(_ *town, v *visit) { v.name = "zoe" }, "USER_MISMATCH"},
		"no name":           {func(_ *town, v *visit) { v.name = "" }, "INVALID_DATA"},
		"a name of a novel": {func(_ *town, v *visit) { v.name = strings.Repeat("x", 129) }, "INVALID_DATA"},
	} {
		w := newTown()
		v := known(w)
		row.prepare(w, v)
		if out := v.enter(); out.Failure == nil || out.Failure.Code != row.code {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

func TestRefusalsOnThePhone(t *testing.T) {
	w := newTown()
	v := w.visit(t, "ada")
	v.user, v.proven = w.account.Subject, true
	v.enter()
	w.push = device.PushRejected
	if out, err := v.does("authentication.poll", nil); err != nil || out.Failure == nil || out.Failure.Code != "PUSH_REJECTED" {
		t.Error(out, err)
	}
	for name, row := range map[string]struct {
		change func(w *town)
		code   string
	}{
		"disabled":   {func(w *town) { w.account.Disabled = true }, "ACCOUNT_DISABLED"},
		"unverified": {func(w *town) { w.account.Unverified = true }, "VERIFICATION_REQUIRED"},
	} {
		w := newTown()
		v := w.visit(t, "ada")
		v.enter()
		row.change(w)
		w.push = device.PushApproved
		if out, err := v.does("authentication.poll", nil); err != nil || out.Failure == nil || out.Failure.Code != row.code || len(v.proofs) > 0 {
			t.Error(name, out, err)
		}
	}
	w = newTown()
	v = w.visit(t, "ada")
	v.enter()
	w.push, w.account.Subject.ID = device.PushApproved, "u2"
	if _, err := v.does("authentication.poll", nil); err == nil {
		t.Error("another account is taken")
	}
}

// TestNothingIsGivenToWhoIsNotProven submits what was not offered.
func TestNothingIsGivenToWhoIsNotProven(t *testing.T) {
	for name, prepare := range map[string]func(v *visit){
		"nobody": func(*visit) {},
		"somebody by another step": func(v *visit) {
			v.user = v.town.account.Subject
			v.proofs = flow.Ledger{{Subject: "u1", Authenticator: "password"}}
		},
		"somebody by the session":      func(v *visit) { v.proofs[0].Origin = flow.FromSession },
		"somebody else":                func(v *visit) { v.user.ID = "u2" },
		"somebody with another device": func(v *visit) { v.proofs[0].Authenticator = "d2" },
	} {
		w := newTown()
		w.pins["c1"] = "4711"
		v := w.visit(t, "ada")
		v.enter()
		if strings.HasPrefix(name, "somebody") && !strings.Contains(name, "another step") {
			w.push = device.PushApproved
			v.leads("authentication.poll", nil, resuming)
		}
		prepare(v)
		for action, in := range map[string]flow.Values{"certificate.create": {"csr": "x"}, "certificate.readPin": {"certificate.id": "c1"}, "authentication.resume": nil} {
			if out, err := v.does(action, in); err == nil {
				t.Errorf("%s: %s gives %+v", name, action, out)
			}
		}
		if len(w.orders) > 0 {
			t.Error(name, w.orders)
		}
	}
}

func TestCertificatesAndPINsAreAskedForRightly(t *testing.T) {
	w := newTown()
	w.pins["c9"] = "0815"
	v := w.visit(t, "ada")
	v.enter()
	w.push = device.PushApproved
	v.leads("authentication.poll", nil, resuming)
	_, err := v.does("certificate.create", flow.Values{"csr": "weak"})
	if f := flow.AsFault(err); f.Code != flow.InvalidData || f.Details[0].Target != "csr" || f.Details[0].Message != "the key is weak" {
		t.Error(err)
	}
	for name, in := range map[string]flow.Values{"no csr": {"pin": "1"}, "a long csr": {"csr": strings.Repeat("x", 16385)}, "another member": {"csr": "x", "subject": "root"}} {
		if _, err := v.does("certificate.create", in); flow.AsFault(err).Code != flow.InvalidData {
			t.Errorf("%s: %v", name, err)
		}
	}
	v.leads("certificate.create", flow.Values{"csr": "good"}, resuming)
	if _, err := v.does("certificate.create", flow.Values{"csr": "good"}); err == nil || len(w.orders) != 1 {
		t.Error("two certificates are made in one execution")
	}
	for i := range 7 {
		id := "c9"
		if i%2 == 1 {
			id = "another's"
		}
		out, err := v.does("certificate.readPin", flow.Values{"certificate.id": id})
		switch {
		case err != nil:
			t.Fatal(err)
		case i >= 5 && (out.Fault == nil || out.Fault.Code != flow.Limited), i < 5 && i%2 == 0 && len(v.once) != 1, i < 5 && i%2 == 1 && (out.Fault == nil || out.Fault.Code != flow.InvalidData):
			t.Errorf("read %d: %+v", i, out)
		}
	}
	if offers, _ := v.seen(); offers != "authentication.resume" {
		t.Error(offers)
	}
}

func TestWhatCannotBeAskedIsSaid(t *testing.T) {
	w := newTown()
	w.err = errors.New("away")
	if _, err := w.visit(t, "ada").kind.Enter(t.Context(), w.visit(t, "ada").turn()); flow.AsFault(err).Code != flow.Unavailable {
		t.Error(err)
	}
}
