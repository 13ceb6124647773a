package people

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/portal/saved"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Bounds of a rehearsal in a page: pages of 1,000 people, the time, changes shown, names of each and of all.
const (
	rehearsedPages = 5
	rehearsedFor   = 8 * time.Second
	changesShown   = 50
	namesOfEach    = 20
	namesShown     = 100
)

// change is a target or status that several people would get or lose.
type change struct {
	Kind, Target, Organisation string
	From, To                   string // statuses
	N                          int
	Names                      []string
	ids                        []string
	group                      string // the id of the group that the target is
}

// More is how many people are not named.
func (c change) More() int { return c.N - len(c.Names) }

// shortage is a target of which so many are missing.
type shortage struct {
	Name                string
	Size, Used, Missing int
}

type rehearsalPage struct {
	Edit   edit
	Wrong  string
	Field  string // always empty: the page has no fields
	Faults []saved.Fault
	// Losses, Gains, Manual and Statuses are the changes, the largest first.
	Losses, Gains, Manual, Statuses []change
	Shortages                       []shortage
	Warnings                        []saved.Fault
	Examined, Of                    int
	Nothing                         bool
}

// edited is the policy with an edit. wrong is the key of the text about a fault.
func (r room) edited(v *frame.Visit, e edit) (_ member.Tenant, document []byte, wrong string, _ error) {
	t, p, err := saved.Of(v, r.c.Tenants, r.c.Members)
	if err != nil {
		return t, nil, "", err
	}
	if p.Version != e.Version {
		return t, nil, "groups.error.version", nil
	}
	if wrong = e.apply(p.Doc); wrong != "" {
		return t, nil, wrong, nil
	}
	return t, scim.AppendJSON(nil, p.Doc), "", nil
}

// rehearse shows the effect of a change of the policy.
func (r room) rehearse(v *frame.Visit) error {
	e := readEdit(v)
	t, document, wrong, err := r.edited(v, e)
	if err != nil {
		return err
	}
	if wrong != "" {
		return r.again(v, e, wrong, nil)
	}
	page := rehearsalPage{Edit: e}
	err = r.rehearsal(v, t, document, &page)
	if faults := mapping.Faults(nil); errors.As(err, &faults) {
		return r.again(v, e, "", faults)
	}
	if refused := (*scim.Error)(nil); errors.As(err, &refused) && refused.Status < http.StatusInternalServerError {
		return r.again(v, e, "groups.error.large", nil)
	}
	if err != nil {
		return err
	}
	return v.Show("rehearsal", page)
}

func (r room) rehearsal(v *frame.Visit, t member.Tenant, document []byte, page *rehearsalPage) error {
	var losses, gains, manual, statuses tally
	until, cursor := v.Now().Add(rehearsedFor), ""
	for range rehearsedPages {
		out, err := r.c.Members.Rehearse(v.R.Context(), t, document, cursor)
		if err != nil {
			return err
		}
		page.Examined += out.Examined
		page.Of, page.Shortages, page.Warnings = int(out.Of), nil, saved.Warnings(v.Lang, out.Warnings)
		for _, s := range out.Shortages {
			page.Shortages = append(page.Shortages, shortage{
				kindOf(v, s.Kind) + " " + s.Name, int(s.Size), int(s.Used), int(s.Missing),
			})
		}
		losses.add(v, out.Losses)
		gains.add(v, out.Gains)
		manual.add(v, out.ManualRemovals)
		for _, s := range out.Statuses {
			statuses.count(change{From: statusOf(v, s.From), To: statusOf(v, s.To)}, s.Member)
		}
		if cursor = out.Next; cursor == "" || v.Now().After(until) {
			break
		}
	}
	page.Of = max(page.Of, page.Examined)
	page.Losses, page.Gains, page.Manual, page.Statuses = losses.largest(), gains.largest(), manual.largest(),
		statuses.largest()
	page.Nothing = len(page.Losses)+len(page.Gains)+len(page.Manual)+len(page.Statuses) == 0
	return r.nameAll(v.R.Context(), t, page.Losses, page.Manual, page.Statuses, page.Gains)
}

