package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/notice/message"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// outbox writes notices: as mails into the folder notices of the data folder, and a line for each mail to Out.
// Without a data folder it writes only the line.
type outbox struct {
	o      Options
	log    *slog.Logger
	keeps  bool         // there is a data folder
	origin atomic.Value // string: scheme and host, once they are known
	links  *message.Links
}

func newOutbox(o Options, log *slog.Logger) *outbox {
	b := &outbox{o: o, log: log, keeps: o.keeps()}
	b.origin.Store(o.BaseURL)
	return b
}

// keeps reports whether there is a folder for files.
func (o Options) keeps() bool { return o.Data != boltstore.Memory && o.Data != "" }

// reached notes the origin at which the server is reached.
func (b *outbox) reached(origin string) { b.origin.CompareAndSwap("", origin) }

// tell writes a notice. Its readers have no admin API, so the way to the token is printed for the operator.
func (b *outbox) tell(ctx context.Context, t notice.Tenant, n notice.Notice) (notice.State, error) {
	origin, _ := b.origin.Load().(string)
	state, err := message.New(message.Options{
		Sender: b, Product: b.o.NoticeProduct, Contact: b.o.NoticeContact, BaseURL: origin, Now: b.o.Now, Log: b.log,
		Links: b.links,
	}).Deliver(ctx, t, n)
	if err == nil && !n.Kind.OfTenant() && n.Kind != notice.Test && n.ClientID == "" {
		b.hint(origin, t, n)
	}
	return state, err
}

// hint prints the command that shows the operator the token of a notice.
func (b *outbox) hint(origin string, t notice.Tenant, n notice.Notice) {
	command := "issue " + t.ID
	switch {
	case n.Successor.ID != "" && !n.Successor.FirstUsedAt.IsZero():
		return
	case n.Successor.ID != "" && t.NotKept:
		return // it was shown
	case n.Successor.ID != "":
		command = "reveal " + t.ID + " " + n.Successor.ID
	case !n.ToCollect:
		return
	}
	if origin != "" {
		command = "-url " + origin + " " + command
	}
	b.o.tell(map[string]any{"tenant": t.ID, "newToken": "token " + command},
		"  the new token: go run ./functions/local token %s\n", command)
}

// Send is message.Sender.Send. A mail that is sent again takes the place of the first.
func (b *outbox) Send(_ context.Context, m message.Message) error {
	raw, err := m.Mail("scim@localhost", "")
	if err != nil {
		return err
	}
	shown, where := map[string]any{"tenant": m.Tenant, "notice": m.Kind, "recipients": len(m.To)}, ""
	if b.keeps {
		where = filepath.Join(b.o.Data, "notices",
			fmt.Sprintf("%s-%s-%s-%.12s.eml", m.Tenant, m.Kind, m.Language, m.ID))
		if err := replaceFile(where, raw); err != nil {
			return err
		}
		shown["mail"], where = where, ", mail: "+where
	}
	b.o.tell(shown, "notice %s for tenant %s, recipients: %d%s\n", m.Kind, m.Tenant, len(m.To), where)
	return nil
}

// replaceFile writes a file that is there whole or not at all, and on the disk when it returns nil.
func replaceFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		_ = os.Remove(path + ".tmp")
	}
	return err
}

// oneByOne lets several goroutines write to w, which may be nil.
type oneByOne struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *oneByOne) Write(p []byte) (int, error) {
	if o.w == nil {
		return len(p), nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}
