package httpapi

import (
	"bytes"
	"context"
	"net/http"
	"net/netip"
	"net/url"

	"doorward/runtime/flow"
)

// bridge serves the request by h. Nothing that h sees or writes shares memory
// with fasthttp, and h runs on this goroutine, under the request's deadline.
func (x *exchange) bridge(ctx context.Context, h http.Handler) error {
	r, err := x.httpRequest(ctx)
	if err != nil {
		return err
	}
	w := &answer{header: http.Header{}}
	h.ServeHTTP(w, r)
	x.send(w)
	return nil
}

// httpRequest is a copy of the request. RemoteAddr and Host are those of the
// client, seen through configured proxies.
func (x *exchange) httpRequest(ctx context.Context) (*http.Request, error) {
	fr := x.Request()
	u, err := url.ParseRequestURI(x.OriginalURL())
	if err != nil {
		return nil, &flow.Fault{Code: flow.InvalidRequest, Message: "The request's address is not a well-formed URI.", Err: err}
	}
	if u.RawPath != "" || u.Path != x.Path() { // routed by one path, handled by another
		return nil, &flow.Fault{Code: flow.NotFound, Message: "There is nothing at this address."}
	}
	u.Scheme, u.Host = "", ""
	body := bytes.Clone(fr.Body())
	r := (&http.Request{
		Method: string(fr.Header.Method()), URL: u, RequestURI: u.RequestURI(), Host: x.host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: http.NoBody, ContentLength: int64(len(body)), RemoteAddr: netip.AddrPortFrom(x.client.RemoteIP, 0).String(),
	}).WithContext(ctx)
	if len(body) > 0 {
		r.Body = &readCloser{*bytes.NewReader(body)}
	}
	for key, value := range fr.Header.All() {
		if k := string(key); k != "Host" {
			r.Header[k] = append(r.Header[k], string(value))
		}
	}
	r.Header[headerCorrelation] = []string{x.correlation}
	if len(x.types) > 1 { // fasthttp keeps one
		r.Header["Content-Type"] = x.types
	}
	for _, name := range x.Route().Params {
		r.SetPathValue(name, x.Params(name))
	}
	return r, nil
}

type readCloser struct{ bytes.Reader }

func (*readCloser) Close() error { return nil }

// answer is what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *answer) Header() http.Header { return w.header }

func (w *answer) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
}

func (w *answer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// send copies what the handler wrote into fasthttp's response.
func (x *exchange) send(w *answer) {
	w.WriteHeader(http.StatusOK)
	res := x.Response()
	res.SetStatusCode(w.status)
	for key, values := range w.header {
		switch key = http.CanonicalHeaderKey(key); key {
		case "Content-Length", "Transfer-Encoding":
			continue
		case "Connection":
			res.SetConnectionClose()
			continue
		}
		res.Header.Del(key)
		for _, v := range values {
			res.Header.Add(key, v)
		}
	}
	if w.header.Get("Content-Type") == "" && w.body.Len() > 0 {
		res.Header.SetContentType(http.DetectContentType(w.body.Bytes()))
	}
	res.SetBodyRaw(w.body.Bytes())
}
