package hash_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"doorward/directory/hash"
)

const (
	nist448 = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmno"
	nist896 = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
)

// vectors are published hashes, in the forms that are read. Where a source has
// only salt and key, they are written in one of these forms here; the messages
// of FIPS 180 are taken for a password and a salt, which are their last 8 bytes.
func vectors() map[string]struct{ password, stored string } {
	return map[string]struct{ password, stored string }{
		// the reference implementation's own tests
		"argon2id":                {"password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
		"argon2id at the cap":     {"password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
		"argon2id of a directory": {"password", "{ARGON2}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
		// crypt_blowfish, wrapper.c
		"bcrypt 2a":              {"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
		"bcrypt 2b":              {"U*U*", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"},
		"bcrypt 2y":              {"U*U*U", "$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"},
		"bcrypt of 72 bytes":     {"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored", "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"},
		"bcrypt of a directory":  {"U*U", "{BCRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
		"bcrypt in small braces": {"U*U", "{bcrypt}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
		"bcrypt of crypt":        {"U*U", "{CRYPT}$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
		// RFC 7914 section 12
		"scrypt, small":             {"password", "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA"},
		"scrypt, usual":             {"pleaseletmein", "{SCRYPT}$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw"},
		"scrypt of Passlib's pages": {"password", "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"},
		"scrypt of lambdaworks":     {"secret", "$s0$e0801$epIxT/h6HbbwHaehFnh/bw==$7H0vsXlY8UxxyW/BWx/9GuY7jEvGjT71GFd6O4SZND0="},
		"scrypt of a directory":     {"secret", "{SCRYPT}$s0$e0801$epIxT/h6HbbwHaehFnh/bw==$7H0vsXlY8UxxyW/BWx/9GuY7jEvGjT71GFd6O4SZND0="},
		// RFC 6070; RFC 7914 section 11; the vectors that are in use for SHA-512
		"PBKDF2 with SHA-1":              {"password", "{PBKDF2}4096$c2FsdA$SwB5AbdlSJq.rUnZJvch0GWkKcE"},
		"PBKDF2 with SHA-1, two blocks":  {"passwordPASSWORDpassword", "$pbkdf2-sha1$4096$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$PS7sT.QchJuAyNg2YsDkSospGpZM8vBwOA"},
		"PBKDF2 with SHA-256":            {"passwd", "$pbkdf2-sha256$i=1,l=64$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLxJypzM8Xm2RZkWZLOdd+8xfHG4RbHjC9UJESBB06GXgw"},
		"PBKDF2 with SHA-256, 80,000":    {"Password", "{PBKDF2-SHA256}80000$TmFDbA$TdzY9guYviGDDO5e8icB+WQaRBjQTAQUrv8Ih2s0q1ah1CWhIlgzVJrbhBtRybMXaicr3ruh0HhHj2Kzl/M8jQ"},
		"PBKDF2 with SHA-256 of Passlib": {"password", "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44"},
		"PBKDF2 with SHA-512":            {"password", "{PBKDF2-SHA512}1$c2FsdA$hn9wzxreAs/zdSWZo6U9xK80x6ZpgVrl1RNVThyM8lLALUcKKFoFAbrZmb/pQ8CPBQI119aLHaVeY/c7YKV/zg"},
		// Passlib's pages, FIPS 180
		"salted SHA-1":           {"password", "{SSHA}pKqkNr1tq3wtQqk+UcPyA3HnA2NsU5NJ"},
		"salted SHA-1 of NIST":   {nist448, "{SSHA}hJg+RBw70m66rkqh+VEp5eVGcPFtbm9wbm9wcQ=="},
		"salted SHA-256":         {"password", "{SSHA256}x1tymSTVjozxQ2PtT46ysrzhZxbcskK0o2f8hEFx7fAQQmhtDSEkJA=="},
		"salted SHA-256, no pad": {"password", "{ssha256}x1tymSTVjozxQ2PtT46ysrzhZxbcskK0o2f8hEFx7fAQQmhtDSEkJA"},
		"salted SHA-256 of NIST": {nist448, "{SSHA256}JI1qYdIGOLjlwCaTDD5gOaM85Flk/yFn9uzt1BnbBsFtbm9wbm9wcQ=="},
		"salted SHA-384 of NIST": {nist896, "{SSHA384}CTMMM/cRR+g9GS/Hgs0bR1MRGxc7OwXSL6CAhuOw9xL8x8caVX4tuWbD6fqRdGA5bm9wcXJzdHU="},
		"salted SHA-512 of NIST": {nist896, "{SSHA512}jpWbddrjE9qM9PcoFPwUP493ecbrn3+hcpmurbaIkBhQHSieSQD35DMbmd7EtUM6x9Mp7rbdJlReluVbh0vpCW5vcHFyc3R1"},
	}
}

func TestPublishedHashes(t *testing.T) {
	for name, row := range vectors() {
		t.Run(name, func(t *testing.T) {
			h, err := hash.Parse(row.stored)
			if err != nil {
				t.Fatal(err)
			}
			if !h.Matches(row.password) {
				t.Error("the right password is refused")
			}
			for _, wrong := range []string{"", "x" + row.password, strings.ToUpper(row.password[:1]) + row.password[1:] + " "} {
				if name != "bcrypt of 72 bytes" && h.Matches(wrong) {
					t.Errorf("%q is taken", wrong)
				}
			}
			if h.Current(hash.DefaultParams()) {
				t.Error("it is not written anew")
			}
			if !hash.Encoded(row.stored) {
				t.Error("it passes for a password in clear")
			}
			if h.Cost() <= 0 || h.Cost() > 3*time.Second {
				t.Errorf("its cost is %s", h.Cost())
			}
		})
	}
}

// Source: reference/management.md 5.3; the password of the published body is not.
func TestThePublishedImportIsRead(t *testing.T) {
	h, err := hash.Parse("{SSHA512}UkGWfORubNKFpFBWh+Lgy4FrciclzUXneuryV+B+zBDR4Gqd5wvMqAvKRixgQWoZlZUgq8Wh40uMK3s6bWpzWt1/TqQH02hX")
	if err != nil || h.Matches("") || h.Matches("password") {
		t.Error(err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	const (
		bcrypt5 = "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
		argon   = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
		key     = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
		key64   = "$c2FsdA$hn9wzxreAs/zdSWZo6U9xK80x6ZpgVrl1RNVThyM8lLALUcKKFoFAbrZmb/pQ8CPBQI119aLHaVeY/c7YKV/zg"
	)
	for name, row := range map[string]struct {
		stored string
		want   error
	}{
		"nothing":                          {"", hash.ErrForm},
		"clear":                            {"Correct-Horse-9", hash.ErrForm},
		"too long":                         {"{SSHA}" + strings.Repeat("A", 512), hash.ErrForm},
		"a scheme in clear":                {"{CLEARTEXT}secret", hash.ErrForm},
		"a scheme without a salt":          {"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", hash.ErrForm},
		"a scheme that is not known":       {"{MSKCC_PBKDF2}AAAA", hash.ErrForm},
		"a scheme that is not closed":      {"{SSHA", hash.ErrForm},
		"another hash behind the scheme":   {"{BCRYPT}$scrypt$ln=14,r=8,p=1" + key, hash.ErrForm},
		"a scheme behind a scheme":         {"{CRYPT}{SSHA}pKqkNr1tq3wtQqk+UcPyA3HnA2NsU5NJ", hash.ErrForm},
		"crypt of another kind":            {"{CRYPT}$6$rounds=5000$usesomesillystri$KqJWpanXZHKq2BOB43TSaYhEWsQ1Lr5QNyPCDH/Tp.6", hash.ErrForm},
		"argon2i":                          {"$argon2i$v=19$m=256,t=2,p=1" + argon, hash.ErrForm},
		"argon2id, too much memory":        {"$argon2id$v=19$m=65537,t=2,p=1" + argon, hash.ErrCost},
		"argon2id, too many passes":        {"$argon2id$v=19$m=256,t=11,p=1" + argon, hash.ErrCost},
		"argon2id, too many lanes":         {"$argon2id$v=19$m=256,t=2,p=5" + argon, hash.ErrCost},
		"argon2id, no memory":              {"$argon2id$v=19$m=0,t=2,p=1" + argon, hash.ErrForm},
		"argon2id, a number that is none":  {"$argon2id$v=19$m=256,t=-2,p=1" + argon, hash.ErrForm},
		"argon2id, a number too large":     {"$argon2id$v=19$m=4294967296,t=2,p=1" + argon, hash.ErrForm},
		"bcrypt, cost 15":                  {"$2a$15$" + bcrypt5, hash.ErrCost},
		"bcrypt, cost 31":                  {"{BCRYPT}$2b$31$" + bcrypt5, hash.ErrCost},
		"bcrypt, cost 99":                  {"$2b$99$" + bcrypt5, hash.ErrCost},
		"bcrypt, cost 3":                   {"$2a$03$" + bcrypt5, hash.ErrForm},
		"bcrypt, no cost":                  {"$2a$-5$" + bcrypt5, hash.ErrForm},
		"bcrypt, the version with the bug": {"$2x$05$" + bcrypt5, hash.ErrForm},
		"bcrypt, cut off":                  {"$2a$05$" + bcrypt5[:52], hash.ErrForm},
		"bcrypt, another character":        {"$2a$05$" + strings.Replace(bcrypt5, ".", "+", 1), hash.ErrForm},
		"scrypt, 128 MiB":                  {"$scrypt$ln=17,r=8,p=1" + key, hash.ErrCost},
		"scrypt, 64 MiB three times":       {"$scrypt$ln=16,r=8,p=3" + key, hash.ErrCost},
		"scrypt, a large block":            {"$scrypt$ln=1,r=1000000,p=1" + key, hash.ErrCost},
		"scrypt, many lanes":               {"$scrypt$ln=1,r=1,p=1048576" + key, hash.ErrCost},
		"scrypt, a shift out of range":     {"$scrypt$ln=64,r=8,p=1" + key, hash.ErrCost},
		"scrypt, the largest number":       {"$scrypt$ln=1,r=9223372036854775807,p=9223372036854775807" + key, hash.ErrCost},
		"scrypt, RFC 7914's fourth":        {"$s0$140801$U29kaXVtQ2hsb3JpZGU=$IQHLm2pRGq6tt274J8D15MGCVzhX+tsbKljtgVBV66M=", hash.ErrCost},
		"scrypt, no lanes":                 {"$s0$e0800$epIxT/h6HbbwHaehFnh/bw==$7H0vsXlY8UxxyW/BWx/9GuY7jEvGjT71GFd6O4SZND0=", hash.ErrForm},
		"scrypt, another order":            {"$scrypt$r=8,ln=14,p=1" + key, hash.ErrForm},
		"scrypt, a parameter more":         {"$scrypt$ln=14,r=8,p=1,x=1" + key, hash.ErrForm},
		"scrypt, a leading zero":           {"$scrypt$ln=014,r=8,p=1" + key, hash.ErrForm},
		"PBKDF2, too many":                 {"{PBKDF2-SHA256}2000001" + key, hash.ErrCost},
		"PBKDF2, too many for two blocks":  {"$pbkdf2-sha256$1000001" + key64, hash.ErrCost},
		"PBKDF2, none":                     {"{PBKDF2-SHA256}0" + key, hash.ErrForm},
		"PBKDF2, fewer than none":          {"{PBKDF2-SHA256}-1" + key, hash.ErrForm},
		"PBKDF2, another length":           {"$pbkdf2-sha256$i=1000,l=64" + key, hash.ErrForm},
		"PBKDF2, another digest":           {"$pbkdf2-md5$1000" + key, hash.ErrForm},
		"PBKDF2, no salt":                  {"$pbkdf2-sha256$1000$$" + key[1:], hash.ErrForm},
		"PBKDF2, a short salt":             {"$pbkdf2-sha256$1000$c2Fs$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", hash.ErrForm},
		"PBKDF2, a short key":              {"$pbkdf2-sha256$1000$c29tZXNhbHQ$nf65EOgLrQMR", hash.ErrForm},
		"PBKDF2, more behind":              {"$pbkdf2-sha256$1000" + key + "$", hash.ErrForm},
		"salted, in hexadecimal":           {"{SSHA256}248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c16d6e6f706e6f7071", hash.ErrForm},
		"salted, without a salt":           {"{SSHA256}JI1qYdIGOLjlwCaTDD5gOaM85Flk/yFn9uzt1BnbBsE=", hash.ErrForm},
		"salted, of another length":        {"{SSHA512}pKqkNr1tq3wtQqk+UcPyA3HnA2NsU5NJ", hash.ErrForm},
		"salted, a long salt":              {"{SSHA}" + strings.Repeat("pKqkNr1t", 20), hash.ErrForm},
		"salted, a line break":             {"{SSHA}pKqkNr1tq3wtQqk+UcPy\nA3HnA2NsU5NJ", hash.ErrForm},
		"salted, half a pad":               {"{SSHA256}x1tymSTVjozxQ2PtT46ysrzhZxbcskK0o2f8hEFx7fAQQmhtDSEkJA=", hash.ErrForm},
		"salted, loose ends":               {"{SSHA256}x1tymSTVjozxQ2PtT46ysrzhZxbcskK0o2f8hEFx7fAQQmhtDSEkJB==", hash.ErrForm},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := hash.Parse(row.stored); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
}

func TestTheCapsThemselvesAreTaken(t *testing.T) {
	const key = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for name, stored := range map[string]string{
		"bcrypt": "$2a$14$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"scrypt": "$scrypt$ln=16,r=8,p=2" + key,
		"PBKDF2": "{PBKDF2}1000000" + key, // two blocks of SHA-1
	} {
		t.Run(name, func(t *testing.T) {
			if h, err := hash.Parse(stored); err != nil || h.Cost() > 2*time.Second {
				t.Errorf("cost %s, %v", h.Cost(), err)
			}
		})
	}
}

func TestWhatClaimsToBeEncoded(t *testing.T) {
	for value, want := range map[string]bool{
		"": false, "Correct-Horse-9": false, "{": false, "{}x": false, "{not closed": false, "{a b}c": false,
		"a{SSHA}b": false, "$2a": false, "$ecret$": false, "$2": false,
		"{SSHA}": true, "{MD5}x": true, "{anything}": true, "{MSKCC_PBKDF2}x": true,
		"$2a$": true, "$argon2id$": true, "$scrypt$": true, "$pbkdf2-sha256$": true,
	} {
		if got := hash.Encoded(value); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

func TestWhatIsWrittenIsCurrent(t *testing.T) {
	p := hash.Params{Memory: 64, Time: 1, Threads: 1}
	h, err := hash.Parse(hash.Derive("x", p, []byte("saltsalt")))
	if err != nil || !h.Matches("x") || h.Matches("y") || !h.Current(p) {
		t.Error(err)
	}
	for _, other := range []hash.Params{{Memory: 65, Time: 1, Threads: 1}, {Memory: 64, Time: 2, Threads: 1}, {Memory: 64, Time: 1, Threads: 2}} {
		if h.Current(other) {
			t.Errorf("it is current for %v", other)
		}
	}
}

// FuzzParse holds that whatever is read stays within the caps, and that no error
// repeats what was read.
func FuzzParse(f *testing.F) {
	for _, v := range vectors() {
		f.Add(v.stored)
	}
	for _, s := range []string{"", "{", "{}", "$", "$$", "$2a$", "$s0$", "{SSHA}", "$scrypt$ln=,r=,p=$$", "$scrypt$ln=63,r=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		h, err := hash.Parse(stored)
		if err != nil {
			if !errors.Is(err, hash.ErrForm) && !errors.Is(err, hash.ErrCost) {
				t.Errorf("another error: %v", err)
			}
			return
		}
		if !hash.Encoded(stored) || h.Cost() <= 0 || h.Cost() > 3*time.Second {
			t.Errorf("%q: encoded %v, cost %s", stored, hash.Encoded(stored), h.Cost())
		}
		if h.Cost() < time.Millisecond {
			h.Matches("x")
		}
	})
}
