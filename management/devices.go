package management

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"unicode"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// devicesPath is the collection of a user's devices, and devicePath one of them.
const (
	devicesPath = userPath + "/devices"
	devicePath  = devicesPath + "/:device"
)

// deviceRoutes are the routes of a user's devices and of what belongs to them.
// Source: reference/flows.md 8.2; reference/management.md 5.10.
func deviceRoutes() []route {
	routes := []route{
		{devicesPath, []operation{
			{method: http.MethodGet, access: identities, params: []string{"limit", "cursor"}, run: listDevices},
			{method: http.MethodPost, access: identities, types: []string{jsonType}, run: createDevice},
			{method: http.MethodPost, access: identities, types: action("devices.reorder"), run: reorderDevices},
			{method: http.MethodPost, access: identities, types: action("devices.order.remove"), run: removeDeviceOrder},
		}},
		{devicePath, append(deviceActions(),
			operation{method: http.MethodGet, access: identities, run: readDevice},
			operation{method: http.MethodDelete, access: identities, run: deleteDevice},
		)},
		{devicePath + "/nickname", []operation{{method: http.MethodPut, access: identities, types: []string{jsonType}, run: putNickname}}},
		{devicePath + "/logs", []operation{{method: http.MethodGet, access: identities, params: []string{"limit", "cursor"}, run: listDeviceLogs}}},
	}
	return slices.Concat(routes, pairingKeyRoutes(), browserRoutes(), certificateRoutes())
}

// deviceActions are what can be done with a device, by POST and media type. All but
// device.activate are ours, under names of that form.
func deviceActions() []operation {
	var out []operation
	for _, a := range []struct {
		name string
		run  func(c *call) (*answer, error)
	}{
		{"device.activate", activateDevice},
		{"device.sendActivationCode", sendActivationCode},
		{"device.block", changed((*directory.Devices).Block)},
		{"device.unblock", changed((*directory.Devices).Unblock)},
		{"device.unlock", changed((*directory.Devices).Unlock)},
	} {
		out = append(out, operation{method: http.MethodPost, access: identities, types: action(a.name), run: a.run})
	}
	return out
}

// device is the one that the path names.
func (c *call) device() (device.Device, error) {
	d, err := c.api.Devices.Get(c.Context(), c.env, c.PathValue("id"), c.PathValue("device"))
	return d, absent(err)
}

func listDevices(c *call) (*answer, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	return c.devices(u.ID)
}

// devices are those of a user, in the order in which they are tried.
func (c *call) devices(user string) (*answer, error) {
	all, err := c.api.Devices.List(c.Context(), c.env, user)
	if err != nil {
		return nil, unserved(err)
	}
	var rows []row
	for i, d := range all {
		rows = append(rows, row{key: fmt.Sprintf("%04d", i), id: d.ID, show: func() any { return c.showDevice(d) }})
	}
	page, err := c.page("devices", rows, "")
	if err != nil {
		return nil, err
	}
	return ok(page)
}

func readDevice(c *call) (*answer, error) {
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	o := c.showDevice(d)
	if d.Type == device.Recovery {
		left, err := c.api.Devices.CodesLeft(c.Context(), c.env, d.ID)
		if err != nil {
			return nil, unserved(err)
		}
		o = o.with("codesLeft", left)
	}
	return ok(o)
}

// showDeviceNow is the answer to an action: the device as it is then.
func (c *call) showDeviceNow() (*answer, error) {
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	return ok(c.showDevice(d))
}

// aboutDevice records what was done to a device.
func (c *call) aboutDevice(e flow.EventType, what string) {
	c.api.record(c, flow.Event{Type: e, User: c.PathValue("id"), Reason: what + " " + c.PathValue("device")})
}

// changed is an action that takes no members.
func changed(do func(s *directory.Devices, ctx context.Context, env, user, id string) error) func(c *call) (*answer, error) {
	return func(c *call) (*answer, error) {
		if _, err := input[struct{}](c); err != nil {
			return nil, err
		}
		if err := do(c.api.Devices, c.Context(), c.env, c.PathValue("id"), c.PathValue("device")); err != nil {
			return nil, absent(err)
		}
		c.aboutDevice(flow.DeviceChanged, "device")
		return c.showDeviceNow()
	}
}

// nicknameMost is the longest nickname, in characters.
const nicknameMost = 100

func putNickname(c *call) (*answer, error) {
	v, err := c.document()
	if err != nil {
		return nil, err
	}
	delete(v, "_links")
	name, err := oneText(v, "nickname")
	if err != nil {
		return nil, err
	}
	if fault := nicknameFault(name); fault != nil {
		return nil, flow.Invalid(*fault)
	}
	if err := c.api.Devices.Nickname(c.Context(), c.env, c.PathValue("id"), c.PathValue("device"), name); err != nil {
		return nil, absent(err)
	}
	c.aboutDevice(flow.DeviceChanged, "device.nickname")
	return c.showDeviceNow()
}

// nicknameFault is what keeps a text from being a nickname; nil: nothing does.
func nicknameFault(name string) *flow.Detail {
	d := flow.Detail{Code: flow.InvalidValue, Target: "nickname", Pointer: "/nickname", Message: "nickname takes printable characters."}
	if len([]rune(name)) > nicknameMost {
		d.Code, d.Message = flow.SizeLimitExceeded, "nickname takes at most "+strconv.Itoa(nicknameMost)+" characters."
		return &d
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return &d
		}
	}
	return nil
}

// reorderDevices puts devices into the order in which they are tried. The first one
// that can be used is the default. Source: reference/flows.md 8.1.
func reorderDevices(c *call) (*answer, error) {
	v, err := c.document()
	if err != nil {
		return nil, err
	}
	ids, err := readOrder(v)
	if err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	all, err := c.api.Devices.List(c.Context(), c.env, u.ID)
	if err != nil {
		return nil, unserved(err)
	}
	if faults := strangers(ids, all); len(faults) > 0 {
		return nil, flow.Invalid(faults...)
	}
	if err := c.api.Devices.Reorder(c.Context(), c.env, u.ID, ids); err != nil {
		return nil, absent(err)
	}
	c.about(u.ID, flow.DeviceChanged)
	return c.devices(u.ID)
}

func removeDeviceOrder(c *call) (*answer, error) {
	if _, err := input[struct{}](c); err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	if err := c.api.Devices.RemoveOrder(c.Context(), c.env, u.ID); err != nil {
		return nil, absent(err)
	}
	c.about(u.ID, flow.DeviceChanged)
	return c.devices(u.ID)
}
