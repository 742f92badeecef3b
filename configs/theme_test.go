package configs_test

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorward/configs"
	"doorward/forms"
	"doorward/static"
)

const environmentFile = "demo/environment.json"

// themed is the demo's environment with a theme, as JSON.
func themed(t *testing.T, theme string) map[string]string {
	t.Helper()
	return edit(t, environmentFile, `"demo": true`, `"demo": true, "theme": `+theme)
}

// look is what a theme becomes.
func look(t *testing.T, theme string) configs.Theme {
	t.Helper()
	m := newMemory()
	apply(t, m, demo(t, themed(t, theme)))
	b, ok := serve(t, m).Bundle(env)
	if !ok {
		t.Fatal("the environment is not served")
	}
	return b.Environment().Theme
}

func TestThemes(t *testing.T) {
	for name, tc := range map[string]struct {
		theme, want    string
		logo, darkLogo string
	}{
		"nothing of its own": {
			`{}`, ":root{--page:#f4f5f7;--on-page:#545d6c;--accent:#1d5bd6;--accent-press:#1749ad;--on-accent:#ffffff}\n" +
				"@media (prefers-color-scheme:dark){:root{--page:#0f1217;--on-page:#a8b1bf;--accent:#8ab1ff;--accent-press:#abc7ff;--on-accent:#0b1a36}}\n", "", "",
		},
		"an accent, with a lighter one made for the dark": {
			`{"accent": "#0A6640", "radius": 0}`, ":root{--page:#f4f5f7;--on-page:#545d6c;--accent:#0a6640;--accent-press:#085233;--on-accent:#ffffff;--radius:0px}\n" +
				"@media (prefers-color-scheme:dark){:root{--page:#0f1217;--on-page:#a8b1bf;--accent:#69a28a;--accent-press:#87b5a1;--on-accent:#000000}}\n", "", "",
		},
		"everything": {
			`{"logo": "https://cdn.example/l.svg", "accent": "#036", "background": "#102a43", "radius": 24, "dark": {"logo": "{base}/d.svg", "accent": "#9cf", "background": "#000"}}`,
			":root{--page:#102a43;--on-page:#8b919b;--accent:#003366;--accent-press:#002952;--on-accent:#ffffff;--radius:24px}\n" +
				"@media (prefers-color-scheme:dark){:root{--page:#000000;--on-page:#a8b1bf;--accent:#99ccff;--accent-press:#add6ff;--on-accent:#000000}}\n",
			"https://cdn.example/l.svg", "https://auth.example/d.svg",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := look(t, tc.theme)
			if string(got.Style) != tc.want || got.Logo != tc.logo || got.DarkLogo != tc.darkLogo {
				t.Errorf("%s %s\n%s, want\n%s", got.Logo, got.DarkLogo, got.Style, tc.want)
			}
			if !regexp.MustCompile(`^/` + env + `/theme\.[0-9a-f]{12}\.css$`).MatchString(got.Path) {
				t.Errorf("served at %s", got.Path)
			}
		})
	}
	if a, b := look(t, `{"radius": 1}`), look(t, `{"radius": 2}`); a.Path == b.Path {
		t.Error("two looks have one address")
	}
}

func TestThemesThatAreRefused(t *testing.T) {
	const at = environmentFile + ": $.theme."
	for name, tc := range map[string]struct{ theme, want string }{
		"an accent that nobody can read on white":   {`{"accent": "#ffcc00"}`, at + "accent: has a contrast of 1.5 to 1 with the card, which is #ffffff, and links in it need 4.5 to 1; #8f7200 has it"},
		"a dark accent that nobody can read on it":  {`{"dark": {"accent": "#222"}}`, at + "dark.accent: has a contrast of 1.1 to 1 with the card, which is #171b22, and links in it need 4.5 to 1; #838383 has it"},
		"a colour by name":                          {`{"accent": "navy"}`, at + `accent: takes a colour such as "#1d5bd6"`},
		"a colour that one can see through":         {`{"background": "#ffffff80"}`, at + "background: takes a colour"},
		"a colour that says more":                   {`{"background": "#fff;}body{display:none"}`, at + "background: takes a colour"},
		"a colour with a line under it":             {`{"background": "#ffffff\n"}`, at + "background: takes a colour"},
		"a radius that is none":                     {`{"radius": 25}`, at + "radius: takes 0 to 24 pixels"},
		"a radius below none":                       {`{"radius": -1}`, at + "radius: takes 0 to 24 pixels"},
		"a radius with a unit":                      {`{"radius": "8px"}`, at + "radius: takes a whole number"},
		"a logo over plain http":                    {`{"logo": "http://cdn.example/l.svg"}`, at + "logo: takes https"},
		"a logo in the page":                        {`{"logo": "data:image/svg+xml;base64,AAAA"}`, at + "logo: takes https"},
		"a logo that is a script":                   {`{"logo": "javascript:alert(1)"}`, at + "logo: takes https"},
		"a logo that ends the policy it stands in":  {`{"logo": "https://a.example/l.svg;script-src"}`, at + "logo: takes no"},
		"a logo at no name":                         {`{"dark": {"logo": "https://[::1]/l.svg"}}`, at + "dark.logo: takes no"},
		"a member that is not there":                {`{"colour": "#fff"}`, at + "colour: is no member here; there are logo, accent, background, radius, dark"},
		"a member that is not there, for the night": {`{"dark": {"radius": 1}}`, at + "dark.radius: is no member here; there are logo, accent, background"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := configs.Load(demo(t, themed(t, tc.theme)), kinds())
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "\n"+environmentFile) {
				t.Errorf("%v, want %s", err, tc.want)
			}
		})
	}
}

