package boltstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A file beside the data file says that there was one: an empty or missing data file is then lost, and is not made
// anew.

// sealSuffix follows the data file's name in the seal's name.
const sealSuffix = ".made"

const sealText = "The file beside this one has held data. While this file is here, no empty one is made in its place.\n"

// checkSeal refuses a data file that held data before and is empty or missing.
func checkSeal(path string) error {
	state := "is missing"
	switch info, err := os.Stat(path); {
	case err == nil && info.Size() > 0:
		return nil
	case err == nil:
		state = "is empty"
	case !errors.Is(err, fs.ErrNotExist):
		return nil //nolint:nilerr // it is opening the file that reports what is wrong
	}
	switch _, err := os.Stat(path + sealSuffix); {
	case err == nil:
		return fmt.Errorf("boltstore: %s %s, but held data, as %s says. Put the file or a backup in its place; to "+
			"begin with an empty store, remove %[3]s and what else is left of the old one",
			path, state, path+sealSuffix)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("boltstore: %w", err)
	}
	return nil
}

// writeSeal creates the seal of a data file. If it cannot be written, the data is as good as ever, and the next start
// tries again.
func writeSeal(path string) {
	if _, err := os.Stat(path + sealSuffix); err != nil {
		_ = os.WriteFile(path+sealSuffix, []byte(sealText), 0o600)
	}
}
