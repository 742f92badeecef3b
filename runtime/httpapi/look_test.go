package httpapi_test

import (
	"strings"
	"testing"

	"doorward/runtime/flow"
	sheet "doorward/runtime/form"
)

// TestGoogleIsLetInWhereItIsAsked: a page on which Google tells people from
// programs takes its script and its frame, and nothing else that others do not.
func TestGoogleIsLetInWhereItIsAsked(t *testing.T) {
	h := open(t, nil, nil)
	usual := h.ask("GET", thisPage, "").Header.Get("Content-Security-Policy")
	f, err := sheet.Compile([]byte(`{"name":"F","category":"CUSTOM","markRequired":false,"markOptional":true,"components":{"fields":[
		{"type":"RECAPTCHA_V2","position":{"row":0,"col":0},"size":"NORMAL","theme":"DARK","alignment":"LEFT"},
		{"type":"SUBMIT_BUTTON","position":{"row":1,"col":0},"label":"Go"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	h.engine.view.Form = f
	const google = " https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/"
	for provider, want := range map[string]string{
		sheet.ProofOfWork:   usual,
		sheet.GoogleCaptcha: strings.Replace(usual, "script-src 'self'", "script-src 'self'"+google+"; frame-src"+google, 1),
	} {
		h.engine.view.Values = flow.Values{"captcha": sheet.Challenge{Provider: provider, SiteKey: "site"}}
		if got := h.ask("GET", thisPage, "").Header.Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: %s, want %s", provider, got, want)
		}
	}
	if strings.Contains(usual, "google") || strings.Contains(usual, "frame-src") {
		t.Error(usual)
	}
}

// TestALinkIsAWayOnThePage: to the execution that comes back here.
func TestALinkIsAWayOnThePage(t *testing.T) {
	h := open(t, nil, nil)
	h.engine.view.Links = []flow.Link{{Name: "registration.experience", Prompt: flow.Text{Key: "user.register.submit"}, Definition: nobodys}}
	want := `<a href="` + h.base + "/" + envID + "/experiences/" + nobodys + `?redirectUri=` +
		"http%3A%2F%2F" + strings.ReplaceAll(h.addr, ":", "%3A") + "%2F" + envID + "%2Fflows%2F" + flowID + `%2FflowExecutionCallback">Create account</a>`
	if r := h.ask("GET", thisPage, ""); !strings.Contains(r.body, want) {
		t.Errorf("no %s in %s", want, r.body)
	}
}

func TestTheGalleriesAreTheDemosAlone(t *testing.T) {
	h := open(t, nil, nil)
	for path, title := range map[string]string{"/signon/gallery": "<h1>Sign on</h1>", "/signon/gallery/form": "<h1>Tell us about your trip</h1>"} {
		if r := h.ask("GET", "/"+envID+path, ""); r.StatusCode != 200 || !strings.Contains(r.body, title) || !strings.Contains(r.Header.Get("Content-Security-Policy"), "form-action 'self';") {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		if r := h.ask("GET", "/"+farEnv+path, "", "Host: "+farHost); r.StatusCode != 404 {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	}
	if len(h.engine.callers) != 0 {
		t.Error("an execution was looked at")
	}
}
