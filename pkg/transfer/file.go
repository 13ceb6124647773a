package transfer

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// The format of a file.
const (
	formatName    = "serverless-scim-tenant"
	formatVersion = 1
	// maxLine is far more than the longest line: an item of 400 KB whose every character is escaped.
	maxLine = 4 << 20
)

// Header is the first line of a file.
type Header struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Tenant  string    `json:"tenant"`
	Layout  int64     `json:"layout"`
	At      time.Time `json:"at"`
}

// line is any line after the header: an item, the sealed secrets, or the trailer.
type line struct {
	Partition *string        `json:"p,omitempty"`
	Key       string         `json:"k,omitempty"`
	Attrs     map[string]any `json:"a,omitempty"`
	Sealed    []byte         `json:"sealed,omitempty"`
	Items     *int64         `json:"items,omitempty"`
	SHA256    string         `json:"sha256,omitempty"`
}

// writer writes a file.
type writer struct {
	out   *bufio.Writer
	sum   hash.Hash
	items int64
}

func newWriter(w io.Writer) *writer {
	return &writer{out: bufio.NewWriterSize(w, 1<<16), sum: sha256.New()}
}

func (w *writer) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	_, _ = w.sum.Write(text) // never fails
	_, err = w.out.Write(text)
	return err
}

func (w *writer) item(partition, key string, attrs store.Attrs) error {
	w.items++
	return w.line(line{Partition: &partition, Key: key, Attrs: encodeAttrs(attrs)})
}

func (w *writer) end() error {
	if err := w.line(line{Items: &w.items, SHA256: hex.EncodeToString(w.sum.Sum(nil))}); err != nil {
		return err
	}
	return w.out.Flush()
}

// encodeAttrs writes numbers and bytes so that they can't pass for texts, and lose nothing.
func encodeAttrs(attrs store.Attrs) map[string]any {
	out := make(map[string]any, len(attrs))
	for name, v := range attrs {
		switch v := v.(type) {
		case int64:
			out[name] = map[string]string{"n": strconv.FormatInt(v, 10)}
		case []byte:
			out[name] = map[string]string{"b": base64.StdEncoding.EncodeToString(v)}
		default:
			out[name] = v
		}
	}
	return out
}

func decodeAttrs(in map[string]any) (store.Attrs, error) {
	attrs := make(store.Attrs, len(in))
	for name, v := range in {
		switch v := v.(type) {
		case string:
			attrs[name] = v
		case map[string]any:
			value, err := decodeValue(v)
			if err != nil {
				return nil, err
			}
			attrs[name] = value
		default:
			return nil, errors.New("an attribute is neither a text nor a number nor bytes")
		}
	}
	return attrs, nil
}

func decodeValue(v map[string]any) (any, error) {
	number, isNumber := v["n"].(string)
	text, isBytes := v["b"].(string)
	switch {
	case len(v) != 1 || isNumber == isBytes:
		return nil, errors.New("an attribute is neither a text nor a number nor bytes")
	case isNumber:
		return strconv.ParseInt(number, 10, 64)
	}
	return base64.StdEncoding.DecodeString(text)
}

// FileError says that a file can't be imported. Nothing was written.
type FileError struct {
	Line   int
	Reason string
}

func (e *FileError) Error() string { return fmt.Sprintf("transfer: line %d: %s", e.Line, e.Reason) }

// read reads a file from its beginning and calls item for each line between header and trailer. The digest is checked
// at the end: the lines that item got are valid only if read returns no error. It returns the digest.
func read(in io.Reader, item func(Header, line) error) (h Header, digest string, err error) {
	buf, sum := bufio.NewReaderSize(in, 1<<16), sha256.New()
	items, done := int64(0), false
	for n := 1; ; n++ {
		text, err := readLine(buf)
		fail := func(reason string) (Header, string, error) { return h, "", &FileError{n, reason} }
		switch {
		case errors.Is(err, io.EOF) && len(text) == 0 && done:
			return h, digest, nil
		case errors.Is(err, io.EOF):
			return fail("the file is cut off: it has no trailer")
		case err != nil:
			return h, "", err
		case done:
			return fail("there is more behind the trailer")
		case n == 1:
			if err := json.Unmarshal(text, &h); err != nil || h.Format != formatName {
				return fail("this is no export of a tenant")
			}
			if h.Version != formatVersion || h.Layout > store.SchemaVersion {
				return fail("the file was written by a later version of the program")
			}
			_, _ = sum.Write(text)
			continue
		}
		var l line
		if err := strict(text, &l); err != nil {
			return fail("it can't be read: " + err.Error())
		}
		if l.Items != nil {
			if digest = hex.EncodeToString(sum.Sum(nil)); *l.Items != items || l.SHA256 != digest {
				return fail("the file was altered: its digest or its number of items is another")
			}
			done = true
			continue
		}
		_, _ = sum.Write(text) // never fails
		if l.Partition != nil {
			items++
		}
		if err := item(h, l); err != nil {
			if bad := (*FileError)(nil); errors.As(err, &bad) {
				bad.Line = n
			}
			return h, "", err
		}
	}
}

// readLine reads a line with its end; io.EOF if there is no whole one.
func readLine(in *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		if text = append(text, part...); len(text) > maxLine {
			return nil, &FileError{Reason: "a line is too long"}
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, err
		}
	}
}

func strict(text []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(to)
}
