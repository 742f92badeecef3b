package flow

import (
	"context"
	"time"
)

// EventType is one of the closed list of security events. Names are stable:
// operators alert on them.
type EventType string

// The events.
const (
	FlowStarted        EventType = "FLOW.STARTED"
	FlowCompleted      EventType = "FLOW.COMPLETED"
	FlowFailed         EventType = "FLOW.FAILED"
	FlowNextPlan       EventType = "FLOW.NEXT_POLICY"        // one failed, the next one begins
	FlowReset          EventType = "FLOW.RESET"              // somebody known was forgotten
	FlowForeign        EventType = "FLOW.FOREIGN_CALLER"     // right id, wrong browser
	FlowConflict       EventType = "FLOW.CONFLICT"           // a different submit lost
	FlowStaleToken     EventType = "FLOW.STALE_TOKEN"        // step token of an earlier state
	FlowNotOffered     EventType = "FLOW.ACTION_NOT_OFFERED" // submit outside the offered actions
	FlowUnproven       EventType = "FLOW.PROOF_MISSING"      // ledger refused an end
	RequestMalformed   EventType = "REQUEST.MALFORMED"
	RequestCrossSite   EventType = "REQUEST.CROSS_SITE"
	RequestLimited     EventType = "REQUEST.LIMITED"
	PasswordAccepted   EventType = "PASSWORD.CHECK_SUCCEEDED"
	PasswordRefused    EventType = "PASSWORD.CHECK_FAILED"
	PasswordLocked     EventType = "PASSWORD.LOCKED"
	UserDisabled       EventType = "USER.DISABLED_SIGN_ON"
	UsernameMismatch   EventType = "USER.MISMATCH" // another username in a bound flow
	UserLookedUp       EventType = "USER.LOOKED_UP"
	UserRegistered     EventType = "USER.REGISTERED"
	RegisterRefused    EventType = "USER.REGISTRATION_REFUSED" // name or address is somebody's
	UserVerified       EventType = "USER.VERIFIED"
	VerificationSent   EventType = "USER.VERIFICATION_SENT"
	VerifyRefused      EventType = "USER.VERIFICATION_REFUSED"
	UserLocked         EventType = "USER.LOCKED"
	UserUnlocked       EventType = "USER.UNLOCKED"
	UserChanged        EventType = "USER.CHANGED"         // by the user, in a flow
	AddressChanged     EventType = "USER.ADDRESS_CHANGED" // by the user, who has proven the new one; Reason says which
	ExternalAccepted   EventType = "EXTERNAL.SIGN_ON_SUCCEEDED"
	ExternalRefused    EventType = "EXTERNAL.SIGN_ON_FAILED"
	ExternalUnknown    EventType = "EXTERNAL.ACCOUNT_UNKNOWN" // signed on elsewhere, and linked to nobody here yet
	AccountLinked      EventType = "USER.ACCOUNT_LINKED"
	ConsentAccepted    EventType = "CONSENT.ACCEPTED"
	ConsentDeclined    EventType = "CONSENT.DECLINED"
	RecoverySent       EventType = "PASSWORD.RECOVERY_SENT"
	RecoverRefused     EventType = "PASSWORD.RECOVERY_REFUSED"
	PasswordRecovered  EventType = "PASSWORD.RECOVERED"
	PasswordChanged    EventType = "PASSWORD.CHANGED"
	ChangeRefused      EventType = "PASSWORD.CHANGE_REFUSED"
	PasswordUnlocked   EventType = "PASSWORD.UNLOCKED"
	DeviceChallenged   EventType = "MFA.CHALLENGED"
	DeviceAccepted     EventType = "MFA.CHECK_SUCCEEDED"
	DeviceRefused      EventType = "MFA.CHECK_FAILED"
	DeviceReplayed     EventType = "MFA.REPLAYED" // a code or assertion that was good once
	DeviceLocked       EventType = "MFA.DEVICE_LOCKED"
	AccountLockedByMFA EventType = "MFA.ACCOUNT_LOCKED"
	PushSent           EventType = "MFA.PUSH_SENT"
	PushRejected       EventType = "MFA.PUSH_REJECTED" // by the person, or with a wrong number
	PushTimedOut       EventType = "MFA.PUSH_TIMED_OUT"
	FactorWaived       EventType = "MFA.BYPASSED" // a user without devices, for whom an application answers
	EnrollmentSkipped  EventType = "MFA.ENROLLMENT_SKIPPED"
	StepUpRequired     EventType = "MFA.STEP_UP_REQUIRED" // a device was to be changed without one being proven
	CloneSuspected     EventType = "WEBAUTHN.CLONE_SUSPECTED"
	DeviceCreated      EventType = "DEVICE.CREATED"
	DeviceActivated    EventType = "DEVICE.ACTIVATED"
	DeviceDeleted      EventType = "DEVICE.DELETED"
	DeviceChanged      EventType = "DEVICE.CHANGED"
	PasskeyOffered     EventType = "PASSKEY.OFFERED"        // after a sign-on with a password
	PasskeyDeclined    EventType = "PASSKEY.OFFER_DECLINED" // Reason is LATER or NEVER
	CertificateIssued  EventType = "CERTIFICATE.ISSUED"
	CertificateRevoked EventType = "CERTIFICATE.REVOKED"
	PINRead            EventType = "CERTIFICATE.PIN_READ"
	PINRefused         EventType = "CERTIFICATE.PIN_REFUSED" // asked for too often, or not to be had
	AuthorityCreated   EventType = "CERTIFICATE.AUTHORITY_CREATED"
	BrowserTrusted     EventType = "BROWSER.TRUSTED"
	BrowserRevoked     EventType = "BROWSER.REVOKED"
	ServiceFailed      EventType = "SERVICE.CALL_FAILED" // of a step that asks an outside service; its answer could not be had
	InputIgnored       EventType = "INPUT.IGNORED"       // known names that the step did not ask for
	MessageSent        EventType = "MESSAGE.SENT"
	MessageFailed      EventType = "MESSAGE.FAILED"  // will be tried again
	MessageDropped     EventType = "MESSAGE.DROPPED" // will not
	SessionCreated     EventType = "SESSION.CREATED"
	SessionEnded       EventType = "SESSION.ENDED"
	AuthorizeRefused   EventType = "OIDC.AUTHORIZE_REFUSED"
	CodeIssued         EventType = "OIDC.CODE_ISSUED"
	CodeRedeemed       EventType = "OIDC.CODE_REDEEMED"
	CodeReplayed       EventType = "OIDC.CODE_REPLAYED" // grant revoked
	CodeMismatch       EventType = "OIDC.CODE_MISMATCH" // client, redirect_uri or verifier
	ClientRefused      EventType = "OIDC.CLIENT_AUTHENTICATION_FAILED"
	TokenIssued        EventType = "OIDC.TOKEN_ISSUED"
	SigningKeyCreated  EventType = "KEY.CREATED"
	ConfigurationApply EventType = "CONFIGURATION.APPLIED"

	ManagementCreated EventType = "MANAGEMENT.CREATED" // Application did it, Reason is kind and id
	ManagementUpdated EventType = "MANAGEMENT.UPDATED"
	ManagementDeleted EventType = "MANAGEMENT.DELETED"
	ManagementSecret  EventType = "MANAGEMENT.SECRET_READ"
	ManagementInvoked EventType = "MANAGEMENT.INVOKED" // a request of an external service
	ManagementRefused EventType = "MANAGEMENT.REFUSED" // no token, or one without the role
)

// Event is one security decision. It holds no secret and no typed password, name
// or code: User is an id, and a name that matched nobody is not kept.
type Event struct {
	Type        EventType
	Env         string
	Flow        string
	Application string
	User        string
	Session     string
	RemoteIP    string
	Reason      string // a constant, never input
	At          time.Time
}

// Recorder takes events. It does not fail the caller: what a sink that is full
// means is the sink's documented decision.
type Recorder interface {
	Record(ctx context.Context, e Event)
}
