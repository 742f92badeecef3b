package flow

// Given binds what a node of a definition is given to the struct In, by the rules
// of an action's input (see FieldsOf). The Failure, if there is one, has a detail
// for every value that does not fit.
func Given[In any](t *Turn) (In, *Failure) {
	var in In
	if f := Bind(opened(t.Input), FieldsOf[In](), &in); f != nil {
		return in, &Failure{Code: string(f.Code), Message: f.Message, Details: f.Details}
	}
	return in, nil
}

// opened is an input with its secrets as strings, for the one step that takes them.
func opened(in map[string]any) Values {
	out := make(Values, len(in))
	for name, v := range in {
		switch v := v.(type) {
		case Secret:
			out[name] = string(v)
		case map[string]any:
			out[name] = map[string]any(opened(v))
		default:
			out[name] = v
		}
	}
	return out
}

// Account is whose account a node of a definition works on.
type Account struct {
	UserID   string // empty: nobody's, which no answer may tell
	Username string // as typed, of nobody's
}

// Account says whose the id is that a node is given. It is not ok for any but that
// of the execution's user or candidate, so that no definition can be made to work
// on a stranger's account. While the candidate is nobody, every id is nobody's:
// nothing real is touched, whatever the definition took the id from.
func (t *Turn) Account(id string) (a Account, ok bool) {
	switch {
	case id == "":
		return Account{}, false
	case t.User.ID != "":
		return Account{UserID: t.User.ID}, id == t.User.ID
	case t.Person.IsZero():
		return Account{}, false
	case t.Person.UserID == "":
		return Account{Username: t.Person.Username}, true
	}
	return Account{UserID: t.Person.UserID}, id == t.Person.UserID
}

// The messages of failures that several kinds have.
const (
	// MismatchMessage is that of USER_MISMATCH.
	MismatchMessage = "The step is for a user who is not the one of this sign-on. Start again."
	// UnprovenMessage is that of USER_NOT_PROVEN.
	UnprovenMessage = "Sign on first. The step reads and changes nothing of an account before its owner has signed on."
)

// SignedOn reports whether the user of the execution has been proven: in it, or by
// what counts yet of the browser's session, which may name a user without.
func (t *Turn) SignedOn() bool {
	return t.User.ID != "" && (t.Proven || t.Fact != nil && t.Fact("session.lastSignOn.at") != nil)
}
