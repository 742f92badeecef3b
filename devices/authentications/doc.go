// Package authentications is the face of deviceAuthentications: an application that has
// shown who it is names a user, and that user is asked for a device, without a browser
// and without a sign-on. docs/device-authentications.md describes it.
//
// Each is an execution of a plan of one node (runtime/policy, DeviceAuthentication): the
// same engine, the same devices, the same counters and locks as in a sign-on. It belongs
// to the application that began it; nothing that a browser shows opens it, and its end
// signs nobody on. Source: reference/flows.md 8.3.
package authentications
