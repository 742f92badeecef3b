package audit

import "doorward/runtime/flow"

// Types is the closed list of events, in the order in which they are documented.
// A test holds that it is complete.
func Types() []flow.EventType {
	return []flow.EventType{
		flow.FlowStarted,
		flow.FlowCompleted,
		flow.FlowFailed,
		flow.FlowReset,
		flow.FlowForeign,
		flow.FlowConflict,
		flow.FlowStaleToken,
		flow.FlowNotOffered,
		flow.FlowUnproven,
		flow.RequestMalformed,
		flow.RequestCrossSite,
		flow.RequestLimited,
		flow.PasswordAccepted,
		flow.PasswordRefused,
		flow.PasswordLocked,
		flow.UserDisabled,
		flow.UsernameMismatch,
		flow.SessionCreated,
		flow.SessionEnded,
		flow.AuthorizeRefused,
		flow.CodeIssued,
		flow.CodeRedeemed,
		flow.CodeReplayed,
		flow.CodeMismatch,
		flow.ClientRefused,
		flow.TokenIssued,
		flow.SigningKeyCreated,
		flow.ConfigurationApply,
	}
}
