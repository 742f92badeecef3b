package flow

// Channel is the way by which a message reaches a person. Source:
// reference/management.md 5.13 (deliveryMethod).
type Channel string

// The channels.
const (
	Email Channel = "EMAIL"
	SMS   Channel = "SMS"
	Voice Channel = "VOICE" // a call, in which the message is read aloud
	Push  Channel = "PUSH"  // a notice to an app that it is asked something; To is the id of its device
)

// TestMessage is the template of a message that an administrator sends to see whether
// it arrives. It has a code of no use.
const TestMessage = "notification.test"

// PushMessage is the template of the notice by which an app is woken. It says that
// something waits, and not what.
const PushMessage = "push"

// E164 reports whether a number is written in the one way in which it can be dialled
// from everywhere: a plus, then 7 to 15 digits, of which the first is not 0. Source:
// ITU-T E.164 6; that no number has fewer than 7 digits is our own caution.
func E164(number string) bool {
	if len(number) < 8 || len(number) > 16 || number[0] != '+' || number[1] == '0' {
		return false
	}
	for _, c := range []byte(number[1:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
