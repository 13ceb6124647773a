package assertion

import (
	"math/big"
	"sync"
)

// smallPrimes bounds the factors that a modulus is searched for. NIST SP 800-89, section 5.3.3, asks for 752.
const smallPrimes = 1 << 20

// fermatRounds bounds the steps of Fermat's method, which finds two factors that are close to each other.
const fermatRounds = 100

// weak reports whether an odd modulus can be factored at once: it has a small factor, is itself a prime, or is the
// product of two primes that are equal or close to each other.
func weak(n *big.Int) bool {
	return new(big.Int).GCD(nil, nil, n, oddPrimorial()).Cmp(big.NewInt(1)) != 0 ||
		closeFactors(n) || n.ProbablyPrime(0)
}

// oddPrimorial returns the product of all odd primes below smallPrimes.
var oddPrimorial = sync.OnceValue(func() *big.Int {
	composite := make([]bool, smallPrimes)
	var products []*big.Int
	for p := 3; p < smallPrimes; p += 2 {
		if composite[p] {
			continue
		}
		products = append(products, big.NewInt(int64(p)))
		for q := p * p; q < smallPrimes; q += 2 * p {
			composite[q] = true
		}
	}
	for len(products) > 1 { // factors of equal size: one at a time would take a second
		for i := range len(products) / 2 {
			products[i] = products[2*i].Mul(products[2*i], products[2*i+1])
		}
		if len(products)%2 == 1 {
			products[len(products)/2] = products[len(products)-1]
		}
		products = products[:(len(products)+1)/2]
	}
	return products[0]
})

// closeFactors looks for a and b with n = a² - b² = (a+b)(a-b), from the smallest a upwards.
func closeFactors(n *big.Int) bool {
	a := new(big.Int).Sqrt(n)
	square, rest, b := new(big.Int), new(big.Int), new(big.Int)
	if square.Mul(a, a).Cmp(n) < 0 {
		a.Add(a, big.NewInt(1))
	}
	for range fermatRounds {
		rest.Sub(square.Mul(a, a), n)
		if b.Sqrt(rest); square.Mul(b, b).Cmp(rest) == 0 {
			return true
		}
		a.Add(a, big.NewInt(1))
	}
	return false
}
