package webhook

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// secretPrefix is the prefix of a secret in Standard Webhooks; secretBytes is the number of its random bytes.
const (
	secretPrefix = "whsec_"
	secretBytes  = 32
)

// newSecret creates a secret: whsec_ and 32 random bytes in base64.
func newSecret() string {
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(raw)
}

// sign creates the signature of a message with a secret (Standard Webhooks, scheme v1).
func sign(secret, id string, at time.Time, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil {
		return "", errSealed
	}
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	_, _ = mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// errSealed says that a stored secret can't be read: it is damaged, or the deployment has another key.
var errSealed = errors.New("webhook: the stored secret can't be read with this key")

// sealer encrypts secrets. A sealed secret can be opened only for the webhook that it was sealed for.
type sealer struct{ aead cipher.AEAD }

// newSealer creates a sealer from the deployment's key, of which it takes the SHA-256.
func newSealer(key []byte) (sealer, error) {
	const least = 16
	if len(key) < least {
		return sealer{}, fmt.Errorf("webhook: the key of secrets has %d bytes, fewer than %d", len(key), least)
	}
	sum := sha256.Sum256(key)
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead}, err
}

func (s sealer) seal(owner, id, secret string) string {
	return base64.StdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(secret), []byte(owner+"/"+id)))
}

func (s sealer) open(owner, id, sealed string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", errSealed
	}
	secret, err := s.aead.Open(nil, nil, raw, []byte(owner+"/"+id))
	if err != nil {
		return "", errSealed
	}
	return string(secret), nil
}
