package configs

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// colour is an opaque sRGB colour. It is written as "#rrggbb" and as nothing
// else, so that what is read here and put into a stylesheet can be no more.
type colour struct{ r, g, b uint8 }

func (c colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

// parseColour takes "#rgb" and "#rrggbb".
func parseColour(s string) (colour, bool) {
	if !regexp.MustCompile(`^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`).MatchString(s) {
		return colour{}, false
	}
	if len(s) == 4 {
		s = string([]byte{'#', s[1], s[1], s[2], s[2], s[3], s[3]})
	}
	n, err := strconv.ParseUint(s[1:], 16, 24)
	return colour{uint8(n >> 16), uint8(n >> 8), uint8(n)}, err == nil //nolint:gosec // the lowest eight bits are meant
}

// luminance is between 0, black, and 1, white. Source: WCAG 2.2, relative
// luminance.
func (c colour) luminance() float64 {
	channel := func(v uint8) float64 {
		if x := float64(v) / 255; x > 0.04045 {
			return math.Pow((x+0.055)/1.055, 2.4)
		} else {
			return x / 12.92
		}
	}
	return 0.2126*channel(c.r) + 0.7152*channel(c.g) + 0.0722*channel(c.b)
}

// contrast of two colours is between 1 and 21. Source: WCAG 2.2, contrast ratio.
func (c colour) contrast(with colour) float64 {
	light, dark := c.luminance(), with.luminance()
	return (math.Max(light, dark) + 0.05) / (math.Min(light, dark) + 0.05)
}

// mixed is c with part of another colour in it: 0 is none of it, 1 is all.
func (c colour) mixed(with colour, part float64) colour {
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-part) + float64(b)*part)) }
	return colour{mix(c.r, with.r), mix(c.g, with.g), mix(c.b, with.b)}
}

// readableOn is the colour nearest to c, towards another one, that can be read
// on ground.
func (c colour) readableOn(ground, towards colour) colour {
	for part := 0.0; part < 1; part += 0.02 {
		if m := c.mixed(towards, part); m.contrast(ground) >= textContrast {
			return m
		}
	}
	return towards
}

// textContrast is what text needs. Source: WCAG 2.2 success criterion 1.4.3.
const textContrast = 4.5
