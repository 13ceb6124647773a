package frame

import (
	"fmt"
	"math"
	"strconv"
)

// contrast is the contrast of two colours such as "#0b5fff", 1 to 21 (WCAG 2.2, contrast ratio).
func contrast(a, b string) float64 {
	la, lb := luminance(channels(a)), luminance(channels(b))
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// channels are red, green and blue, 0 to 1.
func channels(colour string) (c [3]float64) {
	for i := range c {
		n, _ := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8) // Check has seen the digits
		c[i] = float64(n) / 255
	}
	return c
}

// luminance is the relative luminance (WCAG 2.2).
func luminance(c [3]float64) float64 {
	for i, v := range c {
		if v <= 0.04045 {
			c[i] = v / 12.92
			continue
		}
		c[i] = math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
}

// darkPaper is the brightest background of the pages in the dark.
const darkPaper = "#232a37"

// lighter mixes a colour with white until it can be read in the dark.
func lighter(colour string) string {
	c := channels(colour)
	for mix := 0.0; ; mix += 0.05 {
		mixed := "#"
		for _, v := range c {
			mixed += fmt.Sprintf("%02x", int(math.Round(255*(v+(1-v)*min(mix, 1)))))
		}
		if mix >= 1 || contrast(mixed, darkPaper) >= 5 {
			return mixed
		}
	}
}
