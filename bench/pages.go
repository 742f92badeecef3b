package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// What a page takes over the JSON of the same state: the hosted page of a sign-on at
// its first step, and that of somebody who chooses one of several devices.
const (
	firstPage   = "page at the first step, 8 clients"
	choiceJSON  = "GET at a choice of devices, 8 clients"
	choicePage  = "page at a choice of devices, 8 clients"
	devicesEach = 3
)

func pageRows() []row {
	over := func(name, page, view string) row {
		return row{name: name, unit: "us", arms: []string{page, view}, target: atMost(60), values: func(r results) (sample, sample) {
			return r[page].total().minus(r[view].total()), nil
		}}
	}
	return []row{
		over("page of a sign-on over its JSON, CPU", firstPage, readOf(onRedis, 8)),
		over("page of a choice of devices over its JSON, CPU", choicePage, choiceJSON),
	}
}

func (h *house) pageArms(length time.Duration) []arm {
	return []arm{
		{name: firstPage, run: h.load(onRedis, 8, length, (*visitor).page)},
		{name: choiceJSON, run: h.load(onRedis, 8, length, (*visitor).read, h.chooses)},
		{name: choicePage, run: h.load(onRedis, 8, length, (*visitor).page, h.chooses)},
	}
}

// page looks at the hosted page of the flow.
func (v *visitor) page() error {
	id := v.flow[strings.LastIndexByte(v.flow, '/')+1:]
	return v.send(http.StatusOK, http.MethodGet, "/"+environment+"/signon/?flowId="+id, "", "")
}

// chooses brings a client to where it chooses one of its user's devices.
func (h *house) chooses(v *visitor) error {
	if err := h.equip(v); err != nil {
		return err
	}
	if err := v.authorizeAs(choosingApp); err != nil {
		return err
	}
	if err := v.check(); err != nil {
		return err
	}
	if status, _ := member(v.last.body, `"status":"`); status != "DEVICE_SELECTION_REQUIRED" {
		return fmt.Errorf("after a password the flow is in %s", status)
	}
	return nil
}

// equip gives the client's user some devices, the first time.
func (h *house) equip(v *visitor) error {
	if h.equipped[v.user] {
		return nil
	}
	defer func() { v.authorization, v.etag = "", "" }()
	v.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(workerApp+":"+workerSecret))
	if err := v.send(http.StatusOK, http.MethodPost, "/"+environment+"/as/token", "application/x-www-form-urlencoded", "grant_type=client_credentials"); err != nil {
		return err
	}
	token, _ := member(v.last.body, `"access_token":"`)
	v.authorization = "Bearer " + token
	for i := range devicesEach {
		body := fmt.Sprintf(`{"type":"EMAIL","email":"%s-%d@devices.example","status":"ACTIVE"}`, v.user, i)
		if err := v.send(http.StatusCreated, http.MethodPost, "/v1/environments/"+environment+"/users/"+userID(v.user)+"/devices", "application/json", body); err != nil {
			return err
		}
	}
	h.equipped[v.user] = true
	return nil
}
