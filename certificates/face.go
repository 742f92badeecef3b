// Package certificates is the face at which the certificate authority of an environment
// is published: its certificate, and which of those that it has signed are good no more.
// Everybody may read both, and keep them for a while. It is ours, of no document.
package certificates

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"doorward/configs"
	"doorward/runtime/certificate"
	"doorward/runtime/flow"
)

// Router is where the routes go. Paths name a segment with a colon.
type Router interface {
	Handle(method, path string, h http.Handler)
}

// Tenants turns a request into an environment; a *flow.Fault when it cannot.
type Tenants interface {
	Resolve(host, path string) (b *configs.Bundle, rest string, err error)
}

// Authority is what is published.
type Authority interface {
	Published(ctx context.Context, env string) ([]*certificate.Authority, error)
	Revocations(ctx context.Context, env string, generation int) (*certificate.List, error)
}

// Problems writes a fault with its status and logs it. b is nil when the environment is
// unknown.
type Problems interface {
	Problem(w http.ResponseWriter, r *http.Request, b *configs.Bundle, f *flow.Fault)
}

// The media types. Source: RFC 2585 4; RFC 8555 9.1.
const (
	derCertificate = "application/pkix-cert"
	pemChain       = "application/pem-certificate-chain"
	list           = "application/pkix-crl"
)

// How long an answer may be kept by whoever is between: a certificate for a day, a list
// until this node would make another one.
const (
	keepAuthority = 24 * time.Hour
	keepList      = time.Minute
)

// Face serves the authorities of every environment.
type Face struct {
	tenants   Tenants
	authority Authority
	problems  Problems
	now       func() time.Time
}

// New returns a Face.
func New(tenants Tenants, authority Authority, problems Problems, now func() time.Time) *Face {
	return &Face{tenants, authority, problems, now}
}

// Register puts the routes on rt. The address without a generation is that of the
// authority which signs now.
func (f *Face) Register(rt Router) {
	for path, h := range map[string]func(http.ResponseWriter, *http.Request, string, int) error{"/:env/certificates/ca": f.ca, "/:env/certificates/crl": f.crl} {
		rt.Handle(http.MethodGet, path, f.serve(h))
		rt.Handle(http.MethodGet, path+"/:generation", f.serve(h))
	}
}

func (f *Face) serve(h func(w http.ResponseWriter, r *http.Request, env string, generation int) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		b, _, err := f.tenants.Resolve(r.Host, r.URL.Path)
		if err != nil {
			f.problems.Problem(w, r, nil, flow.AsFault(err))
			return
		}
		generation, err := read(r.PathValue("generation"))
		if err == nil {
			err = h(w, r, b.Environment().ID, generation)
		}
		switch {
		case err == nil:
		case errors.Is(err, flow.ErrUnknown):
			f.problems.Problem(w, r, b, &flow.Fault{
				Code: flow.NotFound, Message: "There is no such certificate authority. An environment gets one with its first flow definition that signs people on to Windows.",
			})
		default:
			f.problems.Problem(w, r, b, flow.AsFault(flow.Unserved(err)))
		}
	})
}

// read is the generation that a path names; 0: none.
func read(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || text != strconv.Itoa(n) {
		return 0, flow.ErrUnknown
	}
	return n, nil
}

// ca sends the certificate of an authority as Windows takes it, or, to whoever accepts
// PEM, those of all that have not ended.
func (f *Face) ca(w http.ResponseWriter, r *http.Request, env string, generation int) error {
	all, err := f.authority.Published(r.Context(), env)
	if err != nil {
		return err
	}
	if generation > 0 {
		var one []*certificate.Authority
		for _, a := range all {
			if a.Generation == generation {
				one = append(one, a)
			}
		}
		if all = one; len(all) == 0 {
			return flow.ErrUnknown
		}
	}
	h := w.Header()
	h.Set("Vary", "Accept")
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(keepAuthority/time.Second)))
	if accept := r.Header.Get("Accept"); strings.Contains(accept, "pem") || strings.Contains(accept, "text/plain") {
		h.Set("Content-Type", pemChain)
		for _, a := range all {
			if _, err := w.Write([]byte(certificate.PEM("CERTIFICATE", a.Certificate))); err != nil {
				return nil //nolint:nilerr // the client has gone
			}
		}
		return nil
	}
	h.Set("Content-Type", derCertificate)
	_, _ = w.Write(all[0].Certificate) // as above
	return nil
}

// crl sends the list of an authority.
func (f *Face) crl(w http.ResponseWriter, r *http.Request, env string, generation int) error {
	l, err := f.authority.Revocations(r.Context(), env, generation)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", list)
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(keepList/time.Second)))
	h.Set("Last-Modified", l.At.UTC().Format(http.TimeFormat))
	h.Set("Expires", f.now().Add(keepList).UTC().Format(http.TimeFormat))
	_, _ = w.Write(l.DER) //nolint:gosec // no browser takes it for a page; an error is a client that has gone
	return nil
}
