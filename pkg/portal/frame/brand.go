package frame

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/setup"
)

// Brand is how the operator's pages look. All of it may be empty.
type Brand struct {
	// Product is the name of the application, Contact the place to get help: a mail address, a URL or a few words.
	Product, Contact string
	// Accent is the colour of buttons and links, "#0b5fff"; it must be dark enough to be read on white.
	Accent string
	// Logo is an image as a data URL: data:image/svg+xml;base64,… or data:image/png;base64,…
	Logo string
	// ReturnURL is the address to which the pages lead back if the link has none: an absolute https URL.
	ReturnURL string
}

// maxLogo bounds a logo in bytes: it is sent to everybody.
const maxLogo = 64 << 10

var (
	colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	// errBrand begins the faults of a Brand.
	errBrand = errors.New("frame: brand")
)

// Check returns the first fault of a brand.
func (b Brand) Check() error {
	if b.Accent != "" && (!colour.MatchString(b.Accent) || contrast(b.Accent, "#ffffff") < 4.5) {
		return fmt.Errorf("%w: the accent colour must be such as #0b5fff, and dark enough for white text on it",
			errBrand)
	}
	if b.ReturnURL != "" && !setup.ValidReturnURL(b.ReturnURL) {
		return fmt.Errorf("%w: the return URL must be an absolute https URL", errBrand)
	}
	_, _, err := b.logo()
	return err
}

// logo is the image and the name of its file; "" if there is none.
func (b Brand) logo() (name string, image []byte, err error) {
	if b.Logo == "" {
		return "", nil, nil
	}
	for prefix, name := range map[string]string{
		"data:image/svg+xml;base64,": "logo.svg", "data:image/png;base64,": "logo.png",
	} {
		if rest, ok := strings.CutPrefix(b.Logo, prefix); ok {
			image, err := base64.StdEncoding.DecodeString(rest)
			if err == nil && len(image) <= maxLogo {
				return name, image, nil
			}
		}
	}
	return "", nil, fmt.Errorf("%w: the logo must be a data URL of an SVG or PNG image in base64, 64 KB at most",
		errBrand)
}

// css is the style sheet of the brand. In the dark the accent is mixed with white, so that it can be read there.
func (b Brand) css() string {
	if b.Accent == "" {
		return ""
	}
	return fmt.Sprintf(`:root{--accent:%[1]s;--accent-text:%[1]s}`+
		`@media (prefers-color-scheme:dark){:root{--accent-text:%[2]s}}`, b.Accent, lighter(b.Accent))
}
