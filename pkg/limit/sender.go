package limit

import (
	"sync"
	"time"
)

// The bound on wrong tokens: after so many from one address in a window, in one process, unknown tokens from it are
// refused without a read of the table. So a sender of wrong tokens for a tenant can lock out his own address only, and
// not even there a sender whose token this process has accepted before.
const (
	wrongTokens = 30
	wrongTime   = 10 * time.Second
	maxSenders  = 10_000
)

// senders counts wrong tokens by address.
type senders struct {
	mu     sync.Mutex
	window int64
	wrong  map[string]int
}

// Wrong counts a wrong token of an address.
func (s *Service) Wrong(address string) {
	if s == nil {
		return
	}
	s.senders.mu.Lock()
	defer s.senders.mu.Unlock()
	s.senders.roll(s.now())
	if len(s.senders.wrong) < maxSenders {
		s.senders.wrong[address]++
	}
}

// Listen returns a *BusyError if an address has sent too many wrong tokens.
func (s *Service) Listen(address string) error {
	if s == nil {
		return nil
	}
	now := s.now()
	s.senders.mu.Lock()
	defer s.senders.mu.Unlock()
	s.senders.roll(now)
	if s.senders.wrong[address] < wrongTokens {
		return nil
	}
	end := time.Unix(0, (s.senders.window+1)*int64(wrongTime))
	return &BusyError{After: max(time.Second, end.Sub(now))}
}

// roll begins a new window if it is time.
func (s *senders) roll(now time.Time) {
	if window := now.UnixNano() / int64(wrongTime); window != s.window || s.wrong == nil {
		s.window, s.wrong = window, map[string]int{}
	}
}
