package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/flow"
)

// secret is where a secret output of a node lies.
func secret(key string, path []string) string { return key + "\x00" + strings.Join(path, ".") }

// input resolves what a node is given. Secrets reach the inputs that its kind
// declares for them, and no others. It returns the secrets that reached one.
func (d *data) input(n *flow.Node, takes []string) (map[string]any, []string, error) {
	if n.Input == nil {
		return nil, nil, nil
	}
	in := n.Input.Resolve(d.find)
	if d.err != nil || len(d.opened) == 0 {
		return in, nil, d.err
	}
	var taken []flow.Secret
	in, _ = stripped(in, "", takes, &taken).(map[string]any)
	var used []string
	for name, plain := range d.opened {
		if slices.Contains(taken, plain) {
			used = append(used, name)
		}
	}
	return in, used, nil
}

// stripped is v without the secrets that lie elsewhere than at takes; those that
// stay are added to taken.
func stripped(v any, at string, takes []string, taken *[]flow.Secret) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, x := range v {
			if x = stripped(x, strings.TrimPrefix(at+"."+name, "."), takes, taken); x != nil {
				out[name] = x
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, x := range v {
			out = append(out, stripped(x, at+".", takes, taken))
		}
		return out
	case flow.Secret:
		if !slices.Contains(takes, at) {
			return nil
		}
		*taken = append(*taken, v)
	}
	return v
}

// store keeps what a node put out, secrets apart and sealed.
func (t *turn) store(n *flow.Node, outputs map[string]any) error {
	x, key := t.x, n.Place()
	t.dropSecrets(key)
	plain, err := t.apart(key, nil, outputs)
	if err != nil {
		return err
	}
	b, err := json.Marshal(plain)
	if err != nil {
		return fmt.Errorf("outputs of node %q: %w", n.Key, err)
	}
	if x.Outputs == nil {
		x.Outputs = map[string][]byte{}
	}
	x.Outputs[key] = b
	delete(x.Outputs, failed(key))
	return nil
}

// apart seals the secrets in v and returns the rest.
func (t *turn) apart(key string, path []string, v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, inner := range v {
			rest, err := t.apart(key, append(path[:len(path):len(path)], name), inner)
			if err != nil {
				return nil, err
			}
			if rest != nil {
				out[name] = rest
			}
		}
		return out, nil
	case flow.Secret:
		if v == "" {
			return nil, nil
		}
		name := secret(key, path)
		sealed, err := t.e.Keys.Seal([]byte(v), t.x.Ref.Env, "flow/"+t.x.Ref.ID+"/"+name)
		if err != nil {
			return nil, fmt.Errorf("secret of node %q: %w", key, err)
		}
		if t.x.Secrets == nil {
			t.x.Secrets = map[string][]byte{}
		}
		t.x.Secrets[name] = sealed
		return nil, nil
	}
	return v, nil
}

// dropSecrets forgets the secrets that a node put out earlier.
func (t *turn) dropSecrets(key string) {
	for name := range t.x.Secrets {
		if strings.HasPrefix(name, key+"\x00") {
			delete(t.x.Secrets, name)
		}
	}
}
