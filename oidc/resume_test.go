package oidc_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"doorward/runtime/flow"
)

func TestSec_SEQ_TERMINAL(t *testing.T) {
	h := newHouse(t)
	h.authorize(request(web))
	id := uuid.NewString()
	u, q := h.get("resume?flowId=" + id).location(t)
	if u.Scheme+"://"+u.Host+u.Path != back || q.Get("code") == "" || q.Get("state") != "s1" || q.Get("iss") != h.URL+"/"+envID+"/as" {
		t.Fatal(u)
	}
	t.Run("a repeat gives the same redirect, and the code works once", func(t *testing.T) {
		if again, _ := h.get("resume?flowId=" + id).location(t); *again != *u {
			t.Errorf("%v, then %v", u, again)
		}
		if r := h.redeem(exchange(q.Get("code"))); r.StatusCode != http.StatusOK {
			t.Error(r.body)
		}
		app, _ := h.bundle.Application(web)
		if r := h.get("resume?flowId=" + id); r.StatusCode != http.StatusNotFound {
			t.Errorf("coming back without a home page: %d %v", r.StatusCode, r.Header)
		}
		app.HomePageURL = "https://ok.example/"
		if r := h.get("resume?flowId=" + id); r.Header.Get("Location") != app.HomePageURL {
			t.Errorf("coming back: %d %v", r.StatusCode, r.Header)
		}
		isError(t, h.redeem(exchange(q.Get("code"))), http.StatusBadRequest, "invalid_grant")
	})
	t.Run("ten seconds after the code was issued it is over", func(t *testing.T) {
		h.ahead.Add(int64(flow.ResumeFor))
		defer h.ahead.Add(-int64(flow.ResumeFor))
		if r := h.get("resume?flowId=" + id); r.StatusCode != http.StatusNotFound || r.Header.Get("Location") != "" {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
	})
	for name, r := range map[string]reply{
		"somebody else": h.get("resume?flowId="+id, "Cookie", "ST=foreign"), "no id": h.get("resume"), "not an id": h.get("resume?flowId=x"),
		"braces": h.get("resume?flowId={" + id + "}"), "two ids": h.get("resume?flowId=" + id + "&flowId=" + id), "upper case": h.get("resume?flowId=D0000000-0000-4000-8000-00000000000A"),
	} {
		t.Run(name+" gets 404", func(t *testing.T) {
			if r.StatusCode != http.StatusNotFound || r.Header.Get("Location") != "" {
				t.Errorf("%d %s", r.StatusCode, r.body)
			}
		})
	}
	t.Run("a failed one says so to the application", func(t *testing.T) {
		h.engine.status = flow.Failed
		u, q := h.get("resume?flowId=" + id).location(t)
		if u.Host != "ok.example" || q.Get("error") != "access_denied" || q.Get("error_description") != "The account is disabled." || q.Get("state") != "s1" || q.Get("iss") == "" || q.Has("code") {
			t.Error(u)
		}
	})
	t.Run("one that waits goes back to its page (SEQ-RESUME-EARLY)", func(t *testing.T) {
		h.engine.status = "OTP_REQUIRED"
		u, q := h.get("resume?flowId=" + id + "&response_mode=pi.flow").location(t)
		if u.Path != "/"+envID+"/signon/" || q.Get("flowId") != id {
			t.Error(u)
		}
	})
}

func TestWhatIsSwitchedOffDuringASignOnGetsNoCode(t *testing.T) {
	h := newHouse(t)
	h.authorize(request(web))
	app, _ := h.bundle.Application(web)
	id := uuid.NewString()
	t.Run("a redirect URI", func(t *testing.T) {
		uris := app.RedirectURIs
		app.RedirectURIs = uris[1:]
		defer func() { app.RedirectURIs = uris }()
		for _, status := range []string{"", flow.Failed} {
			h.engine.status = status
			if r := h.get("resume?flowId=" + id); r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
				t.Errorf("%d %v", r.StatusCode, r.Header)
			}
		}
	})
	t.Run("an application", func(t *testing.T) {
		app.Enabled = false
		defer func() { app.Enabled = true }()
		h.engine.status = ""
		if r := h.get("resume?flowId=" + id); r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
	})
}

