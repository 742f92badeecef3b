package management

import (
	"encoding/hex"
	"maps"
	"slices"
	"strconv"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

func (c *call) devicesURL(user string) string { return c.userURL(user) + "/devices" }

// showDevice is a device as every answer shows one. Where codes go is masked.
// Source: reference/flows.md 8.2; reference/management.md 5.10; credential and
// activatedAt to lastUsedAt are ours.
func (c *call) showDevice(d device.Device) object {
	o := object{{"_links", c.deviceLinks(d)}, {"id", d.ID}, {"environment", relation(c.env)}, {"user", relation(d.UserID)}}
	o = o.with("type", d.Type).with("status", d.Status).text("nickname", d.Nickname).text("name", d.Name)
	switch {
	case d.Phone != "":
		o = o.with("phone", d.Masked())
	case d.Email != "":
		o = o.with("email", d.Masked())
	}
	if d.Application != "" {
		o = o.with("application", relation(d.Application))
	}
	if d.Policy != "" {
		o = o.with("policy", relation(d.Policy))
	}
	o = o.with("userRetries", d.Wrong)
	block, lock := object{{"status", "UNBLOCKED"}}, object{{"status", "UNLOCKED"}}
	if !d.BlockedAt.IsZero() {
		block = object{{"status", "BLOCKED"}}.time("blockedAt", d.BlockedAt)
	}
	if d.LockedUntil.After(c.api.Now()) {
		lock = object{{"status", "LOCKED"}}.time("expiresAt", d.LockedUntil)
	}
	o = o.with("block", block).with("lock", lock)
	if d.Credential != nil {
		o = o.with("credential", showCredential(d.Credential))
	}
	return o.time("createdAt", d.CreatedAt).time("updatedAt", d.UpdatedAt).time("activatedAt", d.ActivatedAt).time("lastUsedAt", d.LastUsedAt)
}

// deviceLinks are those of a device: what can be done with it now.
func (c *call) deviceLinks(d device.Device) object {
	self := c.devicesURL(d.UserID) + "/" + d.ID
	l := links("self", self, "environment", c.base(), "user", c.userURL(d.UserID))
	if d.Status == device.ActivationRequired {
		l = l.link("device.activate", self)
		if d.Type.IsSent() {
			l = l.link("device.sendActivationCode", self)
		}
	}
	if d.BlockedAt.IsZero() {
		l = l.link("device.block", self)
	} else {
		l = l.link("device.unblock", self)
	}
	if d.LockedUntil.After(c.api.Now()) {
		l = l.link("device.unlock", self)
	}
	return l.link("nickname", self+"/nickname").link("logs", self+"/logs")
}

// showCredential is what a passkey says of itself, and no key.
func showCredential(k *device.Credential) object {
	o := object{{"relyingPartyId", k.RPID}}.text("aaguid", aaguid(k.AAGUID)).text("attestationFormat", k.Format)
	if k.Attachment != "" {
		o = o.with("authenticatorAttachment", k.Attachment)
	}
	o = append(o, member{"discoverable", k.Discoverable}, member{"userVerified", k.Verified}, member{"backupEligible", k.BackupEligible}, member{"backedUp", k.BackedUp})
	if k.Suspected {
		o = o.with("cloneSuspected", true)
	}
	return o
}

// aaguid is the model of an authenticator as a UUID; empty: it does not say.
func aaguid(id [16]byte) string {
	if id == [16]byte{} {
		return ""
	}
	s := hex.EncodeToString(id[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// readOrder are the ids of {"order": [{"id": …}, …]}.
func readOrder(v flow.Values) ([]string, error) {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if name != "order" {
			return nil, flow.Invalid(unknownMember(name, "order"))
		}
	}
	return idsOf(v, "order")
}

// strangers says which ids are none of the user's devices.
func strangers(ids []string, all []device.Device) []flow.Detail {
	var out []flow.Detail
	for i, id := range ids {
		if !slices.ContainsFunc(all, func(d device.Device) bool { return d.ID == id }) {
			at := strconv.Itoa(i)
			out = append(out, flow.Detail{Code: flow.InvalidValue, Target: "order[" + at + "].id", Pointer: "/order/" + at + "/id", Message: "The user has no such device; GET the devices to see which there are."})
		}
	}
	return out
}

// oneText is the one member of a document.
func oneText(v flow.Values, name string) (string, error) {
	for _, other := range slices.Sorted(maps.Keys(v)) {
		if other != name {
			return "", flow.Invalid(unknownMember(other, name))
		}
	}
	s, is := v[name].(string)
	if !is && v[name] != nil {
		return "", flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: name, Pointer: "/" + name, Message: name + " takes a string."})
	}
	return s, nil
}
