package oidc_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"doorward/configs"
	"doorward/runtime/flow"
)

// A worker's token counts for the API of its own environment, for an hour, while
// its application is there, switched on and a worker.
func TestAWorkersTokenNamesItsApplication(t *testing.T) {
	h := newHouse(t)
	api := h.URL + "/v1"
	token := h.post("token", url.Values{"grant_type": {"client_credentials"}}, "Authorization", basic(worker, secret)).json(t)["access_token"].(string)
	if env := h.provider.Environment(token); env != envID {
		t.Errorf("environment %q", env)
	}
	b := func(change func(*configs.Application)) *configs.Bundle {
		app, _ := h.bundle.Application(worker)
		a := *app
		a.Type = "WORKER"
		change(&a)
		return configs.NewBundle(h.bundle.Environment(), &a)
	}
	same := func(*configs.Application) {}
	good := b(same)
	if app, err := h.provider.Worker(t.Context(), good, api, token); err != nil || app.ID != worker {
		t.Fatalf("%v %v", app, err)
	}
	person := h.redeem(exchange(h.code(request(web)))).json(t)
	part := strings.Split(token, ".")
	for name, c := range map[string]struct {
		b               *configs.Bundle
		audience, token string
	}{
		"another API":            {good, "https://api.example", token},
		"the issuer":             {good, h.bundle.Environment().Issuer(), token},
		"another environment":    {configs.NewBundle(configs.Environment{ID: otherEnv, AuthBase: h.URL, APIBase: api}), api, token},
		"switched off":           {b(func(a *configs.Application) { a.Enabled = false }), api, token},
		"no worker":              {b(func(a *configs.Application) { a.Type = "SERVICE" }), api, token},
		"another grant":          {b(func(a *configs.Application) { a.GrantTypes = []string{"AUTHORIZATION_CODE"} }), api, token},
		"removed":                {configs.NewBundle(h.bundle.Environment()), api, token},
		"a person's token":       {h.bundle, api, person["access_token"].(string)},
		"a person's, its issuer": {h.bundle, h.bundle.Environment().Issuer(), person["access_token"].(string)},
		"an ID token":            {h.bundle, web, person["id_token"].(string)},
		"another signature":      {good, api, part[0] + "." + part[1] + "." + strings.Split(person["access_token"].(string), ".")[2]},
		"no signature":           {good, api, part[0] + "." + part[1] + "."},
		"nonsense":               {good, api, "x"},
		"nothing":                {good, api, ""},
	} {
		if app, err := h.provider.Worker(t.Context(), c.b, c.audience, c.token); err == nil || flow.AsFault(err).Code != flow.InvalidToken {
			t.Errorf("%s: %v %v", name, app, err)
		}
	}
	h.ahead.Add(int64(time.Hour))
	if _, err := h.provider.Worker(t.Context(), good, api, token); err == nil {
		t.Error("it does not expire")
	}
	for _, no := range []string{"", "x", "a.b.c", part[0] + "." + part[1]} {
		if env := h.provider.Environment(no); env != "" {
			t.Errorf("%q is of environment %q", no, env)
		}
	}
}
