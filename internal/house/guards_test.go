package house_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// guard is a piece of source that holds a promise, and what notices when it is gone.
type guard struct {
	name          string
	file, is      string // where it stands, once
	without       string // what stands there when it is gone
	pkg, missedBy string // the test that fails then
}

// guards are those of the house. `make guards` takes them out, one at a time.
func guards() []guard {
	return []guard{
		{
			"version compared at the save", "session/scripts.go",
			"if string.sub(head, 1, 8) ~= ARGV[1] then return 0 end\n", "",
			"./session", "TestOneRedis",
		},
		{
			"lease compared at the save", "session/scripts.go",
			"if redis.call('GETRANGE', KEYS[2], 0, 15) ~= mine then return 0 end\n", "",
			"./session", "TestOneRedis",
		},
		{
			"lease excludes others", "session/redis.go",
			"held := lease != \"\" &&", "held := lease == \"nobody's\" &&",
			"./session", "TestOneRedis",
		},
		{
			"replication fence of one-time secrets", "session/scripts.go",
			"if s[1] ~= string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') then", "if false then",
			"./session", "TestSentinel",
		},
		{
			"step token", "runtime/engine/transition.go",
			"stale := s.Token != \"\" && !e.stepTokenIs(s.Token, x.Ref, x.Version)", "stale := false",
			"./runtime/engine", "TestAStepTokenOfAnotherStateIsAConflict",
		},
		{
			"ledger at the end of a plan", "runtime/engine/ends.go",
			"if x.Proofs.Satisfies(x.Demand, x.User.ID, t.now) {", "if x.Status != flow.Completed {",
			"./runtime/engine", "TestAPlanThatEndsWithoutProofFails",
		},
		{
			"ledger before anything is issued", "runtime/engine/start.go",
			" || !x.Proofs.Satisfies(x.Demand, x.User.ID, now) {", " {",
			"./runtime/engine", "TestACompletionComesOnlyFromTheLedger",
		},
		{
			"whose flow it is", "runtime/engine/binding.go",
			"	return foreign\n}", "	return owner\n}",
			"./runtime/engine", "TestAForeignCallerGetsTheAnswerOfAnUnknownId",
		},
		{
			"effect once a key", "directory/effect.go",
			"if key == \"\" {", "if key != \"\" {",
			"./directory", "TestSQLiteFile",
		},
		{
			"a changed password ends sessions", "runtime/engine/start.go",
			"x.Proofs.Since(s.Since), s.Locales", "x.Proofs, s.Locales",
			"./runtime/engine", "TestASessionIsWorthWhatItsUserStillIs",
		},
		{
			"what is finished is judged again before it is handed back", "runtime/engine/view.go",
			"if err := e.prune(ctx, x); err != nil {", "if err := ctx.Err(); err != nil {",
			"./runtime/engine", "TestAFinishedSignOnEndsWithItsCredential",
		},
		{
			"five tries of a mailed code", "directory/secretcode.go",
			"tries > secretTries || ", "",
			"./directory", "TestSQLiteFile",
		},
		{
			"a mailed code is used once", "directory/secretcode.go",
			"used != 0 || ", "",
			"./directory", "TestSQLiteFile",
		},
		{
			"an address that was not verified signs nobody on", "directory/passwords.go",
			" || a.unclaimed()", "",
			"./directory", "TestSQLiteFile",
		},
		{
			"an address that was not verified changes no password", "directory/change.go",
			" || a.unclaimed()", "",
			"./directory", "TestSQLiteFile",
		},
		{
			"a recovered password rests on its mailbox", "steps/recover/recover.go",
			"	proof.Address = v.Address\n", "",
			"./steps/recover", "TestWhatComesOfACode",
		},
		{
			"transaction run again when the server undid it", "directory/postgres_writer.go",
			"return undone(err) || broken(err), err", "return false, err",
			"./directory", "TestPostgresRunsAgainWhatAnotherTransactionUndid",
		},
		{
			"acknowledged writes last whatever the role says", "directory/postgres.go",
			", \"synchronous_commit\": \"on\",", ",",
			"./directory", "TestPostgresConnectionsAreDurableAndBounded",
		},
		{
			"queries change nothing", "directory/postgres.go",
			"\"default_transaction_read_only\": \"on\",", "",
			"./directory", "TestPostgresConnectionsAreDurableAndBounded",
		},
		{
			"sweep looks at a row again", "directory/sweep.go",
			" LIMIT %[4]d) AND %[3]s`", " LIMIT %[4]d)`",
			"./directory", "TestPostgresSweepSparesWhatIsRenewedMeanwhile",
		},
		{
			"an end claims no method that was not taken", "runtime/engine/ends.go",
			"if !slices.Contains(amr, claimed) {", "if false && !slices.Contains(amr, claimed) {",
			"./runtime/engine", "TestAnEndIsHeldAgainstTheLedger",
		},
		{
			"an end names nobody but the user of the execution", "runtime/engine/ends.go",
			"if e.User != \"\" && e.User != x.User.ID {", "if false {",
			"./runtime/engine", "TestAnEndIsHeldAgainstTheLedger",
		},
		{
			"an end that names nobody signs nobody on", "runtime/engine/ends.go",
			"if x.Request.Definition != \"\" && !x.Named {", "if false {",
			"./runtime/engine", "TestAnEndIsHeldAgainstTheLedger",
		},
		{
			"no code for an experience", "runtime/flow/execution.go",
			"return r.Definition == \"\" && r.Owner == \"\" }", "return r.Owner == \"\" }",
			"./runtime/engine", "TestAnEndIsHeldAgainstTheLedger",
		},
		{
			"no code for an application's own", "runtime/flow/execution.go",
			"return r.Definition == \"\" && r.Owner == \"\" }", "return r.Definition == \"\" }",
			"./runtime/engine", "TestAnApplicationSignsNobodyOn",
		},
		{
			"a password reaches its input alone", "runtime/engine/secrets.go",
			"if !slices.Contains(takes, at) {", "if false {",
			"./runtime/engine", "TestASecretReachesTheInputThatTakesItAndNothingElse",
		},
		{
			"a password is forgotten once it was taken", "runtime/engine/settle.go",
			"		delete(t.x.Secrets, name)\n", "		_ = name\n",
			"./runtime/engine", "TestASecretReachesTheInputThatTakesItAndNothingElse",
		},
		{
			"what comes back was to come back here", "runtime/engine/return.go",
			"case x.Request.For != ref.ID || !x.Terminal()", "case !x.Terminal()",
			"./runtime/engine", "TestAnExperienceComesBackToTheSignOnThatLedToIt",
		},
		{
			"what comes back is of the definition that was led to", "runtime/engine/return.go",
			"if l.Definition == t.own.returned.Request.Definition && l.Offered(t.x.Status) {", "if l.Offered(t.x.Status) {",
			"./runtime/engine", "TestAnExperienceComesBackToTheSignOnThatLedToIt",
		},
		{
			"a user who was proven does not give way", "runtime/engine/settle.go",
			"if slices.ContainsFunc(x.Proofs, func", "if false && slices.ContainsFunc(x.Proofs, func",
			"./runtime/engine", "TestASessionMakesRoomForSomebodyElse",
		},
		{
			"two changes of the configuration take turns", "directory/resources.go",
			" AND number = $1", " AND $1 = $1",
			"./directory", "TestSQLiteFile",
		},
		{
			"a new address is not a verified one", "directory/users_change.go",
			"u.EmailVerified && !moved", "u.EmailVerified",
			"./directory", "TestSQLiteFile",
		},
		{
			"a user is signed on with a proof on every way", "runtime/verifier/ends.go",
			"!slices.Contains(end.by, x.who)", "false",
			"./runtime/verifier", "TestGoldenFindings",
		},
		{
			"PKCE verifier", "oidc/token.go",
			"case !verified(c.Challenge, r.Data.CodeVerifier):", "case false:",
			"./oidc", "TestSec_OP_PKCE_at_token",
		},
		{
			"redirect URI at authorize", "oidc/request.go",
			"case !redirectMatches(app.RedirectURIs, uri):", "case false:",
			"./oidc", "TestSec_OP_REDIRECT",
		},
		{
			"redirect URI at the token endpoint", "oidc/token.go",
			"case c.RedirectURI != redirectURI:", "case false:",
			"./oidc", "TestSec_OP_CODE",
		},
		{
			"origin of a submit", "runtime/httpapi/flows.go",
			"if !allowed && x.crossSite() {", "if false {",
			"./runtime/httpapi", "TestCrossSitePosts",
		},
		{
			"what an application owns", "runtime/engine/binding.go",
			"case x.Request.Owner != \"\" || c.Application != \"\":", "case false:",
			"./runtime/engine", "TestApplicationsAndBrowsersDoNotMeet",
		},
		{
			"a repeat is the application's", "runtime/engine/repeat.go",
			"x.Request.Owner == \"\" && (t.credential()", "(t.credential()",
			"./runtime/engine", "TestARepeatIsTheApplications",
		},
		{
			"an application signs nobody on", "runtime/engine/rotate.go",
			"if x.Request.Owner != \"\" { // no", "if false { // no",
			"./runtime/engine", "TestAnApplicationSignsNobodyOn",
		},
		{
			"who is named is nobody's session", "runtime/engine/start.go",
			"if who.ID != \"\" && x.User.ID != who.ID {", "if false {",
			"./runtime/engine", "TestABrowsersExecutionAboutSomebody",
		},
		{
			"a factor is waived for who is named", "runtime/engine/walk.go",
			"n.Waives == \"\" || !x.IsNamed()", "n.Waives == \"\"",
			"./runtime/engine", "TestADeviceIsSparedWhereItMayBeAndNowhereElse",
		},
		{
			"an application's word signs on nowhere", "runtime/engine/rotate.go",
			"if t.unprovenSession() { // nobody", "if false { // nobody",
			"./runtime/engine", "TestAWordSignsOnNowhere",
		},
		{
			"a token that names somebody is good once", "oidc/hint.go",
			"case errors.As(err, &over):", "case errors.As(err, &over) && false:",
			"./oidc", "TestAHintTokenIsGoodOnce",
		},
		{
			"who is named is told of devices, and no more", "steps/mfachallenge/browser.go",
			"(!t.Named || len(t.Proofs) > 0) && ", "",
			"./steps/mfachallenge", "TestWhoIsNamedIsToldOfDevices",
		},
		{
			"state of what a provider sends", "runtime/httpapi/elsewhere.go",
			"if subtle.ConstantTimeCompare([]byte(leg.State), []byte(a.state)) != 1 {", "if subtle.ConstantTimeCompare([]byte(leg.State), []byte(leg.State)) != 1 {",
			"./runtime/httpapi", "TestOnlyTheAnswerThatIsAwaitedCounts",
		},
		{
			"what a provider sends comes by us", "runtime/engine/transition.go",
			"s.Action == flow.CallbackAction && !t.own.calls, ", "",
			"./runtime/engine", "TestACallbackIsOurs",
		},
		{
			"an account elsewhere goes with who has it", "runtime/engine/rotate.go",
			"x.User, x.Person, x.Foreign, x.Proofs, x.Steps, x.Failure = x.Request.User, flow.Candidate{}, flow.ForeignAccount{}, nil, nil, nil",
			"x.User, x.Person, x.Proofs, x.Steps, x.Failure = x.Request.User, flow.Candidate{}, nil, nil, nil",
			"./runtime/engine", "TestAnAccountElsewhereIsForgottenWithWhoHasIt",
		},
		{
			"an account elsewhere is linked with a proof", "steps/link/link.go",
			" || t.User.ID == \"\" || !t.Proven {", " {",
			"./steps/link", "TestAnAccountIsLinkedToWhoProvedBoth",
		},
		{
			"token of a form", "runtime/httpapi/signon.go",
			"if x.formCrossSite() || form.Token == \"\" {", "if x.formCrossSite() {",
			"./runtime/httpapi", "TestOnlyOurOwnFormCounts",
		},
	}
}

// source is where a guard stands, and the text of that file.
func (g guard) source(t *testing.T) (path, text string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../..", g.file))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, string(b)
}

// TestEveryGuardStandsWhereItIsLookedFor: one that was moved or written anew is named
// anew in guards.
func TestEveryGuardStandsWhereItIsLookedFor(t *testing.T) {
	for _, g := range guards() {
		if _, text := g.source(t); strings.Count(text, g.is) != 1 {
			t.Errorf("%s: %s holds it %d times", g.name, g.file, strings.Count(text, g.is))
		}
	}
}
