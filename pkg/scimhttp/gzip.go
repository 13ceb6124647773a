package scimhttp

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// gzipFrom is the size in bytes from which a body is worth compressing.
const gzipFrom = 1024

// compressed returns a body compressed if the client takes that and it makes the answer smaller; else nil.
func compressed(rq *request, body []byte) []byte {
	if rq.Method == http.MethodHead || !takesGzip(rq.Header) {
		return nil
	}
	return compress(body)
}

// compress returns a body compressed if that makes the answer smaller; else nil. A compressed body is no text and
// leaves a Lambda function in base64.
func compress(body []byte) []byte {
	if len(body) <= gzipFrom {
		return nil
	}
	small := zip(body)
	if base64.StdEncoding.EncodedLen(len(small)) >= len(body) {
		return nil
	}
	return small
}

// zippers holds writers for reuse: one takes more than a megabyte.
var zippers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // no error can come of a known level
	return w
}}

func zip(body []byte) []byte {
	var b bytes.Buffer
	w, _ := zippers.Get().(*gzip.Writer)
	defer zippers.Put(w)
	w.Reset(&b)
	// No error can come of a buffer.
	_, _ = w.Write(body)
	_ = w.Close()
	return b.Bytes()
}

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3).
func takesGzip(header http.Header) bool {
	quality := map[string]float64{}
	for _, value := range header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(value, ",") {
			coding, parameters, _ := strings.Cut(part, ";")
			coding = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(coding)), "x-")
			quality[coding] = 1
			name, q, _ := strings.Cut(parameters, "=")
			if strings.EqualFold(strings.TrimSpace(name), "q") {
				// A value that is no number counts as 0: the coding is not wanted.
				quality[coding], _ = strconv.ParseFloat(strings.TrimSpace(q), 64)
			}
		}
	}
	q, named := quality["gzip"]
	if !named {
		q = quality["*"]
	}
	return q > 0 && q >= quality["identity"]
}
