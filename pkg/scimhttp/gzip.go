package scimhttp

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/flate"
)

// gzipFrom is the size in bytes from which a body is worth compressing.
const gzipFrom = 1024

// compressed returns a body compressed if the client takes that and it makes the answer smaller; else nil.
func compressed(rq *request, body []byte) []byte {
	if rq.Method == http.MethodHead || len(body) <= gzipFrom || !takesGzip(rq.Header) {
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

// gzipHeader begins a body of the format gzip: deflate, no name, no time, an unknown system (RFC 1952, section 2.3).
const gzipHeader = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

// zip returns a body in the format gzip. The encoder needs a third of the time of compress/gzip at its best speed, and
// no megabyte of memory that would have to be kept for reuse.
func zip(body []byte) []byte {
	b := bytes.NewBuffer(make([]byte, 0, len(gzipHeader)+len(body)/usualRatio))
	_, _ = b.WriteString(gzipHeader)
	_ = flate.StatelessDeflate(b, body, true, nil) // no error can come of a buffer
	size := uint32(len(body))                      //nolint:gosec // the format has it modulo 2^32
	end := binary.LittleEndian.AppendUint32(b.AvailableBuffer(), crc32.ChecksumIEEE(body))
	_, _ = b.Write(binary.LittleEndian.AppendUint32(end, size))
	return b.Bytes()
}

// usualRatio is how much smaller a usual body becomes.
const usualRatio = 4

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3).
func takesGzip(header http.Header) bool {
	var zipped, others, identity float64
	var named bool
	for _, value := range header["Accept-Encoding"] {
		for part := range strings.SplitSeq(value, ",") {
			coding, parameters, _ := strings.Cut(part, ";")
			quality := 1.0
			name, q, _ := strings.Cut(parameters, "=")
			if strings.EqualFold(strings.TrimSpace(name), "q") {
				// A value that is no number counts as 0: the coding is not wanted.
				quality, _ = strconv.ParseFloat(strings.TrimSpace(q), 64)
			}
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				zipped, named = quality, true
			case "*":
				others = quality
			case "identity":
				identity = quality
			}
		}
	}
	if !named {
		zipped = others
	}
	return zipped > 0 && zipped >= identity
}
