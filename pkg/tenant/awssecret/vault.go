package awssecret

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// The staging labels.
const (
	current  = "AWSCURRENT"
	pending  = "AWSPENDING"
	previous = "AWSPREVIOUS"
)

// revoked is the secret string of a tenant that has no token: AWSCURRENT can be moved, but never taken off a secret.
const revoked = "revoked"

// Options of a Vault.
type Options struct {
	// Prefix begins the name of every secret; the tenant's id ends it: "serverless-scim/production/" gives
	// "serverless-scim/production/acme". IAM policies name the secrets by it.
	Prefix string
	// Tags are put on every secret, beside "serverless-scim:tenant" with the tenant's id.
	Tags map[string]string
	// KMSKeyID is the key that encrypts the secrets; empty is the account's aws/secretsmanager.
	KMSKeyID string
	// Pace limits the rate of writes; nil does not. Vaults of one process share it.
	Pace *Pace
}

// tags returns tags in order of their keys.
func tags(of map[string]string) []types.Tag {
	var all []types.Tag
	for _, key := range slices.Sorted(maps.Keys(of)) {
		all = append(all, types.Tag{Key: aws.String(key), Value: aws.String(of[key])})
	}
	return all
}

// Vault is a tenant.Secrets on Secrets Manager. It is safe for concurrent use.
type Vault struct {
	client *secretsmanager.Client
	o      Options
}

var _ tenant.Secrets = (*Vault)(nil)

// New returns a Vault.
func New(client *secretsmanager.Client, o Options) *Vault { return &Vault{client: client, o: o} }

func (v *Vault) name(tenantID string) *string { return aws.String(v.o.Prefix + tenantID) }

// version returns the id of the version that holds a token: at least 32 characters, as Secrets Manager requires.
func version(tokenID string) string { return "serverless-scim-token-" + tokenID }

// Keep is tenant.Secrets.Keep. The tenant's first token creates the secret.
func (v *Vault) Keep(ctx context.Context, tenantID, tokenID, value string, stage tenant.Stage) error {
	label := current
	if stage == tenant.Successor {
		label = pending
	}
	err := v.put(ctx, tenantID, version(tokenID), value, label)
	if missing(err) {
		err = v.create(ctx, tenantID, version(tokenID), value)
		if exists := (*types.ResourceExistsException)(nil); errors.As(err, &exists) {
			// Another process made it in between.
			err = v.put(ctx, tenantID, version(tokenID), value, label)
		}
	}
	if exists := (*types.ResourceExistsException)(nil); errors.As(err, &exists) {
		// A caller has chosen the id of a token that was made before: a version never gets another content.
		return &tenant.ConflictError{Detail: "A token with this id was made before. Choose another id."}
	}
	return wrap("keep a token", err)
}

func (v *Vault) put(ctx context.Context, tenantID, versionID, value, label string) error {
	if err := v.o.Pace.wait(ctx); err != nil {
		return err
	}
	_, err := v.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: v.name(tenantID), ClientRequestToken: &versionID, SecretString: &value,
		VersionStages: []string{label},
	})
	return err
}

// create creates the secret. Its first version is AWSCURRENT, even if it gets another label later.
func (v *Vault) create(ctx context.Context, tenantID, versionID, value string) error {
	if err := v.o.Pace.wait(ctx); err != nil {
		return err
	}
	in := &secretsmanager.CreateSecretInput{
		Name: v.name(tenantID), ClientRequestToken: &versionID, SecretString: &value,
		Description: aws.String("SCIM bearer token of tenant " + tenantID),
		Tags:        []types.Tag{{Key: aws.String("serverless-scim:tenant"), Value: &tenantID}},
	}
	in.Tags = append(in.Tags, tags(v.o.Tags)...)
	if v.o.KMSKeyID != "" {
		in.KmsKeyId = &v.o.KMSKeyID
	}
	_, err := v.client.CreateSecret(ctx, in)
	return err
}

// Reveal is tenant.Secrets.Reveal. It reads AWSPREVIOUS too: an expired token's successor may have been labelled late.
func (v *Vault) Reveal(ctx context.Context, tenantID, tokenID string) (string, error) {
	for _, label := range []string{current, pending, previous} {
		out, err := v.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
			SecretId: v.name(tenantID), VersionStage: aws.String(label),
		})
		if missing(err) {
			continue // no such label, or no such secret
		}
		if err != nil {
			return "", wrap("read a token", err)
		}
		if aws.ToString(out.VersionId) == version(tokenID) {
			return aws.ToString(out.SecretString), nil
		}
	}
	return "", tenant.ErrNoValue
}

