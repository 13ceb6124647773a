package direct

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/transfer"
)

// Export are the options of an export of a tenant.
type Export struct {
	Table
	Tenant, File string
	// SecretsTo is an age recipient, "age1…", for whom the secrets are encrypted; "" leaves them out.
	SecretsTo string
	// JSON prints the result as a JSON document.
	JSON bool
}

// ExportTenant writes a tenant to a file, which only its user may read. The file appears when it is complete. The
// result is printed to log, and as JSON to out.
func ExportTenant(ctx context.Context, o Export, out, log io.Writer) (err error) {
	e := transfer.Export{Tenant: o.Tenant, Now: time.Now}
	if o.SecretsTo != "" {
		to, err := age.ParseRecipients(strings.NewReader(o.SecretsTo))
		if err != nil {
			return fmt.Errorf("-secrets-to: %w", err)
		}
		e.Seal = func(plain []byte) ([]byte, error) { return seal(plain, to) }
	}
	engine, closer, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = closer.Close() }()
	file, err := os.CreateTemp(filepath.Dir(o.File), filepath.Base(o.File)+".*.part") // of mode 0600
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, file.Close())
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	st, command, n := store.New(engine, store.Options{MaxWait: patience}), "tenants export", int64(0)
	if o.SecretsTo != "" {
		command += " -secrets-to"
	}
	err = o.noted(ctx, st, command, o.Tenant, func() (_ string, err error) {
		if n, err = e.Write(ctx, st, file); err != nil {
			return "", err
		}
		if err := file.Sync(); err != nil {
			return "", err
		}
		return "", os.Rename(file.Name(), o.File)
	})
	if err != nil {
		return err
	}
	if o.JSON {
		return json.NewEncoder(out).Encode(map[string]any{"tenant": o.Tenant, "items": n, "file": o.File})
	}
	fmt.Fprintf(log, "Tenant %s is in %s. Items: %d.\n", o.Tenant, o.File, n)
	return nil
}

func seal(plain []byte, to []age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// Import are the options of an import of a tenant.
type Import struct {
	Table
	File string
	// Tenant is the id that the tenant gets; "" is the one in the file.
	Tenant string
	// Identity is a file with the age identity that can read the secrets; "" goes without them.
	Identity string
	// JSON prints the result as a JSON document.
	JSON bool
}

// ImportTenant reads a tenant from a file into a table. The result is printed to log, and as JSON to out.
func ImportTenant(ctx context.Context, o Import, out, log io.Writer) error {
	i := transfer.Import{Tenant: o.Tenant, PlainTokens: o.Engine == "bolt", Now: time.Now}
	if o.Identity != "" {
		text, err := os.ReadFile(o.Identity)
		if err != nil {
			return err
		}
		identities, err := age.ParseIdentities(bytes.NewReader(text))
		if err != nil {
			return fmt.Errorf("-identity: %w", err)
		}
		i.Unseal = func(sealed []byte) ([]byte, error) {
			r, err := age.Decrypt(bytes.NewReader(sealed), identities...)
			if err != nil {
				return nil, err
			}
			return io.ReadAll(r)
		}
	}
	file, err := os.Open(o.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	engine, closer, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = closer.Close() }()
	st, r := store.New(engine, store.Options{MaxWait: patience}), transfer.Result{}
	err = o.noted(ctx, st, "tenants import", o.Tenant, func() (_ string, err error) {
		r, err = i.Read(ctx, st, file)
		return r.Tenant, err
	})
	if err != nil {
		return err
	}
	if o.JSON {
		result := map[string]any{"tenant": r.Tenant, "items": r.Items, "repaired": r.Repaired, "active": false}
		return json.NewEncoder(out).Encode(result)
	}
	fmt.Fprintf(log, "Tenant %s is imported and switched off. Items: %d, repaired: %d.\n",
		r.Tenant, r.Items, r.Repaired)
	return nil
}
