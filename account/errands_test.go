package account_test

import (
	"net/http"
	"strings"
	"testing"

	"doorward/runtime/flow"
)

// TestComingBack: only an execution that began here leads on, to a page of ours, and
// to where it was wanted only when it has ended well.
func TestComingBack(t *testing.T) {
	const id, back = "f0000000-0000-4000-8000-000000000001", "https://login.example/" + envID + "/account/return"
	mine := func(status, payload string) flow.View {
		return flow.View{Ref: flow.Ref{Env: envID, ID: id}, Status: status, ReturnTo: back, Payload: []byte(payload)}
	}
	other := mine(flow.Completed, `{"to":"/add"}`)
	other.Application = "app"
	elsewhere := mine(flow.Completed, `{"to":"/add"}`)
	elsewhere.ReturnTo = "https://app.example/cb"
	for name, tt := range map[string]struct {
		view flow.View
		to   string
	}{
		"wanted":               {mine(flow.Completed, `{"to":"/add"}`), "/account/add"},
		"the first page":       {mine(flow.Completed, `{"to":""}`), "/account"},
		"failed":               {mine(flow.Failed, `{"to":"/add"}`), "/account"},
		"nothing wanted":       {mine(flow.Completed, ``), "/account"},
		"wanted elsewhere":     {mine(flow.Completed, `{"to":".evil.example"}`), "/account"},
		"still waiting":        {mine("OTP_REQUIRED", `{"to":"/add"}`), "/signon/?flowId=" + id},
		"of an application":    {other, ""},
		"that goes elsewhere":  {elsewhere, ""},
		"of a flow definition": {flow.View{Definition: "d", Status: flow.Completed, ReturnTo: back}, ""},
	} {
		w := newWorld(t)
		w.view = tt.view
		a := w.ask(http.MethodGet, "/return?flowId="+id, "")
		if to(a) != tt.to || tt.to == "" && a.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s, not %s", name, a.Code, to(a), tt.to)
		}
	}
	for _, query := range []string{"", "?flowId=", "?flowId=x", "?flowId=" + id + "&flowId=" + id, "?flowId=" + strings.ToUpper(id)} {
		if a := newWorld(t).ask(http.MethodGet, "/return"+query, ""); a.Code != http.StatusNotFound {
			t.Errorf("%q: %d", query, a.Code)
		}
	}
}