// Promote is tenant.Secrets.Promote.
func (v *Vault) Promote(ctx context.Context, tenantID, tokenID string) error {
	labels, err := v.labels(ctx, tenantID)
	if missing(err) {
		return tenant.ErrNoValue
	}
	if err != nil {
		return wrap("look at the tokens", err)
	}
	return wrap("make a token the current one", v.promote(ctx, tenantID, labels, version(tokenID)))
}

// promote moves AWSCURRENT to a version, and takes AWSPENDING off it. If the process dies in between, the next call
// finishes the work.
func (v *Vault) promote(ctx context.Context, tenantID string, labels map[string]string, versionID string) error {
	if labels[current] != versionID {
		if labels[pending] != versionID && labels[previous] != versionID {
			return tenant.ErrNoValue
		}
		if err := v.move(ctx, tenantID, current, labels[current], versionID); err != nil {
			return err
		}
	}
	if labels[pending] == versionID {
		return v.move(ctx, tenantID, pending, versionID, "")
	}
	return nil
}

// move takes a label off one version and puts it on another; an empty id means none.
func (v *Vault) move(ctx context.Context, tenantID, label, from, to string) error {
	if err := v.o.Pace.wait(ctx); err != nil {
		return err
	}
	in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: v.name(tenantID), VersionStage: &label}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	if to != "" {
		in.MoveToVersionId = &to
	}
	_, err := v.client.UpdateSecretVersionStage(ctx, in)
	return err
}

// labels returns the version of each label.
func (v *Vault) labels(ctx context.Context, tenantID string) (map[string]string, error) {
	out, err := v.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: v.name(tenantID)})
	if err != nil {
		return nil, err
	}
	labels := map[string]string{}
	for versionID, stages := range out.VersionIdsToStages {
		for _, label := range stages {
			labels[label] = versionID
		}
	}
	return labels, nil
}

// Drop is tenant.Secrets.Drop. The version loses its labels, so that Secrets Manager may remove it. AWSCURRENT goes to
// the successor or, if there is none, to the previous token, or to a version with the value "revoked". After each step
// a repeated call can go on.
func (v *Vault) Drop(ctx context.Context, tenantID, tokenID string) error {
	labels, err := v.labels(ctx, tenantID)
	if missing(err) {
		return nil
	}
	if err == nil {
		err = v.drop(ctx, tenantID, labels, version(tokenID))
	}
	return wrap("drop a token", err)
}

// holdsToken reports whether a version is a token, and not the value "revoked".
func holdsToken(versionID string) bool {
	return strings.HasPrefix(versionID, version("")) && !strings.HasSuffix(versionID, "-"+revoked)
}

func (v *Vault) drop(ctx context.Context, tenantID string, labels map[string]string, versionID string) error {
	next := labels[pending]
	if next == "" || next == versionID {
		next = labels[previous]
	}
	switch {
	case labels[current] == versionID && next != versionID && holdsToken(next):
		if err := v.promote(ctx, tenantID, labels, next); err != nil {
			return err
		}
		labels[previous] = versionID // Secrets Manager moved it there
	case labels[current] == versionID:
		if err := v.put(ctx, tenantID, versionID+"-"+revoked, revoked, current); err != nil {
			return err
		}
		labels[previous] = versionID
	}
	for _, label := range []string{pending, previous} {
		if labels[label] != versionID {
			continue
		}
		if err := v.move(ctx, tenantID, label, versionID, ""); err != nil {
			return err
		}
	}
	return nil
}

// DropTenant is tenant.Secrets.DropTenant. The secret is deleted without a recovery window: its tokens are refused
// already, and the window would keep the tenant's id taken for a week at least. Secrets Manager deletes a little later
// than it answers, so DropTenant returns an error until it sees that the secret is gone.
func (v *Vault) DropTenant(ctx context.Context, tenantID string) error {
	_, err := v.client.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
		SecretId: v.name(tenantID), ForceDeleteWithoutRecovery: aws.Bool(true),
	})
	if err != nil && !missing(err) {
		return wrap("delete the secret", err)
	}
	_, err = v.labels(ctx, tenantID)
	switch {
	case missing(err):
		return nil
	case err == nil:
		return fmt.Errorf("%w: the secret of tenant %s is still being deleted", tenant.ErrVault, tenantID)
	}
	return wrap("look for the deleted secret", err)
}

func missing(err error) bool {
	notFound := (*types.ResourceNotFoundException)(nil)
	return errors.As(err, &notFound)
}

// wrap marks an error of Secrets Manager as the vault's. Its text names operation, secret and cause, never a value.
func wrap(what string, err error) error {
	if err == nil || errors.Is(err, tenant.ErrNoValue) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", tenant.ErrVault, what, err)
}
