package main_test

import (
	"bytes"
	"image"
	_ "image/png"
	"net/http"
	"strings"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	keys "github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// mails gives them a device that codes are mailed to, as an administrator does.
func (c *caller) mails() {
	c.Helper()
	c.manages(http.MethodPost, "/devices", `{"type":"EMAIL","email":"`+c.mailbox+`","status":"ACTIVE"}`, http.StatusCreated)
}

// playsMail sets up codes by mail, the first time with a wrong one, and uses them.
func (c *caller) playsMail() {
	c.journey()
	c.names()
	c.page("Add a second step")
	c.chooses("Email")
	c.page("Email")
	if typed := value(c.Tab, "email"); typed != c.mailbox {
		c.Errorf("%q is filled in", typed)
	}
	c.Follow(primary)
	c.receives(c.mailbox)
	c.arrived("Multi_Factor", "pwd", "otp", "mfa")
	c.leaves()
	c.journey()
	c.names()
	c.page("Confirm that it is you")
	c.receives(c.mailbox)
	c.arrived("Multi_Factor", "pwd", "otp", "mfa")
}

// playsSMS is the same with a telephone number, which nothing was known of.
func (c *caller) playsSMS() {
	c.journey()
	c.names()
	c.page("Add a second step")
	c.chooses("Text message")
	c.page("Text message")
	c.Fill(named("phone"), "nonsense")
	c.Follow(primary)
	if wrong(c.Tab, "phone") == "" || value(c.Tab, "phone") != "nonsense" {
		c.Errorf("a number that is none: %s", c.Text("main"))
	}
	c.sound()
	c.Fill(named("phone"), c.number)
	c.Follow(primary)
	c.receives(c.number)
	c.arrived("Multi_Factor", "pwd", "otp", "mfa")
	c.leaves()
	c.journey()
	c.names()
	c.page("Confirm that it is you")
	c.receives(c.number)
	c.arrived("Multi_Factor", "pwd", "otp", "mfa")
}

// receives types a wrong code, one that a newer one has replaced, and the right one.
func (c *caller) receives(at string) {
	c.Helper()
	first := c.sent(at)
	if strings.Contains(c.Text("main"), at) {
		c.Errorf("the page tells where the code went in full: %s", c.Text("main"))
	}
	c.sound()
	c.code(other(first))
	c.refused("That code is not right")
	c.sound()
	c.presses("Send a new code")
	c.says("A new code is on its way.")
	second := c.sent(at)
	if first != second {
		c.code(first)
		c.refused("That code is not right")
	}
	c.code(second)
}

// other is a code of the same length.
func other(code string) string {
	if code[0] == '0' {
		return "1" + code[1:]
	}
	return "0" + code[1:]
}

// playsApp scans the picture of the page as a phone does, and types what it shows.
func (c *caller) playsApp() {
	c.journey()
	c.names()
	c.page("Add a second step")
	c.chooses("Authenticator app")
	c.page("Set up your authenticator app")
	key, err := keys.NewKeyFromURL(c.scans())
	if err != nil {
		c.Fatal(err)
	}
	if key.AccountName() != c.name || key.Issuer() != "Demo" || key.Secret() != strings.ReplaceAll(c.Text("#key"), " ", "") {
		c.Errorf("the picture is of %s at %s; %s is to be typed", key.AccountName(), key.Issuer(), c.Text("#key"))
	}
	shows := func(at time.Time) string {
		code, err := totp.GenerateCode(key.Secret(), at)
		if err != nil {
			c.Fatal(err)
		}
		return code
	}
	now := time.Now()
	c.code(other(shows(now)))
	c.refused("That code is not right")
	c.code(shows(now))
	c.arrived("Multi_Factor", "pwd", "otp", "mfa")
	c.leaves()
	c.journey()
	c.names()
	c.page("Confirm that it is you")
	c.says("Enter the code that your authenticator app shows.")
	c.code(shows(now)) // which has set the app up
	c.refused("That code")
	if next := now.Add(30 * time.Second); time.Now().Before(next) {
		now = next // the clock of a phone may be fast
	} else {
		now = time.Now()
	}
	c.code(shows(now))
	c.arrived("Multi_Factor", "pwd", "otp", "mfa")
}

// scans is what the QR code of the page says. The picture is cut out of what is on the
// screen: the library misses one in sixty when it has to look for them.
func (c *caller) scans() string {
	c.Helper()
	shot, _, err := image.Decode(bytes.NewReader(c.Picture(".qr svg")))
	if err != nil {
		c.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(shot)
	if err != nil {
		c.Fatal(err)
	}
	r, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		c.Fatalf("the picture cannot be read: %v", err)
	}
	return r.GetText()
}
