package example

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// event is an event of the log, as far as this application looks at it.
type event struct {
	ID             string `json:"id"`
	Type           string `json:"type"`
	Subject        string `json:"subject"`
	SubjectVersion int64  `json:"subjectVersion"`
	Data           struct {
		Member Member `json:"member"`
		Erased bool   `json:"erased"`
	} `json:"data"`
}

// problem is an answer that is not 200.
type problem struct {
	Status int
	Detail string `json:"detail"`
	After  string `json:"after"` // of a 410: where to follow on
}

func (p *problem) Error() string { return fmt.Sprintf("example: status %d: %s", p.Status, p.Detail) }

// get asks for a path under the tenant, and reads the whole answer before anything is made of it: a connection that
// breaks in the middle is an error and no half answer.
func (a *App) get(ctx context.Context, path string, query url.Values, answer any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.o.Tenant+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	w, err := a.o.Do(r)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(w.Body)
	_ = w.Body.Close()
	if err != nil {
		return err
	}
	if w.StatusCode != http.StatusOK {
		p := &problem{Status: w.StatusCode}
		_ = json.Unmarshal(data, p) // a gateway may answer something else
		p.Status = w.StatusCode
		return p
	}
	return json.Unmarshal(data, answer)
}

// events asks for the events after a position in the log. If there are none, the server may wait with its answer.
func (a *App) events(ctx context.Context, after string, wait time.Duration) ([]event, error) {
	var page struct {
		Events []event `json:"events"`
	}
	query := url.Values{"count": {"100"}, "wait": {strconv.Itoa(int(wait.Seconds()))}}
	if after != "" {
		query.Set("after", after)
	}
	err := a.get(ctx, "/events", query, &page)
	return page.Events, err
}

// members asks for all members, page by page.
func (a *App) members(ctx context.Context) (map[string]Member, error) {
	all := map[string]Member{}
	for cursor := ""; ; {
		var page struct {
			Members    []Member `json:"members"`
			NextCursor string   `json:"nextCursor"`
		}
		query := url.Values{"count": {"100"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		if err := a.get(ctx, "/members", query, &page); err != nil {
			return nil, err
		}
		for _, m := range page.Members {
			all[m.ID] = m
		}
		if cursor = page.NextCursor; cursor == "" {
			return all, nil
		}
	}
}

// member asks for one member. found is false for somebody who has left or never was there.
func (a *App) member(ctx context.Context, id string) (m Member, found bool, err error) {
	err = a.get(ctx, "/members/"+url.PathEscape(id), nil, &m)
	var p *problem
	if errors.As(err, &p) && p.Status == http.StatusNotFound {
		return Member{}, false, nil
	}
	return m, err == nil && m.Status != "removed", err
}
