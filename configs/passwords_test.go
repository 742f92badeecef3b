package configs_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/configs"
	"doorward/runtime/device"
	"doorward/runtime/passwordpolicy"
)

const (
	staff = "demo/passwordPolicies/staff.json"
	lee   = "demo/users/lee.json"
)

// rules is a password policy with these members, beside the demo's own.
func rules(members string) map[string]string {
	return map[string]string{staff: `{"id":"d0000000-0000-4000-8000-0000000000c2","name":"Staff"` + members + `}`}
}

// user is a user with these members.
func user(members string) map[string]string {
	return map[string]string{lee: `{"id":"d0000000-0000-4000-8000-0000000000f9","username":"lee"` + members + `}`}
}

func TestEveryRuleOfAPasswordPolicyIsServed(t *testing.T) {
	const day = 24 * time.Hour
	for name, row := range map[string]struct {
		members string
		set     func(*passwordpolicy.Policy)
	}{
		"no rule":                      {``, func(*passwordpolicy.Policy) {}},
		"rules that are null":          {`,"maxRepeatedCharacters":null,"history":null,"minCharacters":null,"qwertySequenceRule":null`, func(*passwordpolicy.Policy) {}},
		"length":                       {`,"length":{"min":32,"max":32}`, func(p *passwordpolicy.Policy) { p.MinLength, p.MaxLength = 32, 32 }},
		"minCharacters":                {`,"minCharacters":{"0123456789":2,"1234567890":3}`, func(p *passwordpolicy.Policy) { p.MinCharacters = map[string]int{"0123456789": 2, "1234567890": 3} }},
		"maxRepeatedCharacters":        {`,"maxRepeatedCharacters":2`, func(p *passwordpolicy.Policy) { p.MaxRepeated = 2 }},
		"minUniqueCharacters":          {`,"minUniqueCharacters":5`, func(p *passwordpolicy.Policy) { p.MinUnique = 5 }},
		"minComplexity":                {`,"minComplexity":7`, func(p *passwordpolicy.Policy) { p.MinComplexity = 7 }},
		"alphabetSequenceRule":         {`,"alphabetSequenceRule":{"maxLength":2}`, func(p *passwordpolicy.Policy) { p.MaxAlphabetSequence = 2 }},
		"numberSequenceRule":           {`,"numberSequenceRule":{"maxLength":3}`, func(p *passwordpolicy.Policy) { p.MaxNumberSequence = 3 }},
		"qwertySequenceRule":           {`,"qwertySequenceRule":{"maxLength":3}`, func(p *passwordpolicy.Policy) { p.MaxQwertySequence = 3 }},
		"shiftedNumberRowSequenceRule": {`,"shiftedNumberRowSequenceRule":{"maxLength":3}`, func(p *passwordpolicy.Policy) { p.MaxShiftedNumberRowSequence = 3 }},
		"excludesCommonlyUsed":         {`,"excludesCommonlyUsed":true`, func(p *passwordpolicy.Policy) { p.ExcludesCommonlyUsed = true }},
		"excludesProfileData":          {`,"excludesProfileData":true`, func(p *passwordpolicy.Policy) { p.ExcludesProfileData = true }},
		"notSimilarToCurrent":          {`,"notSimilarToCurrent":true`, func(p *passwordpolicy.Policy) { p.NotSimilarToCurrent = true }},
		"history":                      {`,"history":{"count":1,"retentionDays":1}`, func(p *passwordpolicy.Policy) { p.History.Count, p.History.RetentionDays = 1, 1 }},
		"minAgeDays":                   {`,"minAgeDays":1`, func(p *passwordpolicy.Policy) { p.MinAge = day }},
		"maxAgeDays":                   {`,"maxAgeDays":22`, func(p *passwordpolicy.Policy) { p.MaxAge = 22 * day }},
		"both ages":                    {`,"minAgeDays":1,"maxAgeDays":23`, func(p *passwordpolicy.Policy) { p.MinAge, p.MaxAge = day, 23*day }},
		"lockout":                      {`,"lockout":{"failureCount":1,"durationSeconds":1}`, func(p *passwordpolicy.Policy) { p.Lockout.Failures, p.Lockout.Duration = 1, time.Second }},
		"fractions, which do not count": {
			`,"maxRepeatedCharacters":1.5,"length":{"min":9.99,"max":1.2e2},"alphabetSequenceRule":{"maxLength":3.9},"history":{"count":6.5,"retentionDays":365.25}`,
			func(p *passwordpolicy.Policy) {
				p.MaxRepeated, p.MinLength, p.MaxLength, p.MaxAlphabetSequence = 1, 9, 120, 3
				p.History.Count, p.History.RetentionDays = 6, 365
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := passwordpolicy.Policy{ID: "d0000000-0000-4000-8000-0000000000c2", Name: "Staff", MinLength: 8, MaxLength: 255}
			row.set(&want)
			files := rules(row.members)
			files["demo/populations/staff.json"] = `{"id":"d0000000-0000-4000-8000-0000000000b2","name":"Staff","passwordPolicy":{"id":"d0000000-0000-4000-8000-0000000000c2"}}`
			m := newMemory()
			apply(t, m, demo(t, files))
			b, _ := serve(t, m).Bundle(env)
			if diff := cmp.Diff(want, b.PasswordPolicy("d0000000-0000-4000-8000-0000000000b2")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFaultsOfAPasswordPolicy(t *testing.T) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for name, row := range map[string]struct{ members, want string }{
		"a shortest of 7":             {`,"length":{"min":7}`, "$.length.min: takes 8 to 32"},
		"a shortest of 33":            {`,"length":{"min":33}`, "$.length.min: takes 8 to 32"},
		"a longest of 256":            {`,"length":{"max":256}`, "$.length.max: takes min to 255"},
		"a longest under the least":   {`,"length":{"min":12,"max":11}`, "$.length.max: takes min to 255"},
		"an alphabet of one's own":    {`,"minCharacters":{"abc":1}`, "$.minCharacters.abc: is no alphabet; takes one of"},
		"a count of nothing":          {`,"minCharacters":{"` + letters + `":0}`, "$.minCharacters." + letters + ": takes 1 to 255"},
		"a count that is null":        {`,"minCharacters":{"` + letters + `":null}`, "$.minCharacters." + letters + ": takes a whole number"},
		"more than the longest":       {`,"length":{"max":9},"minCharacters":{"` + letters + `":10}`, "$.minCharacters." + letters + ": takes 1 to 9"},
		"more than the longest, both": {`,"length":{"max":9},"minCharacters":{"` + letters + `":5,"0123456789":5}`, "$.minCharacters: takes no more characters together"},
		"counts that are a list":      {`,"minCharacters":[1]`, "$.minCharacters: takes an object"},
		"no repeated characters":      {`,"maxRepeatedCharacters":0`, "$.maxRepeatedCharacters: takes 1 to 255"},
		"half a repeated character":   {`,"maxRepeatedCharacters":0.5`, "$.maxRepeatedCharacters: takes 1 to 255"},
		"fewer than none":             {`,"minUniqueCharacters":-1.5`, "$.minUniqueCharacters: takes 1 to 255"},
		"more than there can be":      {`,"length":{"max":9},"minUniqueCharacters":10`, "$.minUniqueCharacters: takes 1 to 9"},
		"a number that is text":       {`,"minUniqueCharacters":"5"`, "$.minUniqueCharacters: takes a whole number"},
		"no complexity":               {`,"minComplexity":0`, "$.minComplexity: takes 1 to"},
		"a number without end":        {`,"minComplexity":1e300`, "$.minComplexity: takes a whole number"},
		"an alphabet run of 1":        {`,"alphabetSequenceRule":{"maxLength":1}`, "$.alphabetSequenceRule.maxLength: takes 2 or 3"},
		"an alphabet run of 4":        {`,"alphabetSequenceRule":{"maxLength":4}`, "$.alphabetSequenceRule.maxLength: takes 2 or 3"},
		"a run of no length":          {`,"numberSequenceRule":{}`, "$.numberSequenceRule.maxLength: is required"},
		"a number run of 4":           {`,"numberSequenceRule":{"maxLength":4}`, "$.numberSequenceRule.maxLength: takes 2 or 3"},
		"a keyboard run of 2":         {`,"qwertySequenceRule":{"maxLength":2}`, "$.qwertySequenceRule.maxLength: takes 3"},
		"a shifted run of 4":          {`,"shiftedNumberRowSequenceRule":{"maxLength":4}`, "$.shiftedNumberRowSequenceRule.maxLength: takes 3"},
		"no history":                  {`,"history":{"count":0,"retentionDays":1}`, "$.history.count: takes 1 to 24"},
		"a history without end":       {`,"history":{"count":25,"retentionDays":1}`, "$.history.count: takes 1 to 24"},
		"a history of no days":        {`,"history":{"count":1,"retentionDays":0}`, "$.history.retentionDays: takes 1 to 36500"},
		"a history of how long":       {`,"history":{"count":1}`, "$.history.retentionDays: is required"},
		"no least age":                {`,"minAgeDays":0`, "$.minAgeDays: takes 1 to 36500"},
		"an end under the warning":    {`,"maxAgeDays":21`, "$.maxAgeDays: takes 22 to 36500"},
		"an end before the warning":   {`,"minAgeDays":10,"maxAgeDays":31`, "$.maxAgeDays: takes 32 to 36500"},
		"an end too far away":         {`,"maxAgeDays":36501`, "$.maxAgeDays: takes 22 to 36500"},
		"a lockout of no failures":    {`,"lockout":{"failureCount":0,"durationSeconds":1}`, "$.lockout.failureCount: takes 1 to 100"},
		"a lockout of half a second":  {`,"lockout":{"failureCount":1,"durationSeconds":0.5}`, "$.lockout.durationSeconds: takes 1 to"},
		"a rule that is not known":    {`,"excludesCommonlyUsedPasswords":true`, "$.excludesCommonlyUsedPasswords: is no member here"},
	} {
		t.Run(name, func(t *testing.T) { oneFault(t, rules(row.members), staff+": "+row.want) })
	}
}

// oneFault wants one fault that begins so, and that says no password.
func oneFault(t *testing.T, files map[string]string, want string) {
	t.Helper()
	_, err := configs.Load(demo(t, files), kinds())
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("faults:\n%v\nwant:\n%s", err, want)
	}
	if strings.Contains(errorText(err), "Horse") {
		t.Error("the fault repeats the password")
	}
}

func TestFaultsOfAUser(t *testing.T) {
	for name, row := range map[string]struct{ members, want string }{
		"a password too short":          {`,"password":"Ho-rse9"`, `$.password: breaks rules of the password policy "Standard": length`},
		"a password that breaks more":   {`,"password":{"value":"password"}`, `$.password: breaks rules of the password policy "Standard": minCharacters, excludesCommonlyUsed`},
		"a password that is the name":   {`,"name":{"family":"Horse-Lee-9"},"password":"horse-LEE-9"`, `$.password: breaks rules of the password policy "Standard": excludesProfileData`},
		"a password of nothing":         {`,"password":""`, "$.password.value: is required"},
		"a password without a value":    {`,"password":{"forceChange":true}`, "$.password.value: is required"},
		"a password of another system":  {`,"password":{"external":{},"value":"Right-Horse-9"}`, "$.password.external: is no member here"},
		"a password that is a number":   {`,"password":7`, "$.password: takes an object"},
		"a time that is none":           {`,"password":{"value":"Right-Horse-9","changedAt":"2020-01-01"}`, "$.password.changedAt: takes a time"},
		"an encoding that is not known": {`,"password":"{MD5}Horse"`, "$.password: begins like an encoded password"},
		"an encoding that is broken":    {`,"password":{"value":"{SSHA512}Horse"}`, "$.password: begins like an encoded password"},
		"an encoding too dear":          {`,"password":"{BCRYPT}$2a$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"`, "$.password: is encoded at a cost"},
		"an app":                        {`,"devices":[{"type":"TOTP"}]`, `$.devices[0].type: takes one of ["EMAIL","SMS","VOICE"]`},
		"a number that is none":         {`,"devices":[{"type":"SMS","phone":"0179 1234"}]`, "$.devices[0]: takes the number that codes are sent to"},
		"a number for an address":       {`,"devices":[{"type":"EMAIL","phone":"+14155550101"}]`, "$.devices[0]: takes the address that codes are sent to"},
		"a status of one's own":         {`,"lifecycle":{"status":"LOCKED"}`, `$.lifecycle.status: takes one of ["ACCOUNT_OK","VERIFICATION_REQUIRED"]`},
		"no status":                     {`,"lifecycle":{}`, "$.lifecycle.status: is required"},
		"a mail to be sent":             {`,"email":"lee@example.com","lifecycle":{"status":"VERIFICATION_REQUIRED","suppressVerificationCode":false}`, "$.lifecycle.suppressVerificationCode: is not taken"},
		"no address to verify":          {`,"lifecycle":{"status":"VERIFICATION_REQUIRED"}`, "$.lifecycle.status: needs an email"},
		"an address that is verified":   {`,"email":"lee@example.com","emailVerified":true,"lifecycle":{"status":"VERIFICATION_REQUIRED"}`, "$.lifecycle.status: needs an email"},
		"a language that is none":       {`,"preferredLanguage":"Deutsch (Schweiz)"`, "$.preferredLanguage: takes language tags"},
	} {
		t.Run(name, func(t *testing.T) { oneFault(t, user(row.members), lee+": "+row.want) })
	}
	t.Run("a population's language that is none", func(t *testing.T) {
		oneFault(t, edit(t, "demo/populations/default.json", `"default"`, `"preferredLanguage": "de_CH", "default"`), "demo/populations/default.json: $.preferredLanguage: takes language tags")
	})
	t.Run("a policy that is wrong judges nobody", func(t *testing.T) {
		files := edit(t, "demo/passwordPolicies/standard.json", `"min": 8`, `"min": 7`)
		maps.Copy(files, user(`,"password":"x"`))
		oneFault(t, files, "demo/passwordPolicies/standard.json: $.length.min: takes 8 to 32")
	})
}

func TestWhatAUserMayBringAlong(t *testing.T) {
	const bcrypt = "{BCRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
	for name, row := range map[string]struct {
		members string
		set     func(*configs.User)
	}{
		"nothing":                 {``, func(*configs.User) {}},
		"no password":             {`,"password":null`, func(*configs.User) {}},
		"a password":              {`,"password":"Right-Horse-9"`, func(u *configs.User) { u.Password = "Right-Horse-9" }},
		"a password as an object": {`,"password":{"value":"Right-Horse-9"}`, func(u *configs.User) { u.Password = "Right-Horse-9" }},
		"one that must be changed": {`,"password":{"value":"Right-Horse-9","forceChange":true}`, func(u *configs.User) {
			u.Password, u.ForceChange = "Right-Horse-9", true
		}},
		"one that is old": {`,"password":{"value":"Right-Horse-9","changedAt":"2020-01-01T01:00:00+01:00"}`, func(u *configs.User) {
			u.Password, u.PasswordChangedAt = "Right-Horse-9", time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		}},
		"one that is encoded, and so not judged": {`,"password":"` + bcrypt + `"`, func(u *configs.User) { u.Password, u.Encoded = bcrypt, true }},
		"an account in order":                    {`,"lifecycle":{"status":"ACCOUNT_OK"}`, func(*configs.User) {}},
		"an address to verify": {`,"email":"lee@example.com","lifecycle":{"status":"VERIFICATION_REQUIRED"}`, func(u *configs.User) {
			u.Email, u.Unverified = "lee@example.com", true
		}},
		"devices": {`,"devices":[{"type":"EMAIL","email":"lee@example.com","nickname":"work"},{"type":"VOICE","phone":"+14155550101"}]`, func(u *configs.User) {
			of := device.Device{Env: u.Env, UserID: u.ID, Status: device.Active}
			mail, voice := of, of
			mail.Type, mail.Email, mail.Nickname = device.Email, "lee@example.com", "work"
			voice.Type, voice.Phone = device.Voice, "+14155550101"
			u.Devices = []device.Device{mail, voice}
		}},
		"languages": {`,"preferredLanguage":"de-CH, de;q=0.9,*; q=0"`, func(u *configs.User) { u.PreferredLanguage = "de-CH, de;q=0.9,*; q=0" }},
	} {
		t.Run(name, func(t *testing.T) {
			want := configs.User{Env: env, ID: "d0000000-0000-4000-8000-0000000000f9", Username: "lee", Enabled: true, Population: "d0000000-0000-4000-8000-0000000000b1"}
			row.set(&want)
			m := newMemory()
			apply(t, m, demo(t, user(row.members)))
			got := m.users[len(m.users)-1]
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
