package account

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"doorward/forms"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

// home is the first page.
func (f *Face) home(v *visit) error {
	page := forms.AccountHome{
		Account: f.account(v), Name: strings.TrimSpace(v.user.Given + " " + v.user.Family), Email: v.user.Email, Phone: v.user.ProfileText("mobilePhone"),
		Password: !v.user.PasswordChangedAt.IsZero(), SignOff: v.env.SignOffURL(),
	}
	page.Number = page.Phone != "" || f.sends(v)
	f.send(v, http.StatusOK, func(p *forms.Pages, set forms.Setting) []byte { return p.AccountHome(set, page) })
	return nil
}

// active are the person's devices that may be asked, in the order in which they are.
func (f *Face) active(v *visit) ([]device.Device, error) {
	all, err := f.Factors.Devices(v.Context(), v.who(""))
	if err != nil {
		return nil, flow.Busy(err)
	}
	return slices.DeleteFunc(slices.Clone(all), func(d device.Device) bool { return d.Status != device.Active }), nil
}

// shown is a device as its owner sees it. Recovery codes are asked last, wherever they
// stand.
func (f *Face) shown(list []device.Device, i int) forms.AccountDevice {
	d := &list[i]
	return forms.AccountDevice{
		ID: d.ID, Type: string(d.Type), Nickname: d.Nickname, Name: d.Name, Target: d.Masked(),
		Locked: d.LockedUntil.After(f.Now()), Blocked: !d.BlockedAt.IsZero(),
		First: len(list) > 1 && i == slices.IndexFunc(list, func(d device.Device) bool { return d.Type != device.Recovery }),
	}
}

func (f *Face) devices(v *visit) error {
	list, err := f.active(v)
	if err != nil {
		return err
	}
	shown := make([]forms.AccountDevice, 0, len(list))
	for i := range list {
		shown = append(shown, f.shown(list, i))
	}
	page := f.account(v)
	f.known(v, &page)
	f.send(v, http.StatusOK, func(p *forms.Pages, set forms.Setting) []byte { return p.AccountDevices(set, page, shown) })
	return nil
}

// named finds the device of the path among the person's own: nobody else's is there.
func (f *Face) named(v *visit) ([]device.Device, int, error) {
	list, err := f.active(v)
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(list, func(d device.Device) bool { return d.ID == v.PathValue("device") })
	if i < 0 {
		return nil, 0, missing(nil)
	}
	return list, i, nil
}

func (f *Face) device(v *visit) error { return f.showDevice(v, nil, nil) }

// showDevice draws the page of one device, with what was not taken.
func (f *Face) showDevice(v *visit, typed map[string]string, fault *flow.Fault) error {
	list, i, err := f.named(v)
	if err != nil {
		return err
	}
	page, d, status := f.account(v), f.shown(list, i), http.StatusOK
	if fault != nil {
		page.Typed, page.Fault, status = typed, fault, http.StatusBadRequest
	}
	if len(list) == 1 || list[i].Type == device.Recovery {
		d.First = true // there is nothing to put it before
	}
	f.send(v, status, func(p *forms.Pages, set forms.Setting) []byte { return p.AccountDevice(set, page, d) })
	return nil
}

// changeDevice names a device, or has it asked first.
func (f *Face) changeDevice(v *visit) error {
	list, i, err := f.named(v)
	if err != nil {
		return err
	}
	here := "/devices/" + list[i].ID
	switch v.form.Action {
	case forms.NameDevice:
		typed, err := v.read(flow.Field{Name: "nickname", Type: flow.TypeText})
		if err != nil {
			return err
		}
		name, calm := mfa.Nickname(typed["nickname"])
		if !calm {
			return f.showDevice(v, typed, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "nickname", Message: "A name has at most 100 letters, and no line breaks."}))
		}
		if err := f.Devices.Nickname(v.Context(), v.env.ID, v.session.User.ID, list[i].ID, name); err != nil {
			return missing(err)
		}
		f.record(v, flow.Event{Type: flow.DeviceChanged, Reason: "nickname"})
		v.see(here + "?done=named")
		return nil
	case forms.FirstDevice:
		ids := []string{list[i].ID}
		for _, d := range list {
			if d.ID != list[i].ID {
				ids = append(ids, d.ID)
			}
		}
		if err := f.Devices.Reorder(v.Context(), v.env.ID, v.session.User.ID, ids); err != nil {
			return missing(err)
		}
		f.record(v, flow.Event{Type: flow.DeviceChanged, Reason: "order"})
		v.see("/devices?done=first")
		return nil
	}
	return unoffered()
}

