package assertion_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/assertion"
)

const (
	client   = "c0ffee00c0ffee00"
	audience = "https://scim.example.com/oauth2/acme/token"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var (
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	})
	ecKey = sync.OnceValue(func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		return k
	})
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func rsaJWK(k *rsa.PublicKey) map[string]any {
	return map[string]any{
		"kty": "RSA", "kid": "r1", "use": "sig", "n": b64(k.N.Bytes()),
		"e": b64(big.NewInt(int64(k.E)).Bytes()),
	}
}

func ecJWK(t testing.TB, k *ecdsa.PublicKey) map[string]any {
	t.Helper()
	point, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"kty": "EC", "kid": "e1", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
}

func set(t testing.TB, keys ...map[string]any) []byte {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func parsed(t testing.TB) assertion.Keys {
	t.Helper()
	keys, err := assertion.ParseKeys(set(t, rsaJWK(&rsaKey().PublicKey), ecJWK(t, &ecKey().PublicKey)))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func claims(change map[string]any) map[string]any {
	all := map[string]any{
		"iss": client, "sub": client, "aud": audience, "jti": "one", "exp": now.Add(time.Minute).Unix(),
	}
	maps.Copy(all, change)
	for name, v := range change {
		if v == nil {
			delete(all, name)
		}
	}
	return all
}

// sign creates an assertion with the key that the algorithm is for.
func sign(t testing.TB, header, body map[string]any) string {
	t.Helper()
	h, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	c, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	signed := b64(h) + "." + b64(c)
	sum := sha256.Sum256([]byte(signed))
	var signature []byte
	if header["alg"] == "ES256" {
		r, s, err := ecdsa.Sign(rand.Reader, ecKey(), sum[:])
		if err != nil {
			t.Fatal(err)
		}
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	} else if signature, err = rsa.SignPKCS1v15(rand.Reader, rsaKey(), crypto.SHA256, sum[:]); err != nil {
		t.Fatal(err)
	}
	return signed + "." + b64(signature)
}

func TestGoodAssertions(t *testing.T) {
	keys := parsed(t)
	again, err := assertion.ParseKeys([]byte(keys.Set()))
	if err != nil || len(again) != 2 || again[0].ID != keys[0].ID || again[1].ID != keys[1].ID {
		t.Fatalf("a set does not survive being stored: %v %v", again, err)
	}
	for name, a := range map[string]string{
		"RS256":         sign(t, map[string]any{"alg": "RS256", "kid": "r1", "typ": "JWT"}, claims(nil)),
		"ES256":         sign(t, map[string]any{"alg": "ES256", "kid": "e1"}, claims(nil)),
		"without a kid": sign(t, map[string]any{"alg": "ES256"}, claims(nil)),
		"aud as a list": sign(t, map[string]any{"alg": "RS256"},
			claims(map[string]any{"aud": []string{"x", audience}})),
		"iat, nbf": sign(t, map[string]any{"alg": "ES256"},
			claims(map[string]any{"iat": now.Unix(), "nbf": now.Unix() + 10})),
		"exp fractional": sign(t, map[string]any{"alg": "ES256"},
			claims(map[string]any{"exp": float64(now.Unix()) + 60.5})),
		"exp at 5 min": sign(t, map[string]any{"alg": "ES256"},
			claims(map[string]any{"exp": now.Add(5 * time.Minute).Unix()})),
	} {
		subject, ok := assertion.Subject(a)
		got, err := again.Verify(a, client, audience, now)
		if !ok || subject != client || err != nil || got.ID != "one" || got.KeyID == "" {
			t.Errorf("%s: %q %v %+v %v", name, subject, ok, got, err)
		}
	}
}

func TestBadClaims(t *testing.T) {
	keys := parsed(t)
	for name, change := range map[string]map[string]any{
		"foreign iss":     {"iss": "another"},
		"foreign sub":     {"sub": "another"},
		"no iss":          {"iss": nil},
		"foreign aud":     {"aud": "https://scim.example.com/oauth2/other/token"},
		"foreign auds":    {"aud": []string{"x"}},
		"aud mixed":       {"aud": []any{audience, 1}},
		"no aud":          {"aud": nil},
		"no exp":          {"exp": nil},
		"exp as a string": {"exp": "1795337726"},
		"exp null":        {"exp": json.RawMessage("null")},
		"exp past":        {"exp": now.Unix()},
		"exp too far":     {"exp": now.Add(6 * time.Minute).Unix()},
		"exp immense":     {"exp": 1e300},
		"nbf ahead":       {"nbf": now.Add(time.Minute).Unix()},
		"iat ahead":       {"iat": now.Add(time.Minute).Unix()},
		"no jti":          {"jti": nil},
		"jti empty":       {"jti": ""},
		"jti a number":    {"jti": 7},
		"jti long":        {"jti": strings.Repeat("x", 257)},
	} {
		_, err := keys.Verify(sign(t, map[string]any{"alg": "ES256"}, claims(change)), client, audience, now)
		if bad := (*assertion.ClaimError)(nil); !errors.As(err, &bad) || bad.Detail == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadSignatures(t *testing.T) {
	keys := parsed(t)
	good := sign(t, map[string]any{"alg": "ES256", "kid": "e1"}, claims(nil))
	fields := strings.Split(good, ".")
	second := sign(t, map[string]any{"alg": "ES256", "kid": "e1"}, claims(map[string]any{"jti": "two"}))
	other := strings.Split(second, ".")
	none := b64([]byte(`{"alg":"none"}`)) + "." + fields[1]
	hmac := strings.Split(sign(t, map[string]any{"alg": "HS256"}, claims(nil)), ".")
	for name, a := range map[string]string{
		"empty": "", "two parts": fields[0] + "." + fields[1], "four parts": good + ".x",
		"signature of another": fields[0] + "." + fields[1] + "." + other[2],
		"zero signature":       fields[0] + "." + fields[1] + "." + b64(make([]byte, 64)),
		"short signature":      fields[0] + "." + fields[1] + "." + b64(make([]byte, 63)),
		"none":                 none + ".", "none signed": none + "." + fields[2],
		"HS256":          strings.Join(hmac, "."),
		"alg of another": sign(t, map[string]any{"alg": "RS512"}, claims(nil)),
		"kid of another": sign(t, map[string]any{"alg": "ES256", "kid": "r9"}, claims(nil)),
		"kid no string":  sign(t, map[string]any{"alg": "ES256", "kid": 1}, claims(nil)),
		"crit":           sign(t, map[string]any{"alg": "ES256", "crit": []string{"exp"}}, claims(nil)),
		"line break":     good + "\n",
		"padded":         good + "=",
		"too long": sign(t, map[string]any{"alg": "ES256"},
			claims(map[string]any{"x": strings.Repeat("x", 9000)})),
		"header an array": b64([]byte(`[]`)) + "." + fields[1] + "." + fields[2],
		"header null":     b64([]byte(`null`)) + "." + fields[1] + "." + fields[2],
	} {
		if c, err := keys.Verify(a, client, audience, now); !errors.Is(err, assertion.ErrSignature) {
			t.Errorf("%s: %+v %v", name, c, err)
		}
	}
	// The key of one client does not sign for another.
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	others, err := assertion.ParseKeys(set(t, ecJWK(t, &foreign.PublicKey)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := others.Verify(good, client, audience, now); !errors.Is(err, assertion.ErrSignature) {
		t.Errorf("a foreign key verifies: %v", err)
	}
}

func TestBadKeys(t *testing.T) {
	r, e := rsaJWK(&rsaKey().PublicKey), ecJWK(t, &ecKey().PublicKey)
	with := func(k map[string]any, change map[string]any) []byte {
		c := maps.Clone(k)
		maps.Copy(c, change)
		return set(t, c)
	}
	twice := `{"keys":[{"kty":"EC","crv":"P-256","x":"AQAB","kty":"RSA","n":"AQAB","e":"AQAB"}]}`
	short := b64(append([]byte{0x80}, make([]byte, 127)...))
	for name, raw := range map[string][]byte{
		"nothing": nil, "text": []byte("keys"), "array": []byte("[]"), "no keys": []byte("{}"),
		"null":  []byte(`{"keys":null}`),
		"empty": set(t), "five": set(t, r, r, r, r, r), "twice": set(t, e, e),
		"private EC": with(e, map[string]any{"d": "AQAB"}), "private RSA": with(r, map[string]any{"p": "AQAB"}),
		"symmetric": []byte(`{"keys":[{"kty":"oct","k":"AQAB"}]}`), "P-384": with(e, map[string]any{"crv": "P-384"}),
		"off the curve": with(e, map[string]any{"y": e["x"]}), "short x": with(e, map[string]any{"x": "AQAB"}),
		"1,024 bits": with(r, map[string]any{"n": short}), "e of 1": with(r, map[string]any{"e": "AQ"}),
		"even e": with(r, map[string]any{"e": "BA"}), "long e": with(r, map[string]any{"e": "AQAAAAAB"}),
		"RS512": with(r, map[string]any{"alg": "RS512"}), "for encryption": with(r, map[string]any{"use": "enc"}),
		"a member twice": []byte(twice), "e wrapped": with(r, map[string]any{"e": "AQAAAAAAAQAB"}),
		"kid a number": with(r, map[string]any{"kid": 1}), "n a number": with(r, map[string]any{"n": 1}),
		"large": []byte(`{"keys":[],"x":"` + strings.Repeat("x", assertion.MaxSetBytes) + `"}`),
	} {
		keys, err := assertion.ParseKeys(raw)
		if bad := (*assertion.KeysError)(nil); !errors.As(err, &bad) {
			t.Errorf("%s: %v %v", name, keys, err)
		}
	}
}

// TestWeakModuli: an RSA key that anybody can factor is refused when it is registered.
func TestWeakModuli(t *testing.T) {
	prime := func(bits int) *big.Int {
		p, err := rand.Prime(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	next := func(p *big.Int) *big.Int {
		for q := new(big.Int).Add(p, big.NewInt(2)); ; q.Add(q, big.NewInt(2)) {
			if q.ProbablyPrime(20) {
				return q
			}
		}
	}
	times := func(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) }
	ones := func(n uint) *big.Int { return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), n), big.NewInt(1)) }
	p, good := prime(1024), rsaKey().N
	for name, n := range map[string]*big.Int{
		"even":                new(big.Int).Lsh(good, 1),
		"even, many twos":     new(big.Int).Lsh(good, 64),
		"good plus one":       new(big.Int).Add(good, big.NewInt(1)),
		"a factor of 3":       times(big.NewInt(3), good),
		"a factor of 751":     times(big.NewInt(751), good),
		"a factor of 10,007":  times(big.NewInt(10007), good),
		"a factor of 65,521":  times(big.NewInt(65521), good),
		"a factor of 65,537":  times(big.NewInt(65537), good),
		"a factor of 999,983": times(big.NewInt(999983), good),
		"a Mersenne prime":    ones(2203),
		"the square of one":   times(p, p),
		"neighbouring primes": times(p, next(p)),
		"all ones":            ones(2048),
	} {
		keys, err := assertion.AcceptKeys(set(t, rsaJWK(&rsa.PublicKey{N: n, E: 65537})))
		if bad := (*assertion.KeysError)(nil); !errors.As(err, &bad) || !strings.Contains(bad.Problem, "modulus") {
			t.Errorf("%s: %v %v", name, keys, err)
		}
	}
	for _, e := range []int{3, 17, 257, 65535} { // FIPS 186-5 asks for 65537 or more
		keys, err := assertion.AcceptKeys(set(t, rsaJWK(&rsa.PublicKey{N: good, E: e})))
		if bad := (*assertion.KeysError)(nil); !errors.As(err, &bad) || !strings.Contains(bad.Problem, "exponent") {
			t.Errorf("exponent %d: %v %v", e, keys, err)
		}
	}
	keys, err := assertion.AcceptKeys(set(t, rsaJWK(&rsaKey().PublicKey), ecJWK(t, &ecKey().PublicKey)))
	if err != nil || len(keys) != 2 {
		t.Errorf("good keys: %v %v", keys, err)
	}
}

// BenchmarkAcceptKeys measures the search for factors, which is done when a key is registered.
func BenchmarkAcceptKeys(b *testing.B) {
	raw := set(b, rsaJWK(&rsaKey().PublicKey))
	for b.Loop() {
		if _, err := assertion.AcceptKeys(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	keys := parsed(f)
	good := sign(f, map[string]any{"alg": "ES256", "kid": "e1"}, claims(nil))
	f.Add(good)
	f.Add(sign(f, map[string]any{"alg": "RS256"}, claims(map[string]any{"aud": []string{audience}})))
	f.Add(b64([]byte(`{"alg":"none"}`)) + "." + b64([]byte(`{"sub":"x"}`)) + ".")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := keys.Verify(s, client, audience, now)
		// Only signed assertions are accepted; a fuzzer can't sign. (The second seed is the only other one.)
		if err == nil && c.ID != "one" {
			t.Errorf("taken: %+v", c)
		}
		if bad := (*assertion.ClaimError)(nil); err != nil && !errors.Is(err, assertion.ErrSignature) &&
			!errors.As(err, &bad) {
			t.Errorf("%T", err)
		}
		if subject, ok := assertion.Subject(s); ok && subject == "" {
			t.Error("an empty subject")
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	f.Add(set(f, rsaJWK(&rsaKey().PublicKey), ecJWK(f, &ecKey().PublicKey)))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		keys, err := assertion.ParseKeys(raw)
		if err != nil {
			return
		}
		again, err := assertion.ParseKeys([]byte(keys.Set()))
		if err != nil || fmt.Sprint(ids(again)) != fmt.Sprint(ids(keys)) {
			t.Errorf("stored %s: %v", keys.Set(), err)
		}
	})
}

func ids(keys assertion.Keys) (out []string) {
	for _, k := range keys {
		out = append(out, k.ID, k.Name, k.Algorithm)
	}
	return out
}
