package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"doorward/configs"
	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// A user of the files is made once and whole: a start that was cut short is gone on with,
// and who was removed stays away.
func TestAUserOfTheFilesIsMadeOnceAndWhole(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	ring, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	db, err := directory.Open(ctx, directory.Options{Path: ":memory:", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	users := directory.NewUsers(db, directory.NewHasher(directory.Params{Memory: 8, Time: 1, Threads: 1}, 1, time.Now), time.Now)
	s := seeds{users, directory.NewDevices(db, ring, time.Now)}
	const id = "d0000000-0000-4000-8000-0000000000f1"
	of := func(d device.Device) device.Device {
		d.Env, d.UserID, d.Status = demoEnvironment, id, device.Active
		return d
	}
	u := configs.User{
		ID: id, Env: demoEnvironment, Username: "kim", Population: "p", Enabled: true, Password: "correct horse",
		Devices: []device.Device{of(device.Device{Type: device.Email, Email: "Kim@example.com"}), of(device.Device{Type: device.SMS, Phone: "+4930123456"})},
	}
	if _, err := users.Seed(ctx, directory.User{ID: id, Env: u.Env, Username: u.Username, Population: u.Population, Enabled: true}, u.Password); err != nil {
		t.Fatal(err)
	}
	if _, err := s.devices.Create(ctx, directory.NewDevice{Device: of(device.Device{Type: device.SMS, Phone: "+4930123456"})}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first one finds a user with half their devices
		if err := s.Seed(ctx, u); err != nil {
			t.Fatal(err)
		}
		held, err := s.devices.List(ctx, u.Env, id)
		if err != nil || len(held) != 2 {
			t.Fatalf("%d devices, %v", len(held), err)
		}
	}
	twin := u // of an environment that is a copy
	twin.Env, twin.Devices = "d0000000-0000-4000-8000-000000000002", slices.Clone(u.Devices)
	for i := range twin.Devices {
		twin.Devices[i].Env = twin.Env
	}
	if err := s.Seed(ctx, twin); err != nil {
		t.Fatal(err)
	}
	if held, err := s.devices.List(ctx, twin.Env, id); err != nil || len(held) != 2 {
		t.Fatalf("%d devices of the copy, %v", len(held), err)
	}
	if err := users.Delete(ctx, u.Env, id); err != nil {
		t.Fatal(err)
	}
	if err := s.Seed(ctx, u); err != nil {
		t.Fatal(err)
	}
	if _, err := users.Get(ctx, u.Env, id); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("who was removed is there again: %v", err)
	}
}
