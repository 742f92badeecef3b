package mfa

import (
	"context"
	"errors"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
)

// What a Store says when it does not do what it is asked, beside flow.ErrUnknown.
var (
	ErrTooMany   = errors.New("the user has as many devices as are allowed")
	ErrDuplicate = errors.New("there is such a device")
	ErrActivated = errors.New("the device is active")
)

// PushLimitError says until when a device gets no pushes.
type PushLimitError struct{ Until time.Time }

func (e *PushLimitError) Error() string { return "no pushes before " + e.Until.Format(time.RFC3339) }

// Store is what lasts: devices, and what was tried with them. Every change with an
// effect happens once per effect; the same again is answered as the first time.
type Store interface {
	// List returns all devices of a user, in the order in which they are tried.
	List(ctx context.Context, env, userID string) ([]device.Device, error)
	Get(ctx context.Context, env, userID, id string) (device.Device, error)
	// Answering is Get for judging an answer: of the device are there its type, status,
	// nickname, phone and email, and how it stands; of MOBILE all of it.
	Answering(ctx context.Context, env, userID, id string) (device.Device, error)
	// AnsweringCredential is Answering for the device that has a credential, with that,
	// whoever's it is.
	AnsweringCredential(ctx context.Context, env string, id []byte) (device.Device, error)
	Handle(ctx context.Context, env, userID string) ([]byte, error)
	// Seed is that of a device that is yet to be activated.
	Seed(ctx context.Context, env, userID, id string) ([]byte, error)
	Create(ctx context.Context, n NewDevice) (device.Device, error)
	Activate(ctx context.Context, a Activated) (device.Device, error)
	Delete(ctx context.Context, env, userID, id string, notice *flow.Message, effect string) error
	Judge
	Questions
	Browsers
}

// Judge counts tries for good. Each of its methods is one transaction.
type Judge interface {
	// Try counts a try, compares, and keeps the step of what was right; a step is
	// accepted once and never after a later one. Where the device or the account is
	// locked it does not compare.
	Try(ctx context.Context, t Try) (Standing, error)
	// TryRecovery is Try for a recovery code, which it uses up.
	TryRecovery(ctx context.Context, t RecoveryTry) (Standing, error)
	// Fail counts a wrong answer that was compared elsewhere. One of a copy that Succeed
	// has taken under the same effect is answered as it was then, and not counted.
	Fail(ctx context.Context, f Failing) (Standing, error)
	// Succeed clears what was counted, unless the device or the account is locked.
	Succeed(ctx context.Context, s Success) (Standing, error)
}

// Questions are pushes and pairings.
type Questions interface {
	// CreatePush fails with a *PushLimitError, and with flow.ErrUnknown where the device
	// may not be asked.
	CreatePush(ctx context.Context, p NewPush) (device.Push, error)
	Push(ctx context.Context, env, id string) (device.Push, error)
	// UsePush reports whether this is the first use of an approval, or its repeat.
	UsePush(ctx context.Context, env, id, effect string) (bool, error)
	CancelPush(ctx context.Context, env, id string) error
	CreatePairing(ctx context.Context, p device.Pairing) error
	// DropPairing fails with flow.ErrUnknown where there is no such key.
	DropPairing(ctx context.Context, env, userID, id string) error
}

// NewDevice is a device to be added; Device.Status says whether it has to be activated.
type NewDevice struct {
	Device     device.Device
	Seed       []byte        // of TOTP, OATH_TOKEN and RECOVERY_CODE
	Codes      [][32]byte    // of RECOVERY_CODE
	Most       int           // how many devices the user may have with this one
	MFAEnabled bool          // of one that is active at once: the user is asked for devices from now on
	Notice     *flow.Message // of one that is active at once
	Effect     string
}

// Activated is a device that has proven itself for the first time.
type Activated struct {
	Env, UserID, ID string
	Step            int64              // of TOTP: used up by it
	Credential      *device.Credential // of FIDO2
	Key             []byte             // of MOBILE
	Name            string
	Nickname        string // empty: as it was
	Most            int    // how many devices the user may have with this one
	MFAEnabled      bool
	Notice          *flow.Message
	Effect          string
}

// Judged is whose answer is judged, and how many wrong ones lock. UserID and ID are
// nobody's, and keys of a name, where a person is told nothing: those are counted all
// the same.
type Judged struct {
	Env, UserID, ID string
	Failure         mfapolicy.Failure // of the device; without a cool-down it is not locked
	Account         mfapolicy.Failure // of all devices of the user
	IgnoreLock      bool              // of the account
	Effect          string
}

// Try is an answer that the device computes.
type Try struct {
	Judged
	Compare func(seed []byte, lastStep int64) (step int64, ok bool)
}

// RecoveryTry is one of the codes that somebody has written down.
type RecoveryTry struct {
	Judged
	Hash func(seed []byte) [32]byte
}

// Failing is an answer that was wrong.
type Failing struct {
	Judged
	Suspect bool // perhaps there are two of the credential: that is kept
}

// Success is an answer that was right.
type Success struct {
	Judged
	Seen       device.Device      // as it was read for this answer
	Credential *device.Credential // as it is to be stored now; nil: unchanged
	Challenge  [32]byte           // digest of what was signed, to be used up; zero: nothing was
}

// Standing is what an answer came to.
type Standing struct {
	OK       bool
	Counted  bool // it was judged, and not refused by a lock or a block
	Replayed bool // right, and used before
	Cloned   bool // the counter of the credential did not go up
	Blocked  bool

	DeviceLocked  bool // of Counted: by this answer
	AccountLocked bool
	Until         time.Time // of a lock

	Wrong int // in a row, with this one
	Left  int // until a lock
}

// NewPush is a question to be put to a device, unless too many were left unanswered.
type NewPush struct {
	Push   device.Push
	Limit  mfapolicy.PushLimit
	Effect string
}