func TestPiFlowAnswersJSON(t *testing.T) {
	h := newHouse(t)
	pi := []string{"response_mode", "pi.flow", "redirect_uri", "-"}
	t.Run("a start shows the flow and hands out a Flow-Token", func(t *testing.T) {
		r := h.authorize(request(native, pi...))
		if m := r.json(t); r.StatusCode != http.StatusOK || m["status"] != "USERNAME_PASSWORD_REQUIRED" || m["authorizeResponse"] != nil || r.Header.Get("Flow-Token") != "new-token" {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	})
	t.Run("a resume has the code, which is redeemed without a redirect_uri", func(t *testing.T) {
		m := h.get("resume?flowId="+uuid.NewString(), "Flow-Token", "x").json(t)
		answer, _ := m["authorizeResponse"].(map[string]any)
		if m["status"] != flow.Completed || answer["state"] != "s1" || answer["code"] == "" {
			t.Fatal(m)
		}
		if r := h.post("token", exchange(answer["code"].(string), "redirect_uri", "-", "client_id", native)); r.StatusCode != http.StatusOK {
			t.Error(r.body)
		}
	})
	t.Run("one that waits or failed is shown", func(t *testing.T) {
		for _, status := range []string{"OTP_REQUIRED", flow.Failed} {
			h.engine.status = status
			if m := h.get("resume?flowId=" + uuid.NewString()).json(t); m["status"] != status || m["authorizeResponse"] != nil {
				t.Error(m)
			}
		}
	})
	t.Run("a redirect_uri that is sent must be registered", func(t *testing.T) {
		if r := h.authorize(request(native, "response_mode", "pi.flow", "redirect_uri", "https://evil.tld/")); r.StatusCode != http.StatusBadRequest {
			t.Error(r.StatusCode)
		}
	})
	t.Run("errors are bodies", func(t *testing.T) {
		for name, change := range map[string][]string{"LOGIN_REQUIRED": {"prompt", "none"}, "INVALID_REQUEST": {"code_challenge", "-"}, "UNSUPPORTED_RESPONSE_TYPE": {"response_type", "token"}} {
			r := h.authorize(request(native, append(pi, change...)...))
			m := r.json(t)
			details, _ := m["details"].([]any)
			if r.StatusCode != http.StatusBadRequest || m["code"] != "INVALID_REQUEST" || len(details) != 1 || details[0].(map[string]any)["code"] != name {
				t.Errorf("%s: %d %s", name, r.StatusCode, r.body)
			}
		}
	})
	t.Run("without a question the start has the code", func(t *testing.T) {
		h.engine.sso = true
		if m := h.authorize(request(native, pi...)).json(t); m["status"] != flow.Completed || m["authorizeResponse"] == nil {
			t.Error(m)
		}
	})
}

// Who was named by an ID token gets the answer, and nobody else who has signed on.
// Source: OpenID Connect Core 3.1.2.2.
func TestNobodyElseGetsTheAnswer(t *testing.T) {
	h := newHouse(t)
	id := h.redeem(exchange(h.code(request(web)))).json(t)["id_token"].(string)
	h.engine.sso = false
	ada := h.engine.user
	for name, row := range map[string]struct {
		user  flow.Subject
		error string
	}{"the same": {ada, ""}, "another": {flow.Subject{ID: "be000000-0000-4000-8000-000000000001"}, "login_required"}} {
		t.Run(name, func(t *testing.T) {
			h.engine.user = row.user
			_, q := h.authorize(request(web, "id_token_hint", id)).location(t)
			_, q = h.get("resume?flowId="+q.Get("flowId"), "Cookie", "ST=mine").location(t)
			if q.Get("error") != row.error || (q.Get("code") == "") != (row.error != "") || q.Get("state") != "s1" {
				t.Errorf("answered with %v", q)
			}
		})
	}
}
