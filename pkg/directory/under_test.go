package directory_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
)

// TestManyUnknownMembersAreLookedUpTogether: a request about users who are yet to come takes few calls.
func TestManyUnknownMembersAreLookedUpTogether(t *testing.T) {
	w := in(t)
	g := w.group("g")
	values := w.users(300)
	for i := range 1000 {
		values = append(values, fmt.Sprintf("00u%04d-nobody", i))
	}
	for _, c := range []struct {
		name, ops string
		most      int
	}{
		{"add", add(values...), 220},
		{"add again", add(values...), 60},
		{"remove", drop(values...), 130},
	} {
		ctx, total := directory.Metered(context.Background())
		_, _, err := w.dir.Patch(ctx, w.tenant, group, g, w.operations(c.ops),
			directory.PatchOptions{Body: directory.NoBody})
		w.ok(nil, err)
		if cost := total(); cost.Calls > c.most {
			t.Errorf("%s: %+v", c.name, cost)
		} else {
			t.Logf("%s: %+v", c.name, cost)
		}
		w.settled()
	}
}

// TestManyMembersByOtherNames names members by externalId and userName among many that are nobody's, where there are
// many externalIds, and several users of one.
func TestManyMembersByOtherNames(t *testing.T) {
	w := in(t)
	byExternalID := map[string]string{}
	var want, values []string
	for i := range 400 {
		external := fmt.Sprintf("E%03d", i%300)
		id := w.user(fmt.Sprintf("name-%03d", i), fmt.Sprintf(`"externalId":%q`, external))
		if _, there := byExternalID[external]; there {
			id = external // it names two users: the member waits
		}
		byExternalID[external] = id
	}
	for range 50 {
		w.user("crowd-"+fmt.Sprint(len(byExternalID)), `"externalId":"E000x"`)
		byExternalID[fmt.Sprint(len(byExternalID))] = ""
	}
	for i := range 300 {
		external := fmt.Sprintf("E%03d", i)
		switch i % 3 {
		case 0:
			values, want = append(values, external), append(want, byExternalID[external])
		case 1:
			values, want = append(values, external+"-nobody"), append(want, external+"-nobody")
		}
	}
	values, want = append(values, "e000"), append(want, "e000") // an externalId is caseExact
	g := w.group("g")
	w.ok(w.patch(group, g, add(values...)))
	slices.Sort(want)
	w.same("members", w.members(g), slices.Compact(want))
	w.settled()
	// Some of those who were nobody arrive, by either name.
	for i := 1; i < 300; i += 9 {
		name := fmt.Sprintf("E%03d-nobody", i)
		body := userBody("late-"+name, fmt.Sprintf(`"externalId":%q`, name))
		if i%2 == 0 {
			body = userBody(name)
		}
		res, err := w.create(user, body)
		w.ok(res, err)
		want[slices.Index(want, name)] = res.ID
	}
	slices.Sort(want)
	w.same("members", w.members(g), slices.Compact(want))
	w.settled()
}