func unoffered() error {
	return &flow.Fault{Code: flow.InvalidRequest, Message: "This page has no such form. Load it again."}
}

// removable is what the removal of a device comes to.
func (f *Face) removable(v *visit, list []device.Device, i int) (forms.Removal, error) {
	of := func(holds func(device.Device) bool) int {
		n := 0
		for _, d := range list {
			if holds(d) {
				n++
			}
		}
		return n
	}
	if list[i].Type == device.Recovery || of(func(d device.Device) bool { return d.Type != device.Recovery }) > 1 {
		if !list[i].Type.IsFIDO2() || of(func(d device.Device) bool { return d.Type.IsFIDO2() }) > 1 {
			return forms.OneOfSeveral, nil
		}
		return passwordless(v, forms.OneOfSeveral), nil
	}
	needed, err := f.demandsDevices(v)
	switch {
	case err != nil:
		return forms.NeededDevice, err
	case needed:
		return forms.NeededDevice, nil
	case list[i].Type.IsFIDO2():
		return passwordless(v, forms.LastDevice), nil
	}
	return forms.LastDevice, nil
}

// passwordless is OnlyPasskey for whoever has no password to sign on with, or else
// what it is otherwise.
func passwordless(v *visit, otherwise forms.Removal) forms.Removal {
	if v.user.PasswordChangedAt.IsZero() {
		return forms.OnlyPasskey
	}
	return otherwise
}

// demandsDevices reports whether the default sign-on policy asks for a device.
func (f *Face) demandsDevices(v *visit) (bool, error) {
	plans, err := v.bundle.Plans(nil, nil)
	if err != nil {
		return true, err
	}
	for _, hash := range plans {
		plan, err := f.Tenants.Plan(v.Context(), v.env.ID, hash)
		if err != nil {
			return true, flow.Busy(err)
		}
		for _, n := range plan.Nodes {
			if n.Kind == "MFA_CHALLENGE" {
				return true, nil
			}
		}
	}
	return false, nil
}

func (f *Face) removal(v *visit) error {
	list, i, err := f.named(v)
	if err != nil {
		return err
	}
	what, err := f.removable(v, list, i)
	if err != nil {
		return err
	}
	page, d := f.account(v), f.shown(list, i)
	f.send(v, http.StatusOK, func(p *forms.Pages, set forms.Setting) []byte { return p.AccountRemoval(set, page, d, what) })
	return nil
}

// remove removes a device. Recovery codes stand in for another one and go with the
// last, before it: whatever happens in between, none is left that stands alone.
func (f *Face) remove(v *visit) error {
	list, i, err := f.named(v)
	if err != nil {
		return err
	}
	what, err := f.removable(v, list, i)
	switch {
	case err != nil:
		return err
	case v.form.Action != forms.RemoveDevice:
		return unoffered()
	case what == forms.NeededDevice || what == forms.OnlyPasskey:
		v.see(v.page())
		return nil
	}
	gone := []string{list[i].ID}
	for _, d := range list {
		if what == forms.LastDevice && d.Type == device.Recovery {
			gone = append([]string{d.ID}, gone...)
		}
	}
	for _, id := range gone {
		if err := f.Factors.Delete(v.Context(), v.who(id), id); err != nil && !errors.Is(err, flow.ErrUnknown) {
			return flow.Busy(err)
		}
		f.record(v, flow.Event{Type: flow.DeviceDeleted})
	}
	f.Posted()
	v.see("/devices?done=removed")
	return nil
}
