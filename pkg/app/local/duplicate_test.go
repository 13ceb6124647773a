package local_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// duplicates returns the listed pairs, by userName, with the attribute that they share.
func (a *api) duplicates() string {
	a.t.Helper()
	var all []string
	for after := ""; ; {
		page := a.mustAdmin(200, "GET", "/members/duplicates?count=1"+after, "")
		for _, v := range page["duplicates"].([]any) {
			d := v.(object)
			two := d["members"].([]any)
			all = append(all, fmt.Sprint(two[0].(object)["userName"], "+", two[1].(object)["userName"], " ", d["by"]))
		}
		if page["nextCursor"] == nil {
			return strings.Join(all, ", ")
		}
		after = "&cursor=" + page["nextCursor"].(string)
	}
}

// personOf creates a user of "userName,externalId,e-mail".
func (a *api) personOf(text string) string {
	a.t.Helper()
	parts := strings.Split(text, ",")
	return a.person(parts[0], parts[1], parts[2])
}

// TestDuplicates creates a second user who may be the same person as the first, and checks the events and the list.
func TestDuplicates(t *testing.T) {
	const (
		address = "anna@example.com"
		both    = "anna+anna.b [email]"
	)
	for name, c := range map[string]struct {
		policy        string
		first, second string // userName, externalId, e-mail
		gone          bool   // the first user is deleted before
		want          string
	}{
		"same address, no externalId": {first: "anna,," + address, second: "anna.b,," + address, want: both},
		"another case":                {first: "anna,," + address, second: "anna.b,,ANNA@example.com", want: both},
		"only the first has one":      {first: "anna,x1," + address, second: "anna.b,," + address, want: both},
		"only the second has one":     {first: "anna,," + address, second: "anna.b,x1," + address, want: both},
		"both have one":               {first: "anna,x1," + address, second: "anna.b,x2," + address},
		"the same one":                {first: "anna,x1,", second: "anna.b,x1,", want: "anna+anna.b [externalId]"},
		"an address": {
			first: address + ",,", second: "anna,," + address, want: address + "+anna [email]",
		},
		"a userName": {
			first: "anna,," + address, second: address + ",,", want: "anna+" + address + " [email]",
		},
		"other people": {first: "anna,," + address, second: "bert,,bert@example.com"},
		"removed":      {first: "anna,," + address, second: "anna.b,," + address, gone: true},
		"deactivated": {
			policy: `,"onDelete":"deactivate"`, gone: true,
			first: "anna,," + address, second: "anna.b,," + address, want: both,
		},
		"deactivated, same userName, nobody returns": {
			policy: `,"onDelete":"deactivate","onReturn":"new"`, gone: true,
			first: "anna,,", second: "Anna,x2,", want: "anna+Anna [userName]",
		},
		"returned": {
			policy: `,"onDelete":"deactivate"`, gone: true,
			first: "anna,," + address, second: "anna,," + address,
		},
	} {
		together := []string{"apart", "together"}
		if c.gone { // there is no event about one who left before the first publication
			together = together[:1]
		}
		for _, published := range together {
			t.Run(name+", published "+published, func(t *testing.T) {
				a := on(t, memory(t), "generic")
				a.mustAdmin(200, "PUT", "/policy", manual(c.policy))
				first := a.personOf(c.first)
				if published == "apart" {
					a.member(first)
				}
				if c.gone {
					a.must(204, "DELETE", "/Users/"+first, "")
					a.member(first)
				}
				second := a.personOf(c.second)
				if got := a.duplicates(); got != c.want && !(published == "together" && got == swapped(c.want)) {
					t.Errorf("suspected are %q, want %q", got, c.want)
				}
				want := 0
				if c.want != "" {
					want = 1
				}
				for range 2 { // nothing of the pair changes
					a.setActive(second, false)
					a.member(second)
					a.setActive(second, true)
					a.member(second)
				}
				if n := len(a.told("duplicate.suspected")); n != want {
					t.Errorf("told %d times, want %d", n, want)
				}
			})
		}
	}
}

