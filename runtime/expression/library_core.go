package expression

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // HmacMD5 is published; whoever asks for it has a partner that wants it
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"strings"
)

// coreFunction finds a function of #core. Source: reference/management.md 6.3.
func coreFunction(named string) (function, bool) {
	switch named {
	case "ifelse":
		return function{least: 2, most: 23, run: ifelse}, true
	case "switchExpr":
		return function{least: 3, most: 22, run: switchExpr}, true
	}
	return function{}, false
}

// ifelse is the value behind the first condition that holds, else the last argument
// if it stands alone, else nothing.
func ifelse(c *call) any {
	i := 0
	for ; i+1 < len(c.args); i += 2 {
		if lenient(c.args[i]) {
			return c.args[i+1]
		}
	}
	if i < len(c.args) {
		return c.args[i]
	}
	return nil
}

// lenient is a condition of #core: a number above zero, or a word for yes.
func lenient(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		if len(v) > 4 {
			return false
		}
		switch strings.ToLower(v) {
		case "true", "on", "y", "t", "yes":
			return true
		}
		return false
	}
	return numeric(v) && compareNumbers(v, integer(0)) > 0
}

// switchExpr is the value behind the first choice that equals the first argument.
func switchExpr(c *call) any {
	i := 1
	for ; i+1 < len(c.args); i += 2 {
		same := numeric(c.args[0]) && numeric(c.args[i]) && compareNumbers(c.args[0], c.args[i]) == 0
		if !same {
			var err error
			if same, err = c.e.same(c.at, c.args[0], c.args[i], 0); !c.is(err) {
				return nil
			}
		}
		if same {
			return c.args[i+1]
		}
	}
	if i < len(c.args) {
		return c.args[i]
	}
	return nil
}

// cryptoFunction finds a function of #crypto. Source: reference/management.md 6.3.
func cryptoFunction(named string) (function, bool) {
	if named == "hmacHexDigest" {
		return function{least: 3, most: 3, run: hmacHexDigest}, true
	}
	return function{}, false
}

func hmacHexDigest(c *call) any {
	if c.null(0) || c.null(1) {
		c.fail("data and a key, not nothing")
		return nil
	}
	algorithm := digest(c.text(2))
	if algorithm == nil {
		c.fail("HmacMD5, HmacSHA1, HmacSHA224, HmacSHA256, HmacSHA384 or HmacSHA512 as argument 3")
		return nil
	}
	mac := hmac.New(algorithm, []byte(c.text(1)))
	mac.Write([]byte(c.text(0)))
	if !c.is(c.e.work(c.at, 4*len(c.text(0)))) {
		return nil
	}
	return c.made(hex.EncodeToString(mac.Sum(nil)))
}

func digest(named string) func() hash.Hash {
	switch named {
	case "HmacMD5":
		return md5.New
	case "HmacSHA1":
		return sha1.New
	case "HmacSHA224":
		return sha256.New224
	case "HmacSHA256":
		return sha256.New
	case "HmacSHA384":
		return sha512.New384
	case "HmacSHA512":
		return sha512.New
	}
	return nil
}
