package external

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"doorward/runtime/flow"
)

// secret reads one value; where there is none, missing says so.
func (s *Services) secret(ctx context.Context, in Invocation, name, missing string) (string, error) {
	value, err := s.secrets.Secret(ctx, in.Env, in.ServiceID, name, in.Request.origins())
	switch {
	case errors.Is(err, ErrMoved):
		return "", misconfigured("The external service has moved since the flow began, and its secrets are not sent to where it was. Begin the flow again.")
	case errors.Is(err, flow.ErrUnknown), err == nil && value == "":
		return "", misconfigured(missing)
	case err != nil:
		return "", asError(err)
	}
	return value, nil
}

// send makes the call as whoever its scheme says. A 401 says that a token of
// OAUTH_2 is no longer good: another is got, once.
func (s *Services) send(ctx context.Context, in Invocation, out Outbound) (Inbound, error) {
	scheme := in.Request.scheme
	if scheme == nil {
		return s.call(ctx, out)
	}
	credential, err := s.secret(ctx, in, sealedAs(scheme.name, scheme.kind), "The authentication scheme of the request has no "+credential(scheme.kind)+".")
	if err != nil {
		return Inbound{}, err
	}
	if scheme.kind != oauth {
		if err := sign(out.Header, scheme, credential); err != nil {
			return Inbound{}, err
		}
		return s.call(ctx, out)
	}
	grant := s.grant(in, scheme, credential)
	for tries := 1; ; tries++ {
		token, err := s.tokens.get(ctx, grant)
		if err != nil {
			e := *asError(err) // those who wait for the same token have the same error
			e.NoToken = true
			return Inbound{}, &e
		}
		if err := sign(out.Header, scheme, token); err != nil {
			return Inbound{}, err
		}
		answer, err := s.call(ctx, out)
		if err != nil || answer.Status != http.StatusUnauthorized {
			return answer, err
		}
		s.tokens.drop(grant.key, token)
		if tries == 2 {
			return answer, nil
		}
	}
}

func (s *Services) call(ctx context.Context, out Outbound) (Inbound, error) {
	in, err := s.sender.Send(ctx, out)
	if err != nil {
		return Inbound{}, asError(err)
	}
	return in, nil
}

// sign sets the header by which a scheme says who is calling. Sources: RFC 6750
// 2.1, RFC 7617 2.
func sign(headers http.Header, s *scheme, credential string) error {
	switch s.kind {
	case bearer, oauth:
		credential = "Bearer " + credential
	case basic:
		credential = "Basic " + base64.StdEncoding.EncodeToString([]byte(s.user+":"+credential))
	}
	if ValueFault(credential) != "" {
		return misconfigured("The credential of the request's authentication scheme cannot be sent in a header.")
	}
	headers.Set(s.header, credential)
	return weigh(headers)
}
