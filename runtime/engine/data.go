package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"doorward/runtime/flow"
)

// data is what the steps of a flow definition know of each other: what they put
// out, and what the execution was started with. A sign-on has none of it.
// Source: reference/management.md 2.4.
type data struct {
	ctx    context.Context //nolint:containedctx // lives for one turn
	t      *turn
	parsed map[string]any         // what has been decoded, by its place in the record
	opened map[string]flow.Secret // secrets that were found, by their names in the record
	err    error                  // the first
}

func (t *turn) data(ctx context.Context) *data {
	return &data{ctx: ctx, t: t, parsed: map[string]any{}, opened: map[string]flow.Secret{}}
}

// failed is where the failure of a node lies among the outputs.
func failed(key string) string { return key + "\x00error" }

// find returns what a path stands for; nil for nothing.
func (d *data) find(path []string) any {
	x := d.t.x
	switch {
	case len(path) < 2:
		return nil
	case path[0] == "user":
		return d.userFact(strings.Join(path[1:], "."))
	case path[0] == "steps" && len(path) > 2 && path[2] == "outputs":
		return d.output(path[1], path[3:])
	case path[0] == "steps" && len(path) > 2 && path[2] == "error":
		return inside(d.parse(failed(path[1]), x.Outputs[failed(path[1])]), path[3:])
	case path[0] == "flow" && path[1] == "inputs":
		return inside(map[string]any{"parameters": d.parse("", x.Inputs), "headers": d.headers()}, path[2:])
	case path[0] == "flow":
		return d.flow(strings.Join(path[1:], "."))
	}
	return nil
}

// headers are those of the request that is at work.
func (d *data) headers() map[string]any {
	c := d.t.caller.Client
	return map[string]any{"user-agent": c.UserAgent, "accept-language": c.Locales}
}

func (d *data) flow(name string) any {
	x := d.t.x
	switch name {
	case "id":
		return x.Ref.ID
	case "definition.id":
		return x.Request.Definition
	case "request.http.remoteIp":
		if ip := d.t.caller.Client.RemoteIP; ip.IsValid() {
			return ip.Unmap().String()
		}
	}
	who, is := strings.CutPrefix(name, "context.user")
	if !is || x.User.ID == "" {
		return nil
	}
	user := map[string]any{"id": x.User.ID, "username": x.User.Username, "population": map[string]any{"id": x.User.Population}}
	if x.User.Given != "" || x.User.Family != "" {
		user["name"] = map[string]any{"given": x.User.Given, "family": x.User.Family}
	}
	if who == "" {
		return user
	}
	return inside(user, strings.Split(who[1:], "."))
}

// userFact reads an attribute of the execution's user, live.
func (d *data) userFact(name string) any {
	if d.t.x.User.ID == "" {
		return nil
	}
	facts, there := d.parsed["user"].(map[string]any)
	if !there {
		var err error
		if facts, err = d.t.e.Users.Facts(d.ctx, d.t.x.Ref.Env, d.t.x.User.ID); err != nil {
			d.keep(err)
		}
		d.parsed["user"] = facts
	}
	return facts[name]
}

// output is what a node put out, with the secrets that lie at or in the path.
func (d *data) output(key string, path []string) any {
	v := inside(d.parse(key, d.t.x.Outputs[key]), path)
	at := secret(key, path)
	for name, sealed := range d.t.x.Secrets {
		rest, in := strings.CutPrefix(name, at)
		if !in || rest != "" && len(path) > 0 && rest[0] != '.' {
			continue
		}
		plain, err := d.t.e.Keys.Open(sealed, d.t.x.Ref.Env, "flow/"+d.t.x.Ref.ID+"/"+name)
		if err != nil {
			d.keep(fmt.Errorf("secret of node %q: %w", key, err))
			return nil
		}
		d.opened[name] = flow.Secret(plain)
		if rest == "" {
			return flow.Secret(plain)
		}
		v = with(v, strings.Split(strings.TrimPrefix(rest, "."), "."), flow.Secret(plain))
	}
	return v
}

func (d *data) keep(err error) {
	if d.err == nil {
		d.err = err
	}
}

// parse decodes a part of the record once, its numbers as they were written.
func (d *data) parse(name string, b []byte) any {
	if v, there := d.parsed["\x00"+name]; there || len(b) == 0 {
		return v
	}
	var v any
	numbers := json.NewDecoder(bytes.NewReader(b))
	numbers.UseNumber()
	if err := numbers.Decode(&v); err != nil {
		d.keep(fmt.Errorf("data of node %q: %w", name, err))
	}
	d.parsed["\x00"+name] = v
	return v
}

// inside follows a path through objects.
func inside(v any, path []string) any {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// with is v with one more member; what is there is not changed.
func with(v any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	old, _ := v.(map[string]any)
	m := make(map[string]any, len(old)+1)
	for k, x := range old {
		m[k] = x
	}
	m[path[0]] = with(m[path[0]], path[1:], value)
	return m
}
