package account

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/wire"
)

// wish is what an execution was begun for: the page that the person comes back to.
type wish struct {
	To string `json:"to"`
}

const returnPage = "/return"

// signOn has somebody sign on as they would to an application that is assigned no
// policy of its own, and come back to the page.
func (f *Face) signOn(v *visit) error {
	plans, err := v.bundle.Plans(nil, nil)
	if err != nil {
		return err
	}
	return f.begin(v, plans, v.page())
}

func (f *Face) stepUp(v *visit) error { return f.run(v, policy.StepUp, v.page()) }

// errand has the person do something and come to the page afterwards.
func (f *Face) errand(e policy.Errand, to string) handler {
	return func(v *visit) error { return f.run(v, e, to) }
}

func (f *Face) run(v *visit, e policy.Errand, to string) error {
	plan, err := f.Tenants.Errand(v.Context(), v.env.ID, e)
	if err != nil {
		return flow.Busy(err)
	}
	return f.begin(v, []flow.Digest{plan}, to)
}

// begin starts an execution that nobody is issued anything by: it has no application.
func (f *Face) begin(v *visit, plans []flow.Digest, to string) error {
	kept, err := json.Marshal(wish{to})
	if err != nil {
		return err
	}
	view, done, err := f.Engine.Start(v.Context(), flow.Start{
		Env: v.env.ID, Plans: plans, Caller: v.caller,
		Request: flow.Request{ReturnTo: v.env.AccountURL(returnPage), MaxAge: -1, Payload: kept, Locales: v.user.PreferredLanguage},
	})
	if err != nil {
		return err
	}
	if done != nil { // nothing was asked, so that nothing is different now
		return &flow.Fault{Code: flow.AccessFailed, Message: "You could not be asked to confirm that it is you. Sign off, then sign on again."}
	}
	v.keep(&view)
	v.lead(v.env.SignOnPage(view.Ref.ID), http.StatusFound)
	return nil
}

// keep hands the browser what binds the execution to it.
func (v *visit) keep(view *flow.View) {
	if view.Cookie != "" {
		v.ResponseWriter.Header().Add("Set-Cookie", wire.SessionCookie(view.Cookie, v.env.CookiePath(), v.env.Secure()))
	}
}

// comeBack leads on from an execution that began here. How it ended proves nothing: the
// page that it leads to looks at the session.
func (f *Face) comeBack(v *visit) error {
	ids := v.URL.Query()["flowId"]
	if len(ids) != 1 {
		return flow.Gone()
	}
	if id, err := uuid.Parse(ids[0]); err != nil || id.String() != ids[0] {
		return flow.Gone()
	}
	view, _, err := f.Engine.Resume(v.Context(), flow.Ref{Env: v.env.ID, ID: ids[0]}, v.caller)
	fault := flow.AsFault(err)
	switch {
	case err != nil && fault.Code == flow.NotFound: // it is over: a page that was gone back to
		v.see("")
		return nil
	case err != nil && fault.Code != flow.AccessFailed: // which is said of one that ended without a proof
		return err
	case view.Application != "" || view.Definition != "" || view.ReturnTo != v.env.AccountURL(returnPage):
		return flow.Gone()
	}
	v.keep(&view)
	var w wish
	switch {
	case view.Status == flow.Completed && json.Unmarshal(view.Payload, &w) == nil && (w.To == "" || strings.ContainsAny(w.To[:1], "/?")):
		v.see(w.To)
	case view.Status == flow.Completed || view.Status == flow.Failed:
		v.see("")
	default:
		v.lead(v.env.SignOnPage(view.Ref.ID), http.StatusFound)
	}
	return nil
}