// TestWhateverAThemeSays: no theme that is taken puts anything into a stylesheet
// but colours and a length, nor makes text that cannot be read.
func TestWhateverAThemeSays(t *testing.T) {
	shape := regexp.MustCompile(`^:root\{(--[a-z-]+:#[0-9a-f]{6};?)+(--radius:\d+px)?\}\n@media \(prefers-color-scheme:dark\)\{:root\{(--[a-z-]+:#[0-9a-f]{6};?)+\}\}\n$`)
	colour := rapid.OneOf(rapid.StringMatching(`#[0-9a-f]{6}`), rapid.StringMatching(`#[0-9A-F]{3}`), rapid.String())
	judge := func(r rapid.TB, theme string) {
		style := string(look(t, theme).Style)
		if !shape.MatchString(style) {
			r.Fatalf("%s made\n%s", theme, style)
		}
		light, dark, _ := strings.Cut(style, "@media")
		for css, card := range map[string]string{light: "#ffffff", dark: "#171b22"} {
			for _, pair := range [][2]string{{token(css, "on-accent"), token(css, "accent")}, {token(css, "on-accent"), token(css, "accent-press")}, {token(css, "accent"), card}, {token(css, "on-page"), token(css, "page")}} {
				if c := contrast(pair[0], pair[1]); c < 4.5 {
					r.Fatalf("%s: %s on %s has %.2f to 1", theme, pair[0], pair[1], c)
				}
			}
		}
	}
	// What is drawn may never be taken, by chance; this always is.
	judge(t, `{"accent":"#336699","background":"#F0F","radius":8,"dark":{"background":"#123456"}}`)
	rapid.Check(t, func(r *rapid.T) {
		theme, _ := json.Marshal(map[string]any{
			"accent": colour.Draw(r, "accent"), "background": colour.Draw(r, "background"), "radius": rapid.IntRange(-2, 30).Draw(r, "radius"),
			"dark": map[string]any{"background": colour.Draw(r, "dark")},
		})
		if _, err := configs.Load(demo(t, themed(t, string(theme))), kinds()); err == nil {
			judge(r, string(theme))
		}
	})
}

// TestTheLooksGroundIsThatOfTheStylesheet: what a theme is judged against, and
// what it leaves alone, is what pages are drawn on.
func TestTheLooksGroundIsThatOfTheStylesheet(t *testing.T) {
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	css, _ := assets.Find(assets.Path("page.css"))
	builtIn, _, _ := strings.Cut(string(css.Body), "*,*::before")
	light, dark, _ := strings.Cut(builtIn, "@media")
	unchanged, unchangedDark, _ := strings.Cut(string(look(t, `{}`).Style), "@media")
	for _, half := range [][2]string{{light, unchanged}, {dark, unchangedDark}} {
		for _, name := range []string{"page", "on-page", "accent", "accent-press", "on-accent"} {
			if a, b := token(half[0], name), token(half[1], name); a != b || a == "" {
				t.Errorf("--%s is %q in the stylesheet and %q for themes", name, a, b)
			}
		}
	}
	if token(light, "card") != "#ffffff" || token(dark, "card") != "#171b22" {
		t.Error("the card has another colour")
	}
	for css, names := range map[string][]string{light: {"soft", "text", "danger", "done", "accent"}, dark: {"soft", "text", "danger", "done", "accent"}} {
		for _, name := range names {
			for _, ground := range []string{"card", "danger-wash", "done-wash", "notice-wash"} {
				onItsOwn := ground == "card" || name == "text" || name == "soft" || strings.HasPrefix(ground, name)
				if c := contrast(token(css, name), token(css, ground)); onItsOwn && c < 4.5 {
					t.Errorf("--%s on --%s has %.2f to 1", name, ground, c)
				}
			}
		}
		if c := contrast(token(css, "edge"), token(css, "card")); c < 3 {
			t.Errorf("--edge on --card has %.2f to 1", c)
		}
	}
}

func token(css, name string) string {
	m := regexp.MustCompile(`--` + name + `:\s*(#[0-9a-f]{6})`).FindStringSubmatch(css)
	if m == nil {
		return ""
	}
	return m[1]
}

// contrast is WCAG's, worked out a second time.
func contrast(a, b string) float64 {
	luminance := func(c string) float64 {
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			n, err := strconv.ParseUint(c[1+2*i:3+2*i], 16, 8)
			if err != nil {
				panic(err)
			}
			v := float64(n) / 255
			if v <= 0.04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+0.055)/1.055, 2.4)
			}
			sum += weight * v
		}
		return sum
	}
	light, dark := max(luminance(a), luminance(b)), min(luminance(a), luminance(b))
	return (light + 0.05) / (dark + 0.05)
}

func TestLanguagesOfAnEnvironment(t *testing.T) {
	languages := func(list string) map[string]string {
		return edit(t, environmentFile, `"demo": true`, `"demo": true, "languages": `+list)
	}
	m := newMemory()
	apply(t, m, demo(t, languages(`["es", "de"]`)))
	if b, _ := serve(t, m).Bundle(env); !slices.Equal(b.Environment().Languages, []string{"es", "de"}) {
		t.Errorf("%q", b.Environment().Languages)
	}
	_, err := configs.Load(demo(t, languages(`["de", "fi"]`)), kinds())
	if want := environmentFile + `: $.languages[1]: takes one of ["de","en","es"]`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := forms.NewPages(assets)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range pages.Languages() {
		if _, err := configs.Load(demo(t, languages(fmt.Sprintf("[%q]", l))), kinds()); err != nil {
			t.Errorf("there are pages in %s: %v", l, err)
		}
	}
}
