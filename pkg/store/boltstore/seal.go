package boltstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A file beside the data file says that there was one: an empty data file is then a lost one, and not one to be made.

// sealSuffix is what the seal's name has more than the data file's.
const sealSuffix = ".made"

const sealText = "The file beside this one has held data. While this file is here, an empty one is not taken for new.\n"

// checkSeal refuses an empty data file that held data before. No data file at all is one that somebody has removed.
func checkSeal(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > 0 {
		return nil //nolint:nilerr // it is opening the file that reports what is wrong
	}
	switch _, err := os.Stat(path + sealSuffix); {
	case err == nil:
		return fmt.Errorf("boltstore: %s is empty, but held data, as %s says: the data is lost. Put a backup in its place; "+
			"without a backup, remove both files to begin with an empty store", path, path+sealSuffix)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("boltstore: %w", err)
	}
	return nil
}

// writeSeal makes the seal of a data file. If it cannot be written, the data is as good as ever, and the next start
// tries again.
func writeSeal(path string) {
	if _, err := os.Stat(path + sealSuffix); err != nil {
		_ = os.WriteFile(path+sealSuffix, []byte(sealText), 0o600)
	}
}
