package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli/call"
)

type object = map[string]any

// path joins parts of a path, each as it is.
func path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// admin are the flags of the commands that call the admin API.
type admin struct {
	URL    string `default:"http://127.0.0.1:8080" env:"SCIM_ADMIN_URL" placeholder:"URL" group:"admin" help:"Server."`
	Key    string `name:"admin-key" env:"SCIM_ADMIN_KEY" placeholder:"KEY" group:"admin" help:"Its key, if it has one."`
	Region string `placeholder:"REGION" group:"admin" help:"AWS Region to sign for; taken from the URL by default."`
	JSON   bool   `name:"json" group:"admin" help:"Print the response of the API, one JSON document."`
}

// request is a request to the admin API. If Body is nil, it has no body.
type request struct {
	method, path string
	body         any
}

// call sends a request and prints the answer: as it is with -json, else by show.
func (a admin) call(s *session, r request, show func(answer object)) error {
	return a.try(s, r, show, func(object) error { return nil })
}

// try is call for a command that also fails if the answer says so: failure returns the error of an answer.
func (a admin) try(s *session, r request, show func(object), failure func(object) error) error {
	raw, err := a.send(s, r)
	if err != nil {
		return err
	}
	answer, err := a.read(raw)
	switch {
	case err != nil:
		return err
	case !a.JSON:
		show(answer)
	default:
		if len(raw) == 0 {
			raw = []byte("{}")
		}
		if _, err := fmt.Fprintf(s.Out, "%s\n", strings.TrimSpace(string(raw))); err != nil {
			return err
		}
	}
	return failure(answer)
}

// send sends a request and returns the body of the answer, which may be empty.
func (a admin) send(s *session, r request) ([]byte, error) {
	c := &call.Client{URL: a.URL, Key: a.Key, Region: a.Region, Now: time.Now}
	return c.Do(s.ctx, r.method, r.path, r.body)
}

// read reads an answer, which may be empty.
func (a admin) read(raw []byte) (answer object, err error) {
	if len(raw) > 0 && json.Unmarshal(raw, &answer) != nil {
		return nil, fmt.Errorf("the response is not JSON: is %s the URL of the server?", a.URL)
	}
	return answer, nil
}

// confirm asks a person, who has to say yes.
func (s *session) confirm(question string) bool {
	fmt.Fprintf(s.Err, "%s [y/N] ", question)
	line, _ := bufio.NewReader(s.In).ReadString('\n') // no answer is no
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

// meant asks for confirmation of an action that can't be undone, unless force is set. effect describes the action,
// for the error if nobody can be asked; refused is the error if the answer is no.
func (s *session) meant(force bool, effect, question, refused string) error {
	switch {
	case force:
		return nil
	case !s.Asks:
		return usageError(effect + "; add -force, because nobody can be asked here")
	case !s.confirm(question):
		return errors.New(refused)
	}
	return nil
}

// moment is a time as people write it.
type moment struct {
	given bool
	value any // RFC 3339; nil is never
}

// UnmarshalText reads a day, which is meant to its end, a time, or never.
func (m *moment) UnmarshalText(text []byte) error {
	s := string(text)
	m.given = true
	if s == "never" {
		m.value = nil
		return nil
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		m.value = day.Add(24*time.Hour - time.Second).Format(time.RFC3339)
		return nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("%q is not a time: write 2027-05-31, 2027-05-31T12:00:00Z or never", s)
	}
	m.value = at.UTC().Format(time.RFC3339)
	return nil
}

// into puts the time into a request body, if it was given.
func (m moment) into(body object) {
	if m.given {
		body["expiresAt"] = m.value
	}
}

// scopes are scopes as people write them.
type scopes string

func (sc scopes) into(body object) {
	if sc != "" {
		body["scopes"] = strings.FieldsFunc(string(sc), func(c rune) bool { return c == ',' || c == ' ' })
	}
}

// maxFile is the size of the largest file that is sent: definitions of schemas may have 256 KiB.
const maxFile = 1 << 20

// document reads a JSON file, "-" from standard input.
func (s *session) document(name string) (doc json.RawMessage, err error) {
	in := s.In
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxFile || !json.Valid(raw) {
		return nil, fmt.Errorf("%s is not a JSON document of at most %d bytes", name, maxFile)
	}
	return raw, nil
}
