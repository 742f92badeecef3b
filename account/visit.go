package account

import (
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/directory"
	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/wire"
)

// visit is one request, and who makes it.
type visit struct {
	http.ResponseWriter
	*http.Request
	bundle  *configs.Bundle
	env     configs.Environment
	caller  flow.Caller
	session *flow.Session  // of signedOn
	user    directory.User // likewise, as it is now
	form    forms.Submission
	once    string // number of the form that was posted
}

// handler answers a visit, or returns why it does not.
type handler func(v *visit) error

// page is the path below the first page of the account.
func (v *visit) page() string {
	return strings.TrimPrefix(v.URL.Path, "/"+v.env.ID+"/account")
}

// serve is around every page: environment, headers, faults.
func (f *Face) serve(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		b, _, err := f.Tenants.Resolve(r.Host, r.URL.Path)
		if err != nil {
			f.Pages.ProblemIn(w, r, nil, flow.AsFault(err), []string{r.Header.Get("Accept-Language")})
			return
		}
		v := &visit{ResponseWriter: w, Request: r, bundle: b, env: b.Environment(), caller: callerOf(r)}
		if v.env.Secure() {
			w.Header().Set("Strict-Transport-Security", "max-age=63072000")
		}
		if err := h(v); err != nil {
			f.Pages.ProblemIn(w, r, b, flow.AsFault(err), v.languages())
		}
	})
}

// callerOf is what the browser brings along: never what binds a flow of another
// client.
func callerOf(r *http.Request) flow.Caller {
	var c flow.Caller
	if st, err := r.Cookie(wire.CookieName); err == nil {
		c.Cookie = st.Value
	}
	if trusted, err := r.Cookie(wire.BrowserCookieName); err == nil {
		c.Browser = trusted.Value
	}
	a, _ := netip.ParseAddrPort(r.RemoteAddr) // the zero address is nobody's
	c.Client = flow.ClientOf(a.Addr().Unmap(), r.UserAgent(), r.Header.Get("Accept-Language"))
	return c
}

// signedOn lets somebody in who is signed on. Anybody else signs on first and comes
// back: to the page, since what was posted is not posted again.
func (f *Face) signedOn(h handler) handler {
	return func(v *visit) error {
		session, err := f.Engine.Present(v.Context(), v.env.ID, v.caller)
		switch {
		case err != nil:
			return err
		case session == nil && v.Method == http.MethodPost:
			v.see(v.page())
			return nil
		case session == nil:
			return f.signOn(v)
		}
		v.session = session
		if v.user, err = f.Users.Get(v.Context(), v.env.ID, session.User.ID); err != nil {
			return missing(err)
		}
		return h(v)
	}
}

// confirmed lets somebody in who has shown a short time ago who they are, by a device
// where they have one. Anybody else does so and comes back, to the page likewise.
func (f *Face) confirmed(h handler) handler {
	return func(v *visit) error {
		may, err := f.Factors.MayChange(v.Context(), v.who(""), v.session.Proofs)
		switch {
		case err != nil:
			return flow.Busy(err)
		case !may && v.Method == http.MethodPost:
			v.see(v.page())
			return nil
		case !may:
			f.record(v, flow.Event{Type: flow.StepUpRequired})
			return f.stepUp(v)
		}
		return h(v)
	}
}

// formPurpose is that of the tokens of forms.
const formPurpose = "account"

// token is that of the forms of a page that is shown now: a number of its own, and the
// HMAC over it and the session. It stays good while the person stays, however often
// the cookie changes.
func (f *Face) token(v *visit) string {
	once := uuid.NewString()
	sum := f.Forms.Derive(formPurpose, v.env.ID, v.session.ID, once)
	return once + "." + base64.RawURLEncoding.EncodeToString(sum[:])
}

