package flow

// External is where somebody signs on elsewhere, while a node waits for the answer.
// Source: reference/flows.md 9.
type External struct {
	Provider  string // id
	Name      string
	Type      string // "OPENID_CONNECT"
	LoginHint string // whom to say that it is; empty: nobody
	// Challenge is what state, nonce and verifier are made of: the same for whoever is
	// shown the node and for the callback that answers, another one after every submit
	// that was evaluated. It is shown to nobody.
	Challenge [32]byte

	// Of the request, as the engine knows it.
	Fresh   bool   // prompt=login
	MaxAge  int64  // seconds; -1 when not asked for
	Locales string // languages of the person, best first, as Accept-Language
}

// ExternalProof is that of a sign-on at an external provider. It counts as a password
// where sessions and conditions ask for one, and says nothing of how it was made.
func ExternalProof(subject, provider string) Proof {
	return Proof{Subject: subject, Factors: Knowledge, Method: "pwd", Authenticator: "identityProvider/" + provider, Origin: FromIDP}
}

// ForeignAccount is an account at an external provider that belongs to nobody here. It
// is linked to the user of the execution when that is at its end.
type ForeignAccount struct {
	Provider string // id
	ID       string // by which the provider knows it
}
