package configs

import (
	"context"
	"embed"
	"encoding/json"
	"path"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// newborn is what an environment has from the beginning, as files without ids.
// Source: reference/management.md 5.1, as far as there are such kinds.
//
//go:embed newborn
var newborn embed.FS

// CreateEnvironment makes an environment of a body, with a default population, the
// password policy Standard, an MFA and a FIDO2 policy and the sign-on policy
// Single_Factor. Where the body gives no authBase it is reached at the deployment's own address. The error is
// Faults.
func (e *Editor) CreateEnvironment(ctx context.Context, body []byte) (Item, error) {
	var env string
	err := e.inTurn(ctx, func() error {
		env = e.newID()
		return e.found(ctx, env, body)
	})
	kind := kindOf(e.kinds, kindEnvironment)
	return e.written(ctx, env, kind, nil, env, nil, err)
}

func (e *Editor) found(ctx context.Context, env string, body []byte) error {
	kind := kindOf(e.kinds, kindEnvironment)
	m, err := kind.sent(body)
	if err != nil {
		return err
	}
	c, err := e.begin(ctx, env)
	if err != nil {
		return err
	}
	c.tree.env, m["id"] = env, raw(env)
	if m["authBase"] == nil {
		m["authBase"] = raw("{base}")
	}
	if d, _ := c.write(kind, env, m, nil).doc.(*environmentDocument); d.Managed {
		c.faults.Add(root.Member("managed"), "takes true in a file only, since it is files that keep such an environment")
	}
	for _, name := range []string{kindPasswordPolicy, kindPopulation, kindFIDO2Policy, kindMFAPolicy, kindSignOnPolicy} {
		k := kindOf(e.kinds, name)
		b, err := newborn.ReadFile(path.Join("newborn", k.Name+".json"))
		if err != nil {
			return err
		}
		first := object{}
		if err := json.Unmarshal(b, &first); err != nil {
			return err
		}
		id := e.newID()
		first["id"] = raw(id)
		c.write(k, id, first, nil).place = k.Title
	}
	if err := c.namesakes(ctx); err != nil {
		return err
	}
	_, err = c.commit(ctx)
	return err
}

// namesakes holds that no other environment has the name of this one.
func (c *change) namesakes(ctx context.Context) error {
	own := c.tree.all[kindEnvironment][0]
	all, err := c.store.Environments(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		other := own.kind.stored(r, nil)
		if other.id != c.env && other.name == own.name {
			c.faults = append(c.faults, policy.Fault{Path: root.Member("name"), Code: flow.UniquenessViolation, Message: "is that of another environment too"})
			return nil
		}
	}
	return nil
}

// RemoveEnvironment removes an environment with all its configuration. Its users
// and what they have done stay in the database, where nobody reaches them.
func (e *Editor) RemoveEnvironment(ctx context.Context, env string) error {
	return e.inTurn(ctx, func() error {
		c, err := e.unmanaged(ctx, env, kindOf(e.kinds, kindEnvironment))
		if err != nil {
			return err
		}
		_, err = c.store.Edit(ctx, flow.Edit{Env: env, Remove: c.before, Expected: c.revision})
		return err
	})
}

// Secret returns the secret of an application; flow.ErrUnknown when it has none.
func (e *Editor) Secret(ctx context.Context, env, application string) (string, error) {
	all, err := e.store.Secrets(ctx, env)
	if err != nil {
		return "", err
	}
	if s := all[secretKey(kindApplication, application, "secret")]; len(s) > 0 {
		return string(s), nil
	}
	return "", flow.ErrUnknown
}

// RotateSecret gives an application a new secret, and returns it. The old one is
// of no use from then on. The error is Faults for an application that has none,
// and otherwise one of Create's.
func (e *Editor) RotateSecret(ctx context.Context, env, application string) (string, error) {
	secret := e.newSecret()
	_, err := e.change(ctx, env, kindOf(e.kinds, kindApplication), func(c *change) error {
		app := c.tree.find(kindApplication, application)
		if app == nil {
			return flow.ErrUnknown
		}
		if d, _ := app.doc.(*applicationDocument); !d.confidential() {
			return refused(root.Member("tokenEndpointAuthMethod"), "is NONE: the application has no secret")
		}
		app.secrets["secret"] = secret
		c.put = append(c.put, app)
		return nil
	})
	return secret, err
}
