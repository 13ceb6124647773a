package awssecret

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

const (
	// maxPacked is the number of newest values of one tenant that are kept: three live ones, and one of a token whose
	// creation was abandoned.
	maxPacked = 4
	// maxSecretBytes is the largest value that Secrets Manager accepts. Some 400 tokens fit.
	maxSecretBytes = 65536
	// packAttempts bounds the tries of a change that lost against another writer.
	packAttempts = 12
	packPause    = 200 * time.Millisecond
)

// Packed is a tenant.Secrets that keeps the tokens of many tenants in one secret, for a fraction of the price. A hash
// of the tenant's id selects the secret. It is safe for concurrent use, in any number of processes: a change reads the
// secret, puts the new content as AWSPENDING, and moves AWSCURRENT to it only from the version that it has read.
// Secrets Manager refuses that if another writer was faster.
//
// The secret string is JSON: an array of tokens, oldest first, by tenant. There are no stages: a token is found by its
// id.
type Packed struct {
	client *secretsmanager.Client
	o      Options
	count  uint32
}

var _ tenant.Secrets = (*Packed)(nil)

// NewPacked returns a vault in at most count secrets, rounded up to a power of two. count may be raised later, never
// lowered: the values kept before are still found.
func NewPacked(client *secretsmanager.Client, o Options, count int) *Packed {
	n := uint32(1)
	for n < uint32(min(max(count, 1), 1<<16)) {
		n *= 2
	}
	return &Packed{client: client, o: o, count: n}
}

// names returns the secrets that may have a tenant's tokens: first the one for new tokens, then those of smaller
// counts.
func (p *Packed) names(tenantID string) []string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(tenantID)) // never fails
	var names []string
	for n := p.count; n > 0; n /= 2 {
		name := fmt.Sprintf("%spacked/%05d", p.o.Prefix, h.Sum32()%n)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// pack is the content of a secret.
type pack map[string][]string

// Keep is tenant.Secrets.Keep.
func (p *Packed) Keep(ctx context.Context, tenantID, tokenID, value string, _ tenant.Stage) error {
	err := p.change(ctx, p.names(tenantID)[0], true, func(held pack) bool {
		if slices.Contains(held[tenantID], value) {
			return false
		}
		held.drop(tenantID, tokenID)
		values := append(held[tenantID], value)
		held[tenantID] = values[max(0, len(values)-maxPacked):]
		return true
	})
	return wrap("keep a token", err)
}

// Reveal is tenant.Secrets.Reveal.
func (p *Packed) Reveal(ctx context.Context, tenantID, tokenID string) (string, error) {
	for _, name := range p.names(tenantID) {
		held, _, err := p.read(ctx, name)
		if missing(err) {
			continue
		}
		if err != nil {
			return "", wrap("read a token", err)
		}
		for _, value := range held[tenantID] {
			if id, ok := tenant.ParseToken(value); ok && id == tokenID {
				return value, nil
			}
		}
	}
	return "", tenant.ErrNoValue
}

// Promote is tenant.Secrets.Promote.
func (p *Packed) Promote(ctx context.Context, tenantID, tokenID string) error {
	_, err := p.Reveal(ctx, tenantID, tokenID)
	return err
}

// Drop is tenant.Secrets.Drop.
func (p *Packed) Drop(ctx context.Context, tenantID, tokenID string) error {
	err := p.everywhere(ctx, tenantID, func(held pack) bool { return held.drop(tenantID, tokenID) })
	return wrap("drop a token", err)
}

// DropTenant is tenant.Secrets.DropTenant. The secrets stay, because other tenants share them.
func (p *Packed) DropTenant(ctx context.Context, tenantID string) error {
	return wrap("drop the tokens", p.everywhere(ctx, tenantID, func(held pack) bool {
		_, there := held[tenantID]
		delete(held, tenantID)
		return there
	}))
}

// drop removes a token, and reports whether it was there.
func (held pack) drop(tenantID, tokenID string) bool {
	values := slices.DeleteFunc(slices.Clone(held[tenantID]), func(value string) bool {
		id, ok := tenant.ParseToken(value)
		return ok && id == tokenID
	})
	if len(values) == len(held[tenantID]) {
		return false
	}
	if held[tenantID] = values; len(values) == 0 {
		delete(held, tenantID)
	}
	return true
}

// everywhere changes every secret that may hold tokens of a tenant.
func (p *Packed) everywhere(ctx context.Context, tenantID string, change func(pack) bool) error {
	for _, name := range p.names(tenantID) {
		if err := p.change(ctx, name, false, change); err != nil {
			return err
		}
	}
	return nil
}

func (p *Packed) read(ctx context.Context, name string) (pack, string, error) {
	out, err := p.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId:     &name,
		VersionStage: aws.String(current),
	})
	if err != nil {
		return nil, "", err
	}
	held := pack{}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &held); err != nil {
		return nil, "", fmt.Errorf("secret %s is not one of packed tokens", name) // the cause might quote a token
	}
	return held, aws.ToString(out.VersionId), nil
}

// errOvertaken says that another writer has changed the secret.
var errOvertaken = errors.New("somebody else changed the secret")

// change changes the content of a secret by the function change, which reports whether it did. If there is no secret,
// it is created if make is true; else there is nothing to change.
func (p *Packed) change(ctx context.Context, name string, make bool, change func(pack) bool) error {
	for range packAttempts {
		held, versionID, err := p.read(ctx, name)
		absent := missing(err)
		if absent {
			held, err = pack{}, nil
		}
		if err != nil || absent && !make || !change(held) {
			return err
		}
		if err = p.write(ctx, name, versionID, held); !errors.Is(err, errOvertaken) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(mathrand.N(packPause)):
		}
	}
	return errOvertaken
}

// write replaces the content of a secret, which must still be at version from; if that is empty, the secret must not
// exist.
func (p *Packed) write(ctx context.Context, name, from string, held pack) error {
	data, err := json.Marshal(held)
	if err != nil {
		return err
	}
	if len(data) > maxSecretBytes {
		return fmt.Errorf("secret %s is full: raise the number of packed secrets", name)
	}
	text, to := string(data), "serverless-scim-packed-"+rand.Text()
	if err := p.o.Pace.wait(ctx); err != nil {
		return err
	}
	if from == "" {
		err := p.create(ctx, name, to, text)
		if exists := (*types.ResourceExistsException)(nil); errors.As(err, &exists) {
			return errOvertaken
		}
		return err
	}
	_, err = p.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &name, ClientRequestToken: &to, SecretString: &text, VersionStages: []string{pending},
	})
	if err != nil {
		return err
	}
	if err := p.o.Pace.wait(ctx); err != nil {
		return err
	}
	_, err = p.client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &name, VersionStage: aws.String(current), RemoveFromVersionId: &from, MoveToVersionId: &to,
	})
	// Either AWSCURRENT has moved on, or another writer's AWSPENDING has taken the label from this version: without a
	// label it may be removed.
	if moved := (*types.InvalidParameterException)(nil); errors.As(err, &moved) || missing(err) {
		return errOvertaken
	}
	return err
}

func (p *Packed) create(ctx context.Context, name, versionID, text string) error {
	in := &secretsmanager.CreateSecretInput{
		Name: &name, ClientRequestToken: &versionID, SecretString: &text,
		Description: aws.String("SCIM bearer tokens of several tenants"), Tags: tags(p.o.Tags),
	}
	if p.o.KMSKeyID != "" {
		in.KmsKeyId = &p.o.KMSKeyID
	}
	_, err := p.client.CreateSecret(ctx, in)
	return err
}
