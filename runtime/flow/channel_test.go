package flow_test

import (
	"testing"

	"doorward/runtime/flow"
)

func TestE164(t *testing.T) {
	for number, want := range map[string]bool{
		"+4930123456": true, "+15125551111": true, "+3545551": true, "+123456789012345": true,
		"": false, "+": false, "4930123456": false, "004930123456": false, "+04930123456": false, "+49 30 123456": false,
		"+1234567890123456": false, "+123456": false, "+49(30)12345": false, "+４９３０１２３４５６": false, "+4930123456\n": false, "+49301234x6": false,
	} {
		if got := flow.E164(number); got != want {
			t.Errorf("%q: %v", number, got)
		}
	}
}
