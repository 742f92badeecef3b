package flow_test

import (
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/runtime/flow"
)

func noon() time.Time { return time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC) }

// proof is of ada, taken a minute before noon.
func proof(factors flow.Factor, authenticator string, edit ...func(*flow.Proof)) flow.Proof {
	p := flow.Proof{Subject: "ada", Factors: factors, Method: authenticator, AMR: authenticator, Authenticator: authenticator, At: noon().Add(-time.Minute)}
	for _, e := range edit {
		e(&p)
	}
	return p
}

func at(t time.Time) func(*flow.Proof)     { return func(p *flow.Proof) { p.At = t } }
func of(user string) func(*flow.Proof)     { return func(p *flow.Proof) { p.Subject = user } }
func sentTo(addr string) func(*flow.Proof) { return func(p *flow.Proof) { p.Address = addr } }

func needs(n ...flow.Need) flow.Demand { return flow.Demand{Needs: n} }

func TestLedgerSatisfies(t *testing.T) {
	pwd := proof(flow.Knowledge, "pwd")
	knows, has := flow.Need{Factors: flow.Knowledge}, flow.Need{Factors: flow.Possession}
	since := noon().Add(-time.Minute)
	tests := []struct {
		name   string
		ledger flow.Ledger
		demand flow.Demand
		want   bool
	}{
		{"an empty demand still needs one proof", nil, flow.Demand{}, false},
		{"an empty demand is met by any proof", flow.Ledger{pwd}, flow.Demand{}, true},
		{"a proof that carries no class is none", flow.Ledger{proof(0, "pwd")}, flow.Demand{}, false},
		{"a proof of somebody else is none", flow.Ledger{proof(flow.Knowledge, "pwd", of("bob"))}, flow.Demand{}, false},
		{"a proof of nobody is none", flow.Ledger{proof(flow.Knowledge, "pwd", of(""))}, flow.Demand{}, false},
		{"a class that is missing", flow.Ledger{pwd}, needs(knows, has), false},
		{"two classes by two authenticators", flow.Ledger{pwd, proof(flow.Possession, "totp")}, needs(knows, has), true},
		{"the order of proofs does not matter", flow.Ledger{proof(flow.Possession, "totp"), pwd}, needs(knows, has), true},
		{"the other class proven by somebody else", flow.Ledger{pwd, proof(flow.Possession, "totp", of("bob"))}, needs(knows, has), false},
		{"one authenticator counts once", flow.Ledger{pwd, proof(flow.Possession, "pwd")}, needs(knows, has), false},
		{
			"one address counts once",
			flow.Ledger{proof(flow.Knowledge, "link", sentTo("ada@example.com")), proof(flow.Possession, "mail", sentTo("ada@example.com"))},
			needs(knows, has), false,
		},
		{
			"no address is no shared address",
			flow.Ledger{proof(flow.Knowledge, "pwd"), proof(flow.Possession, "mail", sentTo("ada@example.com"))},
			needs(knows, has), true,
		},
		{
			"a third proof that shares with both spoils nothing",
			flow.Ledger{pwd, proof(flow.Possession, "mail", sentTo("x")), proof(flow.Knowledge, "pwd", sentTo("x"))},
			needs(knows, has), true,
		},
		{"one proof carries two classes", flow.Ledger{proof(flow.Possession|flow.Inherence, "passkey")}, needs(has, flow.Need{Factors: flow.Inherence}), true},
		{"a multi-factor authenticator stands for a password", flow.Ledger{proof(flow.Possession|flow.Inherence, "passkey")}, needs(knows, has), true},
		{"a single one does not", flow.Ledger{proof(flow.Inherence, "finger")}, needs(knows), false},
		{"a need of two classes at once takes one proof of both", flow.Ledger{pwd, proof(flow.Possession, "totp")}, needs(flow.Need{Factors: flow.Knowledge | flow.Possession}), false},
		{"exactly as old as the need allows", flow.Ledger{pwd}, needs(flow.Need{Factors: flow.Knowledge, NotBefore: since}), true},
		{"older than the need allows", flow.Ledger{pwd}, needs(flow.Need{Factors: flow.Knowledge, NotBefore: since.Add(1)}), false},
		{"older than the demand allows", flow.Ledger{pwd}, flow.Demand{NotBefore: since.Add(1)}, false},
		{"a younger proof stands in for an older one", flow.Ledger{pwd, proof(flow.Knowledge, "pwd", at(noon()))}, flow.Demand{NotBefore: noon()}, true},
		{"from the future within the skew of clocks", flow.Ledger{proof(flow.Knowledge, "pwd", at(noon().Add(flow.Skew)))}, flow.Demand{}, true},
		{"from the future beyond the skew of clocks", flow.Ledger{proof(flow.Knowledge, "pwd", at(noon().Add(flow.Skew+1)))}, flow.Demand{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.ledger.Satisfies(tt.demand, "ada", noon()); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	t.Run("nobody is never satisfied", func(t *testing.T) {
		if (flow.Ledger{proof(flow.Knowledge, "pwd", of(""))}).Satisfies(flow.Demand{}, "", noon()) {
			t.Error("an empty subject was satisfied")
		}
	})
}

func anyProof() *rapid.Generator[flow.Proof] {
	return rapid.Custom(func(t *rapid.T) flow.Proof {
		return flow.Proof{
			Subject:       rapid.SampledFrom([]string{"ada", "ada", "ada", "bob"}).Draw(t, "subject"),
			Factors:       flow.Factor(rapid.IntRange(0, 7).Draw(t, "factors")),
			Authenticator: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "authenticator"),
			Address:       rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "address"),
			At:            noon().Add(time.Duration(rapid.IntRange(-5, 6).Draw(t, "at")) * time.Second),
		}
	})
}

func anyDemand() *rapid.Generator[flow.Demand] {
	return rapid.Custom(func(t *rapid.T) (d flow.Demand) {
		for range rapid.IntRange(0, 3).Draw(t, "needs") {
			n := flow.Need{Factors: flow.Factor(rapid.IntRange(1, 7).Draw(t, "class"))}
			if rapid.Bool().Draw(t, "young") {
				n.NotBefore = noon().Add(-3 * time.Second)
			}
			d.Add(n)
		}
		if rapid.Bool().Draw(t, "fresh") {
			d.NotBefore = noon().Add(-4 * time.Second)
		}
		return d
	})
}

func TestMoreProofsNeverSpoilAndFewerNeverHelp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ledger := flow.Ledger(rapid.SliceOfN(anyProof(), 0, 6).Draw(t, "ledger"))
		demand := anyDemand().Draw(t, "demand")
		extra := anyProof().Draw(t, "extra")
		where := rapid.IntRange(0, len(ledger)).Draw(t, "where")

		more := slices.Insert(slices.Clone(ledger), where, extra)
		few, many := ledger.Satisfies(demand, "ada", noon()), more.Satisfies(demand, "ada", noon())
		if few && !many {
			t.Fatalf("%+v spoils %+v", extra, ledger)
		}
	})
}

