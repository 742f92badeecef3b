package directory_test

import "testing"

func TestSQLiteFile(t *testing.T)   { contract(t, onFile) }
func TestSQLiteMemory(t *testing.T) { contract(t, inMemory) }
func TestPostgres(t *testing.T)     { contract(t, onServer) }

// contract is what every directory does, whatever it lies on. Each test opens
// directories of its own, and much of its time is waiting.
func contract(t *testing.T, open opener) {
	for name, test := range map[string]func(*testing.T, opener){
		"writes": testWrites, "users": testUsers, "passwords": testPasswords, "codes": testCodes,
		"resources": testResources, "signing keys": testSigningKeys, "audit": testAudit, "an audit of anything": testAuditOfAnything, "sweep": testSweep, "a sweep keeps locks": testSweepKeepsLocks, "reseal": testReseal,
		"no oracle": testNoOracle, "registration": testRegistration,
		"recovery": testRecovery, "verification": testVerification, "change": testChange,
		"history": testHistory, "standing": testStanding, "outbox": testOutbox, "postings": testPostings,
		"user filters": testUserFilters, "filters as documents": testFiltersAsDocuments, "user pages": testUserPages, "finding users": testFindUsers, "members": testMembers, "updates": testUpdates, "deletes": testDeletes,
		"set passwords": testSetPassword, "enrollment": testEnrollment, "consents": testConsents, "versions": testVersions, "secret codes": testSecretCodes, "addresses": testAddresses,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}
