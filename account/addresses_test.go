package account_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"
)

const newAddress = "ada@new.example"

// send posts one of the forms of a page as the page has it.
func (w *world) send(page, action string, typed ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.post(page, action, w.token(page), typed...)
}

// last is the event that was recorded last.
func (w *world) last() flow.Event {
	if len(w.events) == 0 {
		return flow.Event{}
	}
	return w.events[len(w.events)-1]
}

// TestANewAddress is the way of a new address: it is said, proven by the code that is
// sent to it, and takes the place of the one before, whose owner is told.
func TestANewAddress(t *testing.T) {
	w := newArchive(t)
	if shown := w.ask(http.MethodGet, "/email", "").Body.String(); !strings.Contains(shown, "ada@example.com") || !strings.Contains(shown, `type="email" id="newEmail" name="newEmail" autocomplete="email" required`) {
		t.Errorf("shown: %s", shown)
	}
	if a := w.send("/email", "propose", "newEmail", newAddress); a.Code != http.StatusSeeOther || to(a) != "/account/email" {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if w.last().Type != flow.VerificationSent || w.last().Reason != "email" || w.last().User != ada {
		t.Errorf("%+v", w.last())
	}
	first := w.one()
	shown := w.ask(http.MethodGet, "/email", "").Body.String()
	if !strings.Contains(shown, "If ada@new.example can be used here") || !strings.Contains(shown, `name="verificationCode" class="code" inputmode="text" autocomplete="one-time-code"`) {
		t.Errorf("shown: %s", shown)
	}
	a := w.send("/email", "prove", "verificationCode", "WRONGWRO")
	if a.Code != http.StatusBadRequest || !strings.Contains(a.Body.String(), `id="verificationCode-error"`) || w.last().Type != flow.VerifyRefused {
		t.Errorf("a wrong code: %d %s", a.Code, a.Body)
	}
	if a := w.send("/email", "prove"); a.Code != http.StatusBadRequest || !strings.Contains(a.Body.String(), "Enter the code from the email.") {
		t.Errorf("no code: %d %s", a.Code, a.Body)
	}
	if a := w.send("/email", "resend"); to(a) != "/account/email?done=sent" {
		t.Errorf("again: %d %s", a.Code, to(a))
	}
	second := w.one()
	if second.To != newAddress || second.Params["code"] == first.Params["code"] {
		t.Errorf("%+v", second)
	}
	if a := w.send("/email", "prove", "verificationCode", first.Params["code"]); a.Code != http.StatusBadRequest {
		t.Errorf("the first code: %d", a.Code)
	}
	if w.person(ada).Email != "ada@example.com" {
		t.Error("changed before it is proven")
	}
	token := w.token("/email")
	w.post("/email", "prove", token, "verificationCode", "WRONGWRO") // and then they go back
	for range 2 {                                                    // the same form twice is one change
		if a := w.post("/email", "prove", token, "verificationCode", second.Params["code"]); to(a) != "/account?done=email" {
			t.Fatalf("the right code: %d %s", a.Code, a.Body)
		}
	}
	if w.last().Type != flow.AddressChanged || w.last().Reason != "email" {
		t.Errorf("%+v", w.last())
	}
	if u := w.person(ada); u.Email != newAddress || !u.EmailVerified {
		t.Errorf("%+v", u)
	}
	if m := w.one(); m.Template != "email.changed" || m.To != "ada@example.com" {
		t.Errorf("%+v", m)
	}
	if home := w.ask(http.MethodGet, "?done=email", "").Body.String(); !strings.Contains(home, newAddress) || !strings.Contains(home, "address is changed") {
		t.Errorf("home: %s", home)
	}
}

// TestANewNumber is the same by SMS, and the number's end.
func TestANewNumber(t *testing.T) {
	w := newArchive(t)
	if a := w.send("/phone", "propose", "newPhone", "(030) 1234567"); a.Code != http.StatusBadRequest || !strings.Contains(a.Body.String(), `value="(030) 1234567"`) || !strings.Contains(a.Body.String(), "Begin with +") {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	w.send("/phone", "propose", "newPhone", "+49 (30) 123-4567")
	m := w.one()
	if m.Channel != flow.SMS || m.To != "+49301234567" {
		t.Fatalf("%+v", m)
	}
	if shown := w.ask(http.MethodGet, "/phone", "").Body.String(); !strings.Contains(shown, `name="otp" class="code" inputmode="numeric" autocomplete="one-time-code"`) {
		t.Errorf("shown: %s", shown)
	}
	if a := w.send("/phone", "prove", "otp", m.Params["code"]); to(a) != "/account?done=phone" || string(w.person(ada).Profile) != `{"mobilePhone":"+49301234567"}` {
		t.Fatalf("%d %s, kept %s", a.Code, a.Body, w.person(ada).Profile)
	}
	if m := w.one(); m.Template != "phone.changed" || m.To != "ada@example.com" {
		t.Errorf("%+v", m)
	}
	w.mute = true // what there is can be removed where no other can be proven
	shown := w.ask(http.MethodGet, "/phone", "").Body.String()
	if strings.Contains(shown, "newPhone") || !strings.Contains(shown, `value="remove"`) {
		t.Errorf("shown: %s", shown)
	}
	if a := w.post("/phone", "propose", w.token("/phone"), "newPhone", "+15550100"); a.Code != http.StatusBadRequest {
		t.Errorf("%d", a.Code)
	}
	if a := w.send("/phone", "remove"); to(a) != "/account?done=noPhone" || string(w.person(ada).Profile) != `{}` || w.one().Template != "phone.removed" {
		t.Errorf("%d %s, kept %s", a.Code, a.Body, w.person(ada).Profile)
	}
	if a := w.ask(http.MethodGet, "/phone", ""); a.Code != http.StatusNotFound || strings.Contains(w.ask(http.MethodGet, "", "").Body.String(), "/account/phone") {
		t.Errorf("%d", a.Code)
	}
}

// TestWhatIsNoAddress: it is said beside the input, and nothing is sent or kept.
func TestWhatIsNoAddress(t *testing.T) {
	w := newArchive(t)
	for typed, says := range map[string]string{
		"":                                    "Fill in",
		"ada":                                 "not an email address",
		"ada@new.example\r\nBcc: eve@evil.ex": "not an email address",
		"Ada <ada@new.example>":               "not an email address",
		`"><script>alert(1)</script>@x.ex`:    "not an email address",
		"ada@example.com":                     "your address already",
	} {
		a := w.send("/email", "propose", "newEmail", typed)
		if a.Code != http.StatusBadRequest || !strings.Contains(a.Body.String(), says) || !strings.Contains(a.Body.String(), `id="newEmail-error"`) || strings.Contains(a.Body.String(), "<script>") {
			t.Errorf("%q: %d %s", typed, a.Code, a.Body)
		}
	}
	if n := len(w.sent()); n != 0 {
		t.Errorf("%d messages", n)
	}
	for range 5 {
		w.send("/email", "propose", "newEmail", newAddress)
		_ = w.kept.Withdraw(t.Context(), envID, ada, directory.MailAddress)
	}
	if a := w.send("/email", "propose", "newEmail", newAddress); a.Code != http.StatusBadRequest || !strings.Contains(a.Body.String(), "Try again in an hour") {
		t.Errorf("the sixth: %d %s", a.Code, a.Body)
	}
}

// TestNobodyLearnsWhoseAnAddressIs: the answer is the same to the byte.
func TestNobodyLearnsWhoseAnAddressIs(t *testing.T) {
	var answers []string
	for _, address := range []string{newAddress, "BEA@example.com"} {
		w := newArchive(t)
		a := w.send("/email", "propose", "newEmail", address)
		m := w.one()
		page := w.ask(http.MethodGet, "/email", "").Body.String()
		answers = append(answers, a.Result().Status+to(a)+tokens.ReplaceAllString(strings.ReplaceAll(page, address, ""), ""))
		if (m.Template == "address.taken") != (address != newAddress) || (m.To == "bea@example.com") != (address != newAddress) {
			t.Errorf("%+v", m)
		}
	}
	if answers[0] != answers[1] {
		t.Errorf("%s\n%s", answers[0], answers[1])
	}
}

// TestAChangeIsOfItsSession: another session sees a change that it has not begun, can
// end it or begin another, and cannot finish it.
func TestAChangeIsOfItsSession(t *testing.T) {
	w := newArchive(t)
	w.send("/email", "propose", "newEmail", newAddress)
	code := w.one().Params["code"]
	w.is("s2", ada)
	shown := w.ask(http.MethodGet, "/email", "").Body.String()
	if !strings.Contains(shown, "In another browser") || !strings.Contains(shown, `name="newEmail"`) || strings.Contains(shown, "verificationCode") {
		t.Errorf("shown: %s", shown)
	}
	if a := w.send("/email", "prove", "verificationCode", code); a.Code != http.StatusBadRequest || w.person(ada).Email == newAddress {
		t.Errorf("proven elsewhere: %d", a.Code)
	}
	if a := w.send("/email", "resend"); to(a) != "/account/email" || len(w.sent()) != 0 {
		t.Errorf("sent again elsewhere: %d %s", a.Code, to(a))
	}
	w.is("s3", bea) // nor is a code good for somebody else
	w.send("/email", "propose", "newEmail", "bea@new.example")
	w.one()
	if a := w.send("/email", "prove", "verificationCode", code); a.Code != http.StatusBadRequest || w.person(bea).Email != "bea@example.com" {
		t.Errorf("proven by somebody else: %d", a.Code)
	}
	w.is("s2", ada)
	if a := w.send("/email", "withdraw"); to(a) != "/account?done=withdrawn" {
		t.Errorf("%d %s", a.Code, to(a))
	}
	w.is("s1", ada)
	if a := w.send("/email", "prove", "verificationCode", code); a.Code != http.StatusBadRequest || w.person(ada).Email == newAddress {
		t.Errorf("proven after it was ended: %d", a.Code)
	}
}

// TestAnAddressTakesAProof: a session without a young one, which may be stolen, changes
// nothing by any form, and neither does a form of another site, of another session, or
// with more in it than there is.
func TestAnAddressTakesAProof(t *testing.T) {
	w := newArchive(t)
	w.held = []device.Device{active(phone, device.SMS)}
	w.send("/email", "propose", "newEmail", newAddress)
	code, good := w.one().Params["code"], w.token("/email")
	w.session.ID = "s2"
	theirs := w.token("/email")
	w.session.ID = "s1"
	forms := map[string]url.Values{
		"propose": {"newEmail": {"eve@evil.example"}}, "prove": {"verificationCode": {code}}, "resend": {}, "withdraw": {},
	}
	w.fresh = false
	for action, v := range forms {
		v.Set("_action", action)
		v.Set("_token", good)
		if a := w.ask(http.MethodPost, "/email", v.Encode()); a.Code != http.StatusSeeOther || to(a) != "/account/email" {
			t.Errorf("%s without a proof: %d %s", action, a.Code, to(a))
		}
	}
	if a := w.ask(http.MethodGet, "/email", ""); a.Code != http.StatusFound || len(w.started) != 1 {
		t.Errorf("the page without a proof: %d", a.Code)
	}
	w.fresh = true
	for action, v := range forms {
		if a := w.ask(http.MethodPost, "/email", v.Encode(), "Sec-Fetch-Site", "cross-site"); a.Code != http.StatusForbidden {
			t.Errorf("%s of another site: %d", action, a.Code)
		}
		v.Set("_token", theirs)
		if a := w.ask(http.MethodPost, "/email", v.Encode()); a.Code != http.StatusForbidden {
			t.Errorf("%s of another session: %d", action, a.Code)
		}
		v.Set("_token", good)
		if action == "propose" || action == "prove" {
			v.Set("emailVerified", "true")
			if a := w.ask(http.MethodPost, "/email", v.Encode()); a.Code != http.StatusBadRequest {
				t.Errorf("%s with more in it: %d", action, a.Code)
			}
		}
	}
	if u := w.person(ada); u.Email != "ada@example.com" || len(w.sent()) != 0 {
		t.Errorf("%+v", u)
	}
	w.now = w.now.Add(31 * time.Minute)
	if a := w.send("/email", "prove", "verificationCode", code); a.Code != http.StatusBadRequest || !strings.Contains(a.Body.String(), `name="newEmail"`) {
		t.Errorf("half an hour later: %d %s", a.Code, a.Body)
	}
}

// TestDetails: names and language are changed, and nothing beside them.
func TestDetails(t *testing.T) {
	w := newArchive(t)
	w.send("/profile", "profile", "given", " Ada ", "family", "Lovelace", "nickname", "<b>Countess</b>", "language", "de")
	want := `{"nickname":"<b>Countess</b>"}`
	if u := w.person(ada); u.Given != "Ada" || u.Family != "Lovelace" || u.PreferredLanguage != "de" || string(u.Profile) != want || u.Email != "ada@example.com" {
		t.Errorf("%+v %s", u, u.Profile)
	}
	shown := w.ask(http.MethodGet, "/profile", "").Body.String()
	if !strings.Contains(shown, `<option value="de" lang="de" selected>Deutsch</option>`) || strings.Contains(shown, "<b>Countess") {
		t.Errorf("shown: %s", shown)
	}
	for name, typed := range map[string][]string{
		"email": {"email", "eve@evil.example"}, "phone": {"mobilePhone", "+15550100"}, "id": {"id", bea}, "enabled": {"enabled", "true"},
		"population": {"population.id", "p2"}, "another language": {"language", "fr"}, "a list": {"language", "de,en"}, "a line": {"family", "a\nb"},
		"a long name": {"given", strings.Repeat("x", 257)}, "a nickname of two lines": {"nickname", "a\nb"},
	} {
		if a := w.send("/profile", "profile", append([]string{"given", "Eve"}, typed...)...); a.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	if u := w.person(ada); u.Given != "Ada" || string(u.Profile) != want || u.Email != "ada@example.com" {
		t.Errorf("%+v %s", u, u.Profile)
	}
	// What the browser said when they registered stays while they keep its language.
	for language, want := range map[string]string{"de": "de-CH, de;q=0.9, fr;q=0.5", "": ""} {
		_, _ = w.kept.users.Update(t.Context(), envID, ada, func(u *directory.User) error {
			u.PreferredLanguage = "de-CH, de;q=0.9, fr;q=0.5"
			return nil
		})
		w.send("/profile", "profile", "given", "Ada", "language", language)
		if u := w.person(ada); u.PreferredLanguage != want {
			t.Errorf("%q: %q", language, u.PreferredLanguage)
		}
	}
}