// The definition, said once more and slowly: some set of proofs that share
// nothing covers every need.
func TestSatisfiesIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ledger := flow.Ledger(rapid.SliceOfN(anyProof(), 0, 6).Draw(t, "ledger"))
		demand := anyDemand().Draw(t, "demand")
		want := false
		for set := 1; set < 1<<len(ledger) && !want; set++ {
			var taken flow.Ledger
			for i, p := range ledger {
				if set>>i&1 == 1 {
					taken = append(taken, p)
				}
			}
			want = apart(taken) && coversAll(taken, demand)
		}
		if got := ledger.Satisfies(demand, "ada", noon()); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func apart(l flow.Ledger) bool {
	for i, p := range l {
		for _, q := range l[:i] {
			if p.Authenticator == q.Authenticator || (p.Address != "" && p.Address == q.Address) {
				return false
			}
		}
	}
	return true
}

func coversAll(l flow.Ledger, d flow.Demand) bool {
	for _, p := range l {
		if p.Subject != "ada" || p.Factors == 0 || p.At.After(noon().Add(flow.Skew)) || p.At.Before(d.NotBefore) {
			return false
		}
	}
	for _, n := range d.Needs {
		if !slices.ContainsFunc(l, func(p flow.Proof) bool {
			unlocked := n.Factors == flow.Knowledge && bits.OnesCount8(uint8(p.Factors)) > 1 // by what the person knows or is
			return (p.Factors&n.Factors == n.Factors || unlocked) && !p.At.Before(n.NotBefore)
		}) {
			return false
		}
	}
	return true
}