// TestDuplicatesOfAnotherDomain creates users whose addresses differ only in the domain: with the same name and without
// externalId they are suspected.
func TestDuplicatesOfAnotherDomain(t *testing.T) {
	const named = `,"displayName":"Anna Adler"`
	for name, c := range map[string]struct{ first, second, want string }{
		"same name": {
			`"anna@old.example"` + named, `"Anna@new.example","displayName":"anna adler"`,
			"anna@old.example+Anna@new.example [displayName]",
		},
		"name in parts": {
			`"anna@old.example","name":{"givenName":"Anna","familyName":"Adler"}`, `"anna@new.example"` + named,
			"anna@old.example+anna@new.example [displayName]",
		},
		"another name":       {`"anna@old.example"` + named, `"anna@new.example","displayName":"Anna Bauer"`, ""},
		"no name":            {`"anna@old.example"`, `"anna@new.example"`, ""},
		"another local part": {`"anna@old.example"` + named, `"aadler@new.example"` + named, ""},
		"one has externalId": {`"anna@old.example","externalId":"x1"` + named, `"anna@new.example"` + named, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := on(t, memory(t), "generic")
			for _, body := range []string{c.first, c.second} {
				body = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":` + body + `}`
				a.member(a.must(201, "POST", "/Users", body)["id"].(string))
			}
			if got := a.duplicates(); got != c.want {
				t.Errorf("suspected are %q, want %q", got, c.want)
			}
		})
	}
}

// swapped is the pair in the other order, for two who were published at the same time.
func swapped(pair string) string {
	names, by, _ := strings.Cut(pair, " ")
	one, other, _ := strings.Cut(names, "+")
	return other + "+" + one + " " + by
}

// TestDuplicatesEnd ends suspicions by merge, by a change of either and by deletion.
func TestDuplicatesEnd(t *testing.T) {
	for name, end := range map[string]func(a *api, first, second string){
		"merge": func(a *api, first, second string) {
			a.mustAdmin(200, "POST", "/members/"+second+"/merge", `{"into":"`+first+`"}`)
		},
		"merge back": func(a *api, first, second string) {
			a.mustAdmin(200, "POST", "/members/"+first+"/merge", `{"into":"`+second+`"}`)
		},
		"delete first": func(a *api, first, _ string) { a.must(204, "DELETE", "/Users/"+first, "") },
		"delete":       func(a *api, _, second string) { a.must(204, "DELETE", "/Users/"+second, "") },
		"first changes": func(a *api, first, _ string) {
			a.must(200, "PUT", "/Users/"+first, personBody("anna", "", "anna.a@example.com"))
		},
		"second changes": func(a *api, _, second string) {
			a.must(200, "PUT", "/Users/"+second, personBody("anna.b", "", "anna.b@example.com"))
		},
		"both get externalIds": func(a *api, first, second string) {
			a.must(200, "PUT", "/Users/"+first, personBody("anna", "x1", "anna@example.com"))
			a.must(200, "PUT", "/Users/"+second, personBody("anna.b", "x2", "anna@example.com"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := on(t, memory(t), "generic")
			first := a.person("anna", "", "anna@example.com")
			a.member(first)
			second := a.person("anna.b", "", "anna@example.com")
			if got := a.duplicates(); got != "anna+anna.b [email]" {
				t.Fatalf("suspected are %q", got)
			}
			end(a, first, second)
			if got := a.duplicates(); got != "" {
				t.Errorf("suspected are %q still", got)
			}
			if n := len(a.told("duplicate.suspected")); n != 1 {
				t.Errorf("told %d times", n)
			}
		})
	}
}

// TestDuplicatesUnderRaces creates 8 users with one address at the same time: each pair is announced once.
func TestDuplicatesUnderRaces(t *testing.T) {
	a := on(t, memory(t), "generic")
	const people = 8
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() { a.member(a.person(fmt.Sprintf("anna-%d", i), "", "anna@example.com")) })
	}
	wg.Wait()
	pairs := map[string]int{}
	for _, e := range a.told("duplicate.suspected") {
		one, other := e["member"].(object)["id"].(string), e["other"].(string)
		pairs[min(one, other)+max(one, other)]++
	}
	for pair, n := range pairs {
		if n != 1 {
			t.Errorf("%s was told of %d times", pair, n)
		}
	}
	if want := people * (people - 1) / 2; len(pairs) != want || strings.Count(a.duplicates(), "+") != want {
		t.Errorf("told of %d pairs, want %d; listed are %s", len(pairs), want, a.duplicates())
	}
}

// TestDuplicatesAreBounded: if 30 users share an address, each is compared with ten others at most.
func TestDuplicatesAreBounded(t *testing.T) {
	a := on(t, memory(t), "generic")
	for i := range 30 {
		a.person(fmt.Sprintf("desk-%d", i), "", "desk@example.com")
	}
	a.mustAdmin(200, "GET", "/members", "")
	if n := len(a.told("duplicate.suspected")); n < 30 || n > 300 {
		t.Errorf("told of %d pairs", n)
	}
}
