package main_test

import (
	"regexp"
	"strings"

	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

// account opens a page of the account, with the password where it is asked for.
func (c *caller) account(page string) {
	c.Helper()
	c.Open(c.node.Base + "/" + nodetest.Env + "/account" + page)
	if c.Has("#username") {
		c.names()
	}
}

// proving is the code in the next message, which has to have one.
func (c *caller) proving(to string) string {
	c.Helper()
	text := c.message(to)
	code := regexp.MustCompile(`\b([A-Z0-9]{4} [A-Z0-9]{4}|[0-9]{8})\b`).FindString(text)
	if code == "" {
		c.Fatalf("no code in %q", text)
	}
	return strings.ReplaceAll(code, " ", "")
}

// submits types into the one input of the page.
func (c *caller) submits(input, typed string) {
	c.Helper()
	c.Fill(named(input), typed)
	c.Follow(primary)
}

// playsNewMail changes the mail address. What goes to the one before is a notice, and
// nothing after that.
func (c *caller) playsNewMail() {
	next := strings.Replace(c.mailbox, "@", "@new.", 1)
	c.account("")
	c.page("Your account")
	if strings.Contains(c.Text("main"), "Mobile number") {
		c.Error("a number is offered, and nothing sends SMS")
	}
	c.chooses("Email address")
	c.page("Email address")
	c.says(c.mailbox)
	c.submits("newEmail", "nonsense")
	if wrong(c.Tab, "newEmail") == "" || value(c.Tab, "newEmail") != "nonsense" {
		c.Errorf("an address that is none: %s", c.Text("main"))
	}
	c.sound()
	c.submits("newEmail", next)
	c.page("Enter the code")
	c.says(next)
	first := c.proving(next)
	c.submits("verificationCode", "WRONGWRO")
	if got := wrong(c.Tab, "verificationCode"); !strings.Contains(got, "not right") {
		c.Errorf("beside a wrong code stands %q", got)
	}
	c.sound()
	c.presses("Send a new code")
	c.says("Only the newest one works.")
	c.submits("verificationCode", first)
	if wrong(c.Tab, "verificationCode") == "" {
		c.Errorf("the first code: %s", c.Text("main"))
	}
	c.submits("verificationCode", strings.ToLower(c.proving(next)))
	c.page("Your account")
	c.says("Your email address is changed.")
	c.says(next)
	if notice := c.message(c.mailbox); !strings.Contains(notice, "was changed") || !strings.Contains(notice, "If this was not you") {
		c.Errorf("the notice says %q", notice)
	}

	c.presses("Sign off")
	c.Follow(primary)
	c.Open(c.node.Base + "/" + nodetest.Env + "/account")
	c.Follow(way("password.forgot"))
	c.submits("username", c.name)
	c.page("Set a new password")
	c.proving(next)
	for _, m := range c.mail.All() {
		if m.To == c.mailbox && m.Code() != "" {
			c.Errorf("a code went to the address before: %s", m.Subject)
		}
	}
}

// playsNewNumber gives the account a number, another one, and takes it away. In between
// the pages change their language.
func (c *caller) playsNewNumber() {
	c.account("")
	c.chooses("Mobile number")
	c.page("Mobile number")
	c.submits("newPhone", "030 1234567")
	if wrong(c.Tab, "newPhone") == "" {
		c.Errorf("a number that is none: %s", c.Text("main"))
	}
	c.submits("newPhone", c.number)
	c.page("Enter the code")
	c.presses("Cancel the change")
	c.says("All is as it was.")
	c.message(c.number)
	c.chooses("Mobile number")
	c.submits("newPhone", c.number)
	c.submits("otp", "00000000")
	if wrong(c.Tab, "otp") == "" {
		c.Errorf("a wrong code: %s", c.Text("main"))
	}
	c.sound()
	c.submits("otp", c.proving(c.number))
	c.says("Your mobile number is changed.")
	c.message(c.mailbox)
	c.chooses("Your details")
	c.page("Your details")
	browsertest.Eval[any](c.Tab, `document.querySelector("#language").value = "de"`)
	c.Follow(primary)
	c.page("Ihre Angaben")
	c.Follow(".links a")
	c.chooses("Mobilnummer")
	c.presses("Nummer entfernen")
	c.says("Ihre Mobilnummer ist entfernt.")
	if notice := c.message(c.mailbox); !strings.Contains(notice, "wurde entfernt") {
		c.Errorf("the notice says %q", notice)
	}
}
