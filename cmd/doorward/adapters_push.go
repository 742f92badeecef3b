package main

import (
	"context"
	"errors"
	"fmt"

	"doorward/configs"
	"doorward/delivery"
	"doorward/devices"
	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/httpapi"
	"doorward/runtime/mfa"
)

// openMobiles puts the face that the apps of people speak to on the server, and looks
// for their news until ctx ends.
func (h *house) openMobiles(ctx context.Context, server *httpapi.Server) *devices.Face {
	of := apps{h.devices, h.users, h.registry, h.factors}
	face := devices.New(devices.Parts{
		Tenants: h.registry, Devices: of, Codes: of, Pushes: of, Board: of, Names: of, Tries: h.expiring, Keys: h.ring,
		Problems: server, Events: h.events, Now: h.now, Stopping: server.Stopping(),
	})
	face.Register(server) //nolint:contextcheck // requests have contexts of their own
	go face.Watch(ctx, func(err error) {
		if err != nil {
			h.log.Error("devices that wait are not told of what other nodes do", "error", err)
			return
		}
		h.log.Info("devices that wait are told again of what other nodes do")
	})
	return face
}

// address gives a request that sends pushes where the app of a device is reached, as it
// is at this moment.
func (p phones) address(ctx context.Context, t delivery.Text, given map[string]any) error {
	d, err := p.apps.Mobile(ctx, t.Env, t.To)
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return &delivery.Failure{Reason: delivery.Nobody, Final: true, Cause: "the device is no longer paired"}
	case err != nil:
		return &delivery.Failure{Reason: delivery.Unreachable, Cause: "the device could not be read"}
	}
	given[configs.InputTo], given[configs.InputDevice], given[configs.InputApplication] = d.Alert, d.ID, d.Application
	return nil
}

// apps are the directory's devices as their own face sees them. They fill
// devices.Devices, devices.Codes, devices.Pushes, devices.Board and devices.Names.
type apps struct {
	*directory.Devices
	users   *directory.Users
	tenants *configs.Registry
	factors *mfa.Service // writes what people are told of their devices
}

// Pair implements devices.Devices.
func (a apps) Pair(ctx context.Context, c devices.Claim) (device.Device, error) {
	in := directory.Pair{Env: c.Env, Hash: c.Hash, Key: c.Key, Name: c.Name, Alert: c.Alert, Most: 1, MFAEnabled: true}
	if b, served := a.tenants.Bundle(c.Env); served {
		in.Most = b.MFASettings().MaxDevices
	}
	of, err := a.PairingOf(ctx, c.Env, c.Hash)
	switch {
	case errors.Is(err, flow.ErrUnknown): // or used: then nobody is told twice
	case err != nil:
		return device.Device{}, err
	default:
		in.Notice, err = a.factors.Notice(ctx, mfa.Who{Env: c.Env, UserID: of.UserID}, &device.Device{Type: device.Mobile, Policy: of.Policy}, true)
		if err != nil {
			return device.Device{}, err
		}
	}
	if in.Seed, err = a.factors.NewSeed(); err != nil {
		return device.Device{}, err
	}
	d, err := a.Devices.Pair(ctx, in)
	switch {
	case errors.Is(err, directory.ErrTooManyDevices):
		return d, fmt.Errorf("%w: %w", devices.ErrTooMany, err)
	case errors.Is(err, directory.ErrDuplicateDevice):
		return d, fmt.Errorf("%w: %w", devices.ErrPaired, err)
	}
	return d, err
}

// Computed implements devices.Codes.
func (a apps) Computed(d *device.Device) (device.Computed, bool) { return a.factors.Computed(d) }

// Unpair implements devices.Devices.
func (a apps) Unpair(ctx context.Context, d device.Device) error {
	notice, err := a.factors.Notice(ctx, mfa.Who{Env: d.Env, UserID: d.UserID}, &d, false)
	if err != nil {
		return err
	}
	err = a.Delete(ctx, d.Env, d.UserID, d.ID, notice, "unpair/"+d.ID)
	if errors.Is(err, flow.ErrUnknown) {
		return nil
	}
	return err
}

// Push implements devices.Pushes.
func (a apps) Push(ctx context.Context, env, of, id string) (device.Push, error) {
	return a.PushOf(ctx, env, of, id)
}

// Username implements devices.Names.
func (a apps) Username(ctx context.Context, env, userID string) (string, error) {
	u, err := a.users.Get(ctx, env, userID)
	return u.Username, err
}