// posted takes a form of our own page alone, sent by the person whom it was shown to.
func (f *Face) posted(h handler) handler {
	return func(v *visit) error {
		if !wire.IsForm(v.Request.Header["Content-Type"]) {
			return f.refuse(v, flow.RequestMalformed, &flow.Fault{Code: flow.UnsupportedMedia, Message: "The page takes its own form only."})
		}
		body, err := io.ReadAll(v.Body) // the server under us has limited it
		if err != nil {
			return &flow.Fault{Code: flow.InvalidRequest, Message: "The form could not be read; send it again.", Err: err}
		}
		if v.form, err = forms.Parse(body); err != nil {
			return f.refuse(v, flow.RequestMalformed, flow.AsFault(err))
		}
		if v.crossSite() || !f.ours(v) {
			return f.refuse(v, flow.RequestCrossSite, &flow.Fault{Code: flow.AccessFailed, Message: "The form did not come from our page."})
		}
		return h(v)
	}
}

// ours reports whether the form has a token that this session was given.
func (f *Face) ours(v *visit) bool {
	once, mac, _ := strings.Cut(v.form.Token, ".")
	sum, err := base64.RawURLEncoding.Strict().DecodeString(mac)
	if err != nil || len(sum) != 32 || !f.Forms.Matches(formPurpose, [32]byte(sum), v.env.ID, v.session.ID, once) {
		return false
	}
	v.once = once
	return true
}

// crossSite reports whether a page of another site has sent the form: by what the
// browser says of the site, or else of the origin. Source: design of the house, 4.
func (v *visit) crossSite() bool {
	if site := v.Request.Header.Get("Sec-Fetch-Site"); site != "" {
		return site != "same-origin" && site != "none"
	}
	origins := v.Request.Header["Origin"]
	return len(origins) > 1 || len(origins) == 1 && origins[0] != v.env.AuthBase
}

// read takes the inputs of a form; all are texts, and an absent one is empty.
func (v *visit) read(fields ...flow.Field) (map[string]string, error) {
	values, err := v.form.Values(fields)
	out := map[string]string{}
	for _, field := range fields {
		out[field.Name], _ = values[field.Name].(string)
	}
	return out, err
}

// who is the person, as devices are asked about them. The same form sent twice is one
// change.
func (v *visit) who(of string) mfa.Who {
	u := v.user
	w := mfa.Who{
		Env: v.env.ID, UserID: u.ID, Username: u.Username, DisplayName: strings.TrimSpace(u.Given + " " + u.Family),
		Locales: v.languages()[0], Client: v.caller.Client,
	}
	if v.once != "" {
		w.Effect = "account/" + v.session.ID + "/" + v.once + "/" + of
	}
	return w
}

// languages are the person's, best first.
func (v *visit) languages() []string {
	if v.session == nil {
		return []string{v.caller.Client.Locales}
	}
	return []string{cmp.Or(v.user.PreferredLanguage, v.caller.Client.Locales), v.caller.Client.Locales}
}

// account is what every page of the visit begins with.
func (f *Face) account(v *visit) forms.Account {
	return forms.Account{Address: v.env.AccountURL(""), Person: v.user.Username, Token: f.token(v), Done: v.URL.Query().Get("done")}
}

// send draws a page.
func (f *Face) send(v *visit, status int, draw func(*forms.Pages, forms.Setting) []byte) {
	f.Pages.Page(v.ResponseWriter, v.bundle, status, v.languages(), draw)
}

// see leads to a page of the account after what was done.
func (v *visit) see(page string) { v.lead(v.env.AccountURL(page), http.StatusSeeOther) }

func (v *visit) lead(to string, status int) {
	v.ResponseWriter.Header().Set("Location", to)
	v.WriteHeader(status)
}

// record tells the audit of what somebody does here.
func (f *Face) record(v *visit, e flow.Event) {
	e.Env, e.At = v.env.ID, f.Now()
	if v.session != nil {
		e.User, e.Session = v.session.User.ID, v.session.ID
	}
	if ip := v.caller.Client.RemoteIP; ip.IsValid() {
		e.RemoteIP = ip.String()
	}
	f.Events.Record(v.Context(), e)
}

func (f *Face) refuse(v *visit, e flow.EventType, fault *flow.Fault) error {
	f.record(v, flow.Event{Type: e, Reason: "account"})
	return fault
}

// missing answers whoever asks for what is not there, or not theirs.
func missing(err error) error {
	if err == nil || errors.Is(err, flow.ErrUnknown) {
		return &flow.Fault{Code: flow.NotFound, Message: "There is nothing at this address."}
	}
	return flow.Busy(err)
}
