package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"

	"doorward/configs"
	"doorward/delivery"
	"doorward/directory"
	"doorward/runtime/external"
	"doorward/runtime/flow"
	"doorward/runtime/invoke"
)

// phones send SMS, calls and pushes by the requests that environments name for them,
// and where one names none show them beside the demo's mail. They fill delivery.Phone and
// management.Phones.
type phones struct {
	registry *configs.Registry
	services *external.Services // over witness
	recent   *delivery.Recent   // nil: messages are really sent
	apps     *directory.Devices // to which pushes go
}

// newPhones needs registry and mail senders to be there.
func (h *house) newPhones() phones {
	secrets := liveSecrets(func() *configs.Registry { return h.registry })
	return phones{h.registry, external.New(witness{h.calls}, secrets, h.now), h.mails, h.devices}
}

// Reaches implements management.Phones.
func (p phones) Reaches(env string, channel flow.Channel) bool {
	_, _, configured := p.request(env, channel)
	return configured || p.recent != nil
}

// request is the one by which an environment sends messages of a channel.
func (p phones) request(env string, channel flow.Channel) (of configs.PhoneRequest, request *external.Request, configured bool) {
	b, served := p.registry.Bundle(env)
	if !served {
		return of, nil, false
	}
	if of, configured = b.PhoneRequest(channel); !configured {
		return of, nil, false
	}
	service, known := b.ExternalService(of.Service)
	if !known {
		return of, nil, false
	}
	request, configured = service.Request(of.Name)
	return of, request, configured
}

// SendText implements delivery.Phone.
func (p phones) SendText(ctx context.Context, t delivery.Text) error {
	of, request, configured := p.request(t.Env, t.Channel)
	switch {
	case configured:
	case p.recent != nil:
		return p.recent.SendText(ctx, t)
	default: // perhaps this node reads the configuration later than another
		return &delivery.Failure{Reason: delivery.Unconfigured, Cause: "no request is configured"}
	}
	given := map[string]any{
		configs.InputTo: t.To, configs.InputContent: t.Content, configs.InputLocale: t.Language, configs.InputVoice: of.Voice,
		configs.InputChannel: string(t.Channel), configs.InputMessageID: t.MessageID,
	}
	if t.Channel == flow.Push {
		if err := p.address(ctx, t, given); err != nil {
			return err
		}
	}
	inputs := map[string]any{}
	for _, name := range request.Inputs() {
		if v, is := given[name]; is {
			inputs[name] = v
		}
	}
	var saw sight
	_, err := p.services.Invoke(context.WithValue(ctx, sightKey{}, &saw), external.Invocation{
		Env: t.Env, ServiceID: of.Service, Request: request, Inputs: inputs, Key: t.MessageID,
	})
	return saw.verdict(request, err)
}

// sight is what a call came to below its outputs.
type sight struct {
	called bool // it was tried
	status int  // of its last try's answer; 0: there was none
}

type sightKey struct{}

// witness notes what becomes of the calls that a sight is looking at. What else is
// called for them, such as a token's endpoint, has no key.
type witness struct{ caller }

// Send implements external.Sender.
func (w witness) Send(ctx context.Context, o external.Outbound) (external.Inbound, error) {
	in, err := w.caller.Send(ctx, o)
	if saw, is := ctx.Value(sightKey{}).(*sight); is && o.Key != "" {
		saw.called, saw.status = true, in.Status // 0 with an error
	}
	return in, err
}

// verdict is nil when the message was taken: by a status of 2xx and, of a request
// that has outputs of its own, with outputs that fit their schema. The cause holds
// codes and numbers alone: what a service says may be what it was sent.
func (s *sight) verdict(request *external.Request, err error) error {
	var e *external.Error
	if err != nil && !errors.As(err, &e) {
		return &delivery.Failure{Reason: delivery.Unreachable, Perhaps: s.called, Cause: "the call could not be made"}
	}
	if e != nil && e.NoToken { // a try before this was answered with 401, and did nothing
		s.called, s.status = false, 0
	}
	switch {
	case s.status != 0:
		return answered(s.status, e != nil && request.OutputSchema() != nil)
	case e == nil:
		return &delivery.Failure{Reason: delivery.Uncertain, Final: true, Cause: "outputs without an answer"}
	}
	f := &delivery.Failure{Cause: e.Code, After: e.RetryAfter}
	switch {
	case e.Code == string(invoke.TooMany):
		f.Reason = delivery.Busy
	case slices.Contains([]string{external.InvocationError, external.ExpressionError, external.InvalidValue, string(invoke.Malicious)}, e.Code):
		f.Reason, f.Final = delivery.Unconfigured, true
	case !s.called || e.Code == string(invoke.HandshakeFailed) || unconnected(e):
		f.Reason = delivery.Unreachable
	default:
		f.Reason, f.Perhaps = delivery.Unreachable, true
	}
	return f
}

// answered is the verdict on an answer; unfit says that it did not say what the
// request's schema wants to hear.
func answered(status int, unfit bool) error {
	f := &delivery.Failure{Cause: fmt.Sprintf("answered with status %d", status)}
	switch {
	case status >= 200 && status < 300 && !unfit:
		return nil
	case status >= 200 && status < 300:
		f.Reason, f.Final, f.Cause = delivery.Refused, true, "the outputs do not fit their schema"
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		f.Reason = delivery.Busy
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout: // whoever is behind it did not answer
		f.Reason, f.Perhaps = delivery.Unreachable, true
	default:
		f.Reason, f.Final = delivery.Refused, true
	}
	return f
}

// unconnected reports whether there was no connection, and so nothing sent.
func unconnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
