package passwordpolicy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/passwordpolicy"
)

func TestJSONIsTheDocumentedObject(t *testing.T) {
	standard := strict()
	standard.ID, standard.Name, standard.MaxLength = "..", "Standard", 255
	standard.MaxAlphabetSequence, standard.MaxNumberSequence, standard.MaxQwertySequence, standard.MaxShiftedNumberRowSequence = 0, 0, 0, 0
	sequences := passwordpolicy.Policy{
		MinCharacters:       map[string]int{"1234567890": 2},
		MaxAlphabetSequence: 2, MaxNumberSequence: 3, MaxQwertySequence: 3, MaxShiftedNumberRowSequence: 3,
	}
	for name, row := range map[string]struct {
		policy passwordpolicy.Policy
		want   string
	}{
		// Source: reference/flows.md 2.3; its maxAgeDays stands before minAgeDays.
		"the published example": {standard, `{"id":"..","name":"Standard","length":{"min":8,"max":255},` +
			`"minCharacters":{"ABCDEFGHIJKLMNOPQRSTUVWXYZ":1,"abcdefghijklmnopqrstuvwxyz":1,"0123456789":1,"~!@#$%^&*()-_=+[]{}|;:,.<>/?":1},` +
			`"maxRepeatedCharacters":2,"minUniqueCharacters":5,"minComplexity":7,"excludesCommonlyUsed":true,"excludesProfileData":true,` +
			`"notSimilarToCurrent":true,"history":{"count":6,"retentionDays":365},"maxAgeDays":182,"minAgeDays":1,"lockout":{"failureCount":5,"durationSeconds":900}}`},
		"what is not enforced is left out": {passwordpolicy.Policy{}, `{"excludesCommonlyUsed":false,"excludesProfileData":false,"notSimilarToCurrent":false}`},
		"the sequences": {sequences, `{"minCharacters":{"1234567890":2},"alphabetSequenceRule":{"maxLength":2},"numberSequenceRule":{"maxLength":3},` +
			`"qwertySequenceRule":{"maxLength":3},"shiftedNumberRowSequenceRule":{"maxLength":3},` +
			`"excludesCommonlyUsed":false,"excludesProfileData":false,"notSimilarToCurrent":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, string(row.policy.JSON())); diff != "" {
				t.Error(diff)
			}
		})
	}
}
