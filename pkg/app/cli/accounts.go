package cli

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli/call"
)

type accountsCmd struct {
	Import accountsImportCmd `cmd:"" help:"Import the application's existing people, for members to adopt."`
}

type accountsImportCmd struct {
	ofTenant
	File string `arg:"" help:"CSV or JSON; - reads standard input."`
}

// Help is the end of the command's help.
func (*accountsImportCmd) Help() string {
	return `CSV begins with the names of its columns: accountId and any of externalId, userName and email. JSON is ` +
		`an array of objects with these members, {"accounts": [...]}, or an object a line. Each row is answered ` +
		`with adopted (by a member), has-member (before), waits (for a member to come) or the reason why it is ` +
		`none. An import that broke off is run again: what is done stays done.`
}

// How much one request imports, and how often one that failed for a while is sent.
const (
	accountsAtOnce    = 1000
	accountBytes      = 900 << 10
	importTries       = 5
	importPause       = 500 * time.Millisecond // times the tries so far
	unavailable       = http.StatusServiceUnavailable
	gatewayTimeout    = http.StatusGatewayTimeout
	maxAccountID      = 256
	maxAccountMatches = 1024
)

// account is a row, and the number of its line or element, from 1.
type account struct {
	fields map[string]string
	row    int
}

// check returns the error of a row as text, or "" if the row is valid.
func (a account) check() string {
	for name, value := range a.fields {
		if len(value) > maxAccountMatches {
			return fmt.Sprintf("%s may have %d bytes at most", name, maxAccountMatches)
		}
	}
	if n := len(a.fields["accountId"]); n == 0 || n > maxAccountID {
		return fmt.Sprintf("accountId must have 1 to %d bytes", maxAccountID)
	}
	return ""
}

// importing is an import under way.
type importing struct {
	s      *session
	c      *accountsImportCmd
	chunk  []account
	ids    map[string]bool // of the chunk
	bytes  int
	counts map[string]int
}

// Run streams the file in chunks of 1,000 accounts. With -json each row is a line.
func (c *accountsImportCmd) Run(s *session) error {
	in := s.In
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	i := &importing{s: s, c: c, ids: map[string]bool{}, counts: map[string]int{}}
	err := readAccounts(in, i.add)
	if err == nil {
		err = i.flush()
	}
	if !c.JSON {
		fmt.Fprintf(s.Out, "%d adopted, %d had a member, %d wait, %d refused.\n",
			i.counts["adopted"], i.counts["has-member"], i.counts["waits"], i.counts["refused"])
	}
	if err == nil && i.counts["refused"] > 0 {
		err = fmt.Errorf("rows that are not accounts: %d", i.counts["refused"])
	}
	return err
}

// add takes a row, and sends the chunk before it if that is full.
func (i *importing) add(a account) error {
	if reason := a.check(); reason != "" {
		i.say(a, object{"result": "refused", "reason": reason})
		return nil
	}
	size := 64
	for _, value := range a.fields {
		size += 6*len(value) + 16 // as many bytes as JSON may need
	}
	id := a.fields["accountId"]
	if len(i.chunk) == accountsAtOnce || i.bytes+size > accountBytes || i.ids[id] {
		if err := i.flush(); err != nil {
			return err
		}
	}
	i.chunk, i.bytes, i.ids[id] = append(i.chunk, a), i.bytes+size, true
	return nil
}

// flush sends the chunk, and prints the result of each row.
func (i *importing) flush() error {
	if len(i.chunk) == 0 {
		return nil
	}
	list := make([]map[string]string, len(i.chunk))
	for n, a := range i.chunk {
		list[n] = a.fields
	}
	raw, err := i.send(object{"accounts": list})
	if err != nil {
		return fmt.Errorf("rows %d to %d may not be imported; run the import again: %w",
			i.chunk[0].row, i.chunk[len(i.chunk)-1].row, err)
	}
	answer, err := i.c.read(raw)
	if err != nil {
		return err
	}
	each := objects(answer["accounts"])
	if len(each) != len(i.chunk) {
		return errors.New("the response lacks some accounts: does the server have another version?")
	}
	for n, a := range i.chunk {
		i.say(a, each[n])
	}
	i.chunk, i.bytes = nil, 0
	clear(i.ids)
	return nil
}

