package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"doorward/runtime/policy"
)

// Theme is an environment's own look. The zero Theme is the built-in one.
type Theme struct {
	Path     string // of the stylesheet: "/{envID}/theme.{digest}.css"; empty: there is none
	Style    []byte // the stylesheet
	Logo     string // address of an image; empty: there is none
	DarkLogo string // likewise, on dark ground; empty: the same one
}

// themeDocument is the member "theme" of environment.json. Every value is read
// as what it means and written anew, so that none can say more in a stylesheet
// or a header than it may.
type themeDocument struct {
	Logo       address      `json:"logo"`
	Accent     string       `json:"accent"`
	Background string       `json:"background"`
	Radius     *int         `json:"radius"`
	Dark       themeColours `json:"dark"`
}

func (d *themeDocument) light() *themeColours {
	return &themeColours{Logo: d.Logo, Accent: d.Accent, Background: d.Background}
}

// themeColours are what differs between light and dark.
type themeColours struct {
	Logo       address `json:"logo"`
	Accent     string  `json:"accent"`
	Background string  `json:"background"`
}

// ground is the built-in look that a theme changes: what its colours must go
// with. A test holds that it is that of the stylesheet.
type ground struct{ card, page, accent, press, onAccent, soft colour }

func lightGround() ground {
	return ground{
		card: colour{0xff, 0xff, 0xff}, page: colour{0xf4, 0xf5, 0xf7}, soft: colour{0x54, 0x5d, 0x6c},
		accent: colour{0x1d, 0x5b, 0xd6}, press: colour{0x17, 0x49, 0xad}, onAccent: colour{0xff, 0xff, 0xff},
	}
}

func darkGround() ground {
	return ground{
		card: colour{0x17, 0x1b, 0x22}, page: colour{0x0f, 0x12, 0x17}, soft: colour{0xa8, 0xb1, 0xbf},
		accent: colour{0x8a, 0xb1, 0xff}, press: colour{0xab, 0xc7, 0xff}, onAccent: colour{0x0b, 0x1a, 0x36},
	}
}

func white() colour { return colour{0xff, 0xff, 0xff} }
func black() colour { return colour{} }

func (d *themeDocument) check(f *policy.Faults, at policy.Path) {
	d.light().check(f, at, lightGround())
	d.Dark.check(f, at.Member("dark"), darkGround())
	if d.Radius != nil && (*d.Radius < 0 || *d.Radius > 24) {
		f.Add(at.Member("radius"), "takes 0 to 24 pixels")
	}
}

func (d *themeColours) check(f *policy.Faults, at policy.Path, g ground) {
	if d.Logo != "" {
		say(f, at.Member("logo"), logoFault(string(d.Logo)))
	}
	for name, value := range map[string]string{"accent": d.Accent, "background": d.Background} {
		if _, ok := parseColour(value); value != "" && !ok {
			f.Add(at.Member(name), `takes a colour such as "#1d5bd6"`)
		}
	}
	accent, ok := parseColour(d.Accent)
	if is := accent.contrast(g.card); ok && is < textContrast {
		f.Add(at.Member("accent"), fmt.Sprintf("has a contrast of %.1f to 1 with the card, which is %s, and links in it need %.1f to 1; %s has it",
			is, g.card, textContrast, accent.readableOn(g.card, away(g.card))))
	}
}

// away is black or white, whichever is farther from c.
func away(c colour) colour {
	if c.contrast(white()) > c.contrast(black()) {
		return white()
	}
	return black()
}

// logoFault says what keeps s from being an image's address that may stand in a
// policy: it comes from one origin that can be named.
func logoFault(s string) string {
	if message := pageFault(s); message != "" {
		return message
	}
	if strings.ContainsAny(s, ";,'\"") || strings.Contains(s, "[") {
		return `takes no "[", ";", "," or quotes`
	}
	return ""
}

// theme is what the document means for an environment. What it does not say
// stays as it is; a dark accent that it does not give is made from the light one.
func (d *themeDocument) theme(env string) Theme {
	t := Theme{Logo: string(d.Logo), DarkLogo: string(d.Dark.Logo)}
	light, dark := d.light().over(lightGround()), d.Dark.over(darkGround())
	if d.Dark.Accent == "" && d.Accent != "" {
		dark = dark.accented(light.accent.readableOn(dark.card, white()).mixed(white(), 0.15))
	}
	var b strings.Builder
	b.WriteString(":root{" + light.tokens())
	if d.Radius != nil {
		fmt.Fprintf(&b, ";--radius:%dpx", *d.Radius)
	}
	b.WriteString("}\n@media (prefers-color-scheme:dark){:root{" + dark.tokens() + "}}\n")
	t.Style = []byte(b.String())
	sum := sha256.Sum256(t.Style)
	t.Path = "/" + env + "/theme." + hex.EncodeToString(sum[:6]) + ".css"
	return t
}

// over is g with the colours that are given.
func (d *themeColours) over(g ground) ground {
	if c, ok := parseColour(d.Background); ok {
		g.page = c
	}
	if c, ok := parseColour(d.Accent); ok {
		g = g.accented(c)
	}
	return g
}

// accented is g with an accent and what goes with it: the colour of text on it,
// black or white, and what a button becomes that is pressed, which only makes
// that text easier to read.
func (g ground) accented(c colour) ground {
	g.accent, g.onAccent = c, away(c)
	g.press = c.mixed(away(g.onAccent), 0.2)
	return g
}

// tokens are the custom properties of the stylesheet that a theme sets.
func (g ground) tokens() string {
	onPage := g.soft.readableOn(g.page, away(g.page))
	return fmt.Sprintf("--page:%s;--on-page:%s;--accent:%s;--accent-press:%s;--on-accent:%s", g.page, onPage, g.accent, g.press, g.onAccent)
}