func TestLedgerViews(t *testing.T) {
	old, young := proof(flow.Knowledge, "pwd"), proof(flow.Knowledge, "pwd", at(noon()))
	idp := proof(flow.Knowledge, "idp", func(p *flow.Proof) { p.Origin = flow.FromIDP })
	bob := proof(flow.Possession, "totp", of("bob"))
	l := flow.Ledger{old, idp, bob, young}
	tests := []struct {
		name      string
		got, want any
	}{
		{"of one subject", l.Of("bob"), flow.Ledger{bob}},
		{"of nobody", append(l, proof(flow.Knowledge, "pwd", of(""))).Of(""), flow.Ledger(nil)},
		{"youngest by a method", l.Last("pwd"), noon()},
		{"youngest of all", l.Last(""), noon()},
		{"youngest of what the person has", l.Last("mfa"), l.Last("totp")},
		{"youngest of none", l.Last("sms"), time.Time{}},
		{"a multi-factor proof stands for a password", flow.Ledger{proof(flow.Possession|flow.Inherence, "hwk")}.Last("pwd"), old.At},
		{"amr once each, and not what a provider asserts", l.AMR(), []string{"pwd", "totp"}},
		{"amr of two classes", flow.Ledger{old, proof(flow.Possession, "totp")}.AMR(), []string{"pwd", "totp", "mfa"}},
		{"amr of one class twice", flow.Ledger{proof(flow.Possession, "totp"), proof(flow.Possession, "sms")}.AMR(), []string{"totp", "sms"}},
		{"amr of a passkey", flow.Ledger{proof(flow.Possession|flow.Inherence, "pop")}.AMR(), []string{"pop", "mfa"}},
		{"amr with what a provider asserts of another class", flow.Ledger{old, proof(flow.Possession, "idp", func(p *flow.Proof) { p.Origin = flow.FromIDP })}.AMR(), []string{"pwd"}},
		{"amr of what one mailbox gives", flow.Ledger{
			proof(flow.Knowledge, "pwd", func(p *flow.Proof) { p.Address = "ada@example.com" }),
			proof(flow.Possession, "otp", func(p *flow.Proof) { p.Address = "ada@example.com" }),
		}.AMR(), []string{"pwd", "otp"}},
		{"a session keeps the youngest of each authenticator", l.Youngest(), flow.Ledger{young, idp, bob}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDemandAddsANeedOnce(t *testing.T) {
	var d flow.Demand
	d.Add(flow.Need{Factors: flow.Knowledge})
	d.Add(flow.Need{Factors: flow.Knowledge})
	d.Add(flow.Need{Factors: flow.Knowledge, NotBefore: noon()})
	if len(d.Needs) != 2 {
		t.Errorf("needs %+v", d.Needs)
	}
}

// An application's word spares the one proof that is always needed, and not one of those
// that are named, nor where it is said when the person must have proven something.
func TestAVouchedDemand(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	known := flow.Ledger{flow.PasswordProof("ada", now)}
	for name, tt := range map[string]struct {
		proofs flow.Ledger
		demand flow.Demand
		user   string
		want   bool
	}{
		"nothing is needed, nothing is proven": {nil, flow.Demand{Vouched: true}, "ada", true},
		"without the word":                     {nil, flow.Demand{}, "ada", false},
		"of nobody":                            {nil, flow.Demand{Vouched: true}, "", false},
		"what is needed is not proven":         {nil, flow.Demand{Vouched: true, Needs: []flow.Need{{Factors: flow.Knowledge}}}, "ada", false},
		"what is needed is proven":             {known, flow.Demand{Vouched: true, Needs: []flow.Need{{Factors: flow.Knowledge}}}, "ada", true},
		"something else is":                    {known, flow.Demand{Vouched: true, Needs: []flow.Need{{Factors: flow.Possession}}}, "ada", false},
		"lately, and nothing is":               {nil, flow.Demand{Vouched: true, NotBefore: now.Add(-time.Hour)}, "ada", false},
		"lately, and it is":                    {known, flow.Demand{Vouched: true, NotBefore: now.Add(-time.Hour)}, "ada", true},
	} {
		if got := tt.proofs.Satisfies(tt.demand, tt.user, now); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