// send sends a chunk. If the server is busy, it sends it again: rows that are done stay done.
func (i *importing) send(body object) ([]byte, error) {
	for try := 1; ; try++ {
		raw, err := i.c.send(i.s, request{http.MethodPost, path("tenants", i.c.Tenant, "accounts"), body})
		refused := (*call.RefusalError)(nil)
		busy := errors.As(err, &refused) && (refused.Status == unavailable || refused.Status == gatewayTimeout)
		if !busy || try == importTries {
			return raw, err
		}
		select {
		case <-i.s.ctx.Done():
			return nil, err
		case <-time.After(time.Duration(try) * importPause):
		}
	}
}

// say prints the result of a row.
func (i *importing) say(a account, came object) {
	result := text(came["result"])
	i.counts[result]++
	if i.c.JSON {
		came["row"], came["accountId"] = a.row, a.fields["accountId"]
		_ = writeJSON(i.s.Out, came) // the output is gone
		return
	}
	detail := text(came["member"])
	if reason := text(came["reason"]); reason != "" {
		detail = reason
	}
	fmt.Fprintf(i.s.Out, "%d  %s  %s  %s\n", a.row, text(a.fields["accountId"]), result, detail)
}

// wrapped is the begin of a document that has the accounts under a name.
var wrapped = regexp.MustCompile(`^\s*\{\s*"accounts"\s*:`)

// readAccounts calls use with each account of a file, as it is read.
func readAccounts(in io.Reader, use func(account) error) error {
	r := bufio.NewReaderSize(in, 4096)
	head, err := r.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	text := strings.TrimPrefix(string(head), "\ufeff")
	if text != string(head) {
		if _, err := r.Discard(len("\ufeff")); err != nil {
			return err
		}
	}
	switch trimmed := strings.TrimSpace(text); {
	case strings.HasPrefix(trimmed, "["):
		return readJSON(json.NewDecoder(r), 1, use)
	case wrapped.MatchString(text):
		return readJSON(json.NewDecoder(r), 3, use) // {, "accounts", [
	case strings.HasPrefix(trimmed, "{"):
		return readJSON(json.NewDecoder(r), 0, use)
	}
	return readCSV(r, use)
}

// readJSON reads accounts after so many tokens.
func readJSON(d *json.Decoder, skip int, use func(account) error) error {
	for range skip {
		if _, err := d.Token(); err != nil {
			return fmt.Errorf("the file is not JSON: %w", err)
		}
	}
	for row := 1; d.More(); row++ {
		var o map[string]any
		if err := d.Decode(&o); err != nil {
			return fmt.Errorf("account %d is not a JSON object: %w", row, err)
		}
		a := account{map[string]string{}, row}
		for name, value := range o {
			text, isText := value.(string)
			if !isColumn[name] || !isText && value != nil {
				return fmt.Errorf("account %d: %q must be one of %s, and a string", row, name, columns)
			}
			if text != "" {
				a.fields[name] = text
			}
		}
		if err := use(a); err != nil {
			return err
		}
	}
	if skip > 0 {
		if _, err := d.Token(); err != nil {
			return fmt.Errorf("the file ends early: %w", err)
		}
	}
	return nil
}

const columns = "accountId, externalId, userName, email"

var isColumn = map[string]bool{"accountId": true, "externalId": true, "userName": true, "email": true}

// readCSV reads accounts under the names of columns.
func readCSV(in io.Reader, use func(account) error) error {
	r := csv.NewReader(in)
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("the file has no header line: %w", err)
	}
	var names []string
	for _, name := range head {
		known := ""
		for column := range isColumn {
			if strings.EqualFold(strings.TrimSpace(name), column) {
				known = column
			}
		}
		if known == "" {
			return fmt.Errorf("%q is not a column; the columns are %s", name, columns)
		}
		names = append(names, known)
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := r.FieldPos(0)
		a := account{map[string]string{}, line}
		for i, value := range record {
			if value != "" {
				a.fields[names[i]] = value
			}
		}
		if err := use(a); err != nil {
			return err
		}
	}
}
