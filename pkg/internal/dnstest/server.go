// Package dnstest is a DNS server for tests, on UDP and TCP. It answers questions for TXT records with answers that
// the test sets and may change.
package dnstest

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Reply is the answer to a question. The zero value is an answer without records.
type Reply struct {
	// Code is the error of the DNS, such as dnsmessage.RCodeServerFailure; the records are left out then.
	Code dnsmessage.RCode
	// TXT are the records, each in one or more strings.
	TXT [][]string
	// Alias is the name that has the records, to which the question's is a CNAME; "": the question's has them.
	Alias string
	// Truncate leaves the records out over UDP, and says so.
	Truncate bool
	// Silent is no answer at all.
	Silent bool
}

// NotThere is the answer for a name that does not exist.
var NotThere = Reply{Code: dnsmessage.RCodeNameError}

// TXT is an answer with records of one string each.
func TXT(values ...string) (r Reply) {
	for _, value := range values {
		r.TXT = append(r.TXT, []string{value})
	}
	return r
}

// Server is the DNS. It is safe for concurrent use.
type Server struct {
	// Address is its listening address: "127.0.0.1:5353".
	Address string

	mu      sync.Mutex
	replies map[string]Reply // by name in lower case, without the last dot
	asked   map[string]int   // by network
	before  func()
}

// New starts a server that knows no name. It ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{replies: map[string]Reply{}, asked: map[string]int{}}
	streams, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Address = streams.Addr().String()
	packets, err := net.ListenPacket("udp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() { s.packets(packets) })
	all.Go(func() { s.streams(streams, &all) })
	t.Cleanup(func() {
		_ = packets.Close()
		_ = streams.Close()
		all.Wait()
	})
	return s
}

// Says sets the answer about a name.
func (s *Server) Says(name string, r Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies[strings.ToLower(name)] = r
}

// First has do called before each answer from now on.
func (s *Server) First(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = do
}

// Asked is how many questions came over a network, "udp" or "tcp".
func (s *Server) Asked(network string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[network]
}

func (s *Server) packets(socket net.PacketConn) {
	query := make([]byte, 2048)
	for {
		n, from, err := socket.ReadFrom(query)
		if err != nil {
			return
		}
		if answer := s.answer("udp", query[:n]); answer != nil {
			_, _ = socket.WriteTo(answer, from)
		}
	}
}

func (s *Server) streams(socket net.Listener, all *sync.WaitGroup) {
	for {
		conn, err := socket.Accept()
		if err != nil {
			return
		}
		all.Go(func() {
			defer func() { _ = conn.Close() }()
			s.stream(conn)
		})
	}
}

// stream answers one question (RFC 1035, section 4.2.2).
func (s *Server) stream(conn net.Conn) {
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return
	}
	query := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, query); err != nil {
		return
	}
	if answer := s.answer("tcp", query); answer != nil {
		_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	}
}

// answer is the answer to a query; nil is none.
func (s *Server) answer(network string, query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	name := m.Questions[0].Name
	s.mu.Lock()
	s.asked[network]++
	before := s.before
	s.mu.Unlock()
	if before != nil {
		before()
	}
	s.mu.Lock()
	reply, known := s.replies[strings.ToLower(strings.TrimSuffix(name.String(), "."))]
	s.mu.Unlock()
	if !known {
		reply = NotThere
	}
	if reply.Silent {
		return nil
	}
	cut := reply.Truncate && network == "udp"
	m.Header = dnsmessage.Header{
		ID: m.ID, Response: true, RecursionDesired: m.RecursionDesired, RecursionAvailable: true, RCode: reply.Code,
		Truncated: cut,
	}
	m.Additionals = nil
	if reply.Code == dnsmessage.RCodeSuccess && !cut && m.Questions[0].Type == dnsmessage.TypeTXT {
		m.Answers = reply.records(name)
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	return out
}

func (r Reply) records(name dnsmessage.Name) (all []dnsmessage.Resource) {
	add := func(body dnsmessage.ResourceBody) {
		all = append(all, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET}, Body: body,
		})
	}
	if r.Alias != "" {
		alias := dnsmessage.MustNewName(r.Alias + ".")
		add(&dnsmessage.CNAMEResource{CNAME: alias})
		name = alias
	}
	for _, parts := range r.TXT {
		add(&dnsmessage.TXTResource{TXT: parts})
	}
	return all
}
