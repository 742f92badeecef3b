// Package devices is the face that MOBILE devices speak to: an app is paired with a
// code, shows the sign-ons that wait for its person, and takes the answer. docs/devices.md
// describes it for those who write one; devices/client is one.
//
// Every request is signed by the device's own key, over all that it asks for, and is
// good once: no token is handed out that could be stolen. Source: RFC 9449, of which
// this is the form that knows no token; devices/proof.
//
// It holds no state but who is waiting. What lasts is in the directory: a pairing is
// good once, and a push is answered once, whatever is sent twice and whichever node it
// comes to.
package devices