// tally counts changes of the same kind.
type tally struct {
	at  map[[5]string]int
	all []change
}

func (t *tally) add(v *frame.Visit, list []member.Difference) {
	for _, d := range list {
		c := change{Kind: kindOf(v, d.Kind), Target: d.Name, Organisation: d.Organisation}
		if d.Kind == mapping.KindGroup && d.Organisation == "" {
			c.group = d.Name
		}
		t.count(c, d.Member)
	}
}

func (t *tally) count(c change, id string) {
	if t.at == nil {
		t.at = map[[5]string]int{}
	}
	key := [5]string{c.Kind, c.Target, c.Organisation, c.From, c.To}
	i, ok := t.at[key]
	if !ok {
		i = len(t.all)
		t.at[key], t.all = i, append(t.all, c)
	}
	if t.all[i].N++; len(t.all[i].ids) < namesOfEach {
		t.all[i].ids = append(t.all[i].ids, id)
	}
}

func (t *tally) largest() []change {
	slices.SortStableFunc(t.all, func(a, b change) int { return cmp.Compare(b.N, a.N) })
	return t.all[:min(len(t.all), changesShown)]
}

// nameAll names the people of changes, the first ones of all.
func (r room) nameAll(ctx context.Context, t member.Tenant, lists ...[]change) error {
	names := map[string]string{}
	var ids, groups []string
	for _, list := range lists {
		for _, c := range list {
			if c.group != "" {
				groups = append(groups, c.group)
			}
			for _, id := range c.ids {
				if _, there := names[id]; !there && len(ids) < namesShown {
					names[id], ids = id, append(ids, id)
				}
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var (
		people []directory.Person
		shown  []directory.GroupOf
	)
	slices.Sort(groups)
	g, ctx := task.WithContext(ctx)
	g.Go(func() (err error) { people, err = r.c.Directory.People(ctx, t.ID, ids); return err })
	g.Go(func() (err error) {
		shown, err = r.c.Directory.GroupsOf(ctx, t.ID, slices.Compact(groups))
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	groupNames := map[string]string{}
	for _, g := range shown {
		groupNames[g.ID] = nameOf(g.Doc)
	}
	for _, p := range people {
		if name := nameOf(p.Doc); name != "" {
			names[p.ID] = name
		} else if name, _ := p.Doc["userName"].(string); name != "" {
			names[p.ID] = name
		}
	}
	for _, list := range lists {
		for i := range list {
			if name := groupNames[list[i].group]; name != "" {
				list[i].Target = name
			}
			for _, id := range list[i].ids {
				if name, ok := names[id]; ok {
					list[i].Names = append(list[i].Names, name)
				}
			}
			slices.Sort(list[i].Names)
		}
	}
	return nil
}

// save saves the change that was rehearsed, on the version that it was rehearsed with.
func (r room) save(v *frame.Visit) error {
	e := readEdit(v)
	t, document, wrong, err := r.edited(v, e)
	if err != nil {
		return err
	}
	if wrong != "" {
		return r.again(v, e, wrong, nil)
	}
	_, _, err = r.c.Members.SavePolicy(v.R.Context(), t, document, e.Version)
	if faults := mapping.Faults(nil); errors.As(err, &faults) {
		return r.again(v, e, "", faults)
	}
	if refused := (*scim.Error)(nil); errors.As(err, &refused) && refused.Status < http.StatusInternalServerError {
		return r.again(v, e, "groups.error.large", nil)
	}
	if errors.Is(err, member.ErrVersion) {
		return r.again(v, e, "groups.error.version", nil)
	}
	if err != nil {
		return err
	}
	return v.Lead("groups", "rule.saved")
}

// statuses are those that have a word in each language.
var statuses = []string{"staged", "active", "inactive", "removed"}

// statusOf is the word for a status of a member.
func statusOf(v *frame.Visit, s member.Status) string {
	if s == "" {
		return v.Text("status.none")
	}
	return told(v, "status.", string(s), statuses)
}
