package member

// Matched is the number of times that the service has found the rules which a group passes.
func (s *Service) Matched() int64 { return s.policies.Matched() }
