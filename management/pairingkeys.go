package management

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

// pairingKeyRoutes are the keys by which applications on devices pair with a user.
// Source: reference/management.md 5.10.
func pairingKeyRoutes() []route {
	const path = userPath + "/pairingKeys"
	return []route{
		{path, []operation{{method: http.MethodPost, access: identities, types: []string{jsonType}, run: createPairingKey}}},
		{path + "/:pairingKey", []operation{
			{method: http.MethodGet, access: identities, run: readPairingKey},
			{method: http.MethodDelete, access: identities, run: deletePairingKey},
		}},
	}
}

// What has become of a pairing key. One that has expired is not there any more.
const (
	unclaimed = "UNCLAIMED"
	claimed   = "CLAIMED"
)

func (c *call) pairingKeyURL(user, id string) string { return c.userURL(user) + "/pairingKeys/" + id }

// showPairingKey is a pairing key, and nothing of which it could be made again.
func (c *call) showPairingKey(p directory.Pairing) object {
	l := links("self", c.pairingKeyURL(p.UserID, p.ID), "environment", c.base(), "user", c.userURL(p.UserID))
	status := unclaimed
	if p.Device != "" {
		status = claimed
		l = l.link("device", c.devicesURL(p.UserID)+"/"+p.Device)
	}
	o := object{{"_links", l}, {"id", p.ID}, {"environment", relation(c.env)}, {"user", relation(p.UserID)}, {"status", status}}
	applications := []any{}
	if p.Application != "" {
		applications = append(applications, relation(p.Application))
	}
	o = o.with("applications", applications)
	if p.Device != "" {
		o = o.with("device", relation(p.Device))
	}
	return o.time("createdAt", p.CreatedAt).time("expiresAt", p.ExpiresAt)
}

// createPairingKey makes a key that is shown this once.
func createPairingKey(c *call) (*answer, error) {
	v, err := c.document()
	if err != nil {
		return nil, err
	}
	application, policy, err := readPairing(v)
	if err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	if err := c.pairs(policy, device.Mobile); err != nil {
		return nil, err
	}
	got, err := c.enrol(&u, mfa.Enrolment{Type: device.Mobile, Application: application, Policy: policy})
	if err != nil {
		return nil, err
	}
	p := directory.Pairing{UserID: u.ID, ID: got.Device.ID, Application: application, CreatedAt: c.api.Now(), ExpiresAt: got.Until}
	shown := c.showPairingKey(p).with("code", got.Pairing).with("codeUri", device.PairingURI(c.bundle.Environment().AuthBase+"/"+c.env, got.Pairing))
	c.api.record(c, flow.Event{Type: flow.ManagementCreated, User: u.ID, Reason: "pairingKey " + p.ID})
	return created(c.pairingKeyURL(u.ID, p.ID), shown)
}

// readPairing is the application that a key is for and the policy that it is under.
func readPairing(v flow.Values) (application, policy string, err error) {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if name != "applications" && name != "policy" {
			return "", "", flow.Invalid(unknownMember(name, "applications, policy"))
		}
	}
	ids, err := idsOf(v, "applications")
	if err != nil {
		return "", "", err
	}
	if len(ids) != 1 {
		return "", "", flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "applications", Pointer: "/applications",
			Message: `applications takes one native application, as [{"id": …}]; make a key for each where there are several.`,
		})
	}
	if m, is := v["policy"].(map[string]any); is {
		policy, _ = m["id"].(string)
	}
	if v["policy"] != nil && policy == "" {
		return "", "", flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "policy.id", Pointer: "/policy/id", Message: `policy takes {"id": …} with the id of an MFA policy.`})
	}
	return ids[0], policy, nil
}

// idsOf are the ids of a member that is a list of resources, in their order.
func idsOf(v flow.Values, name string) ([]string, error) {
	list, is := v[name].([]any)
	if !is || len(list) == 0 {
		return nil, flow.Invalid(flow.Detail{Code: flow.RequiredValue, Target: name, Pointer: "/" + name, Message: name + ` takes a list of {"id": …}.`})
	}
	var ids []string
	for i, one := range list {
		m, _ := one.(map[string]any)
		id, _ := m["id"].(string)
		at := strconv.Itoa(i)
		switch {
		case id == "" || len(m) != 1:
			return nil, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: name + "[" + at + "]", Pointer: "/" + name + "/" + at, Message: `Each of ` + name + ` takes {"id": …} and nothing else.`})
		case slices.Contains(ids, id):
			return nil, flow.Invalid(flow.Detail{Code: flow.UniquenessViolation, Target: name + "[" + at + "].id", Pointer: "/" + name + "/" + at + "/id", Message: "The id stands there before."})
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// pairingKey is the one that the path names, if it is the user's.
func (c *call) pairingKey() (directory.Pairing, error) {
	p, err := c.api.Devices.Pairing(c.Context(), c.env, c.PathValue("pairingKey"))
	if err == nil && p.UserID != c.PathValue("id") {
		return directory.Pairing{}, notFound()
	}
	return p, absent(err)
}

func readPairingKey(c *call) (*answer, error) {
	p, err := c.pairingKey()
	if err != nil {
		return nil, err
	}
	return ok(c.showPairingKey(p))
}

// deletePairingKey makes a key of no use. The device that it has paired stays.
func deletePairingKey(c *call) (*answer, error) {
	p, err := c.pairingKey()
	if err != nil {
		return nil, err
	}
	if err := c.api.Devices.DropPairing(c.Context(), c.env, p.UserID, p.ID); err != nil {
		return nil, absent(err)
	}
	c.api.record(c, flow.Event{Type: flow.ManagementDeleted, User: p.UserID, Reason: "pairingKey " + p.ID})
	return nothing()
}
