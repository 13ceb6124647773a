package boltstore

import "time"

// When the writer waits for more jobs.
const (
	// slowCommit is how long a commit takes at least that is worth waiting for company: one that waits for the disk.
	slowCommit = 300 * time.Microsecond
	// maxGather bounds the wait.
	maxGather = time.Millisecond
)

// pace is how the last commit went.
type pace struct {
	jobs int
	took time.Duration
}

// gather waits a moment for the clients whose jobs were committed together: their next jobs are on their way. Without
// it the first of them would be committed alone, and the others would wait for two syncs of the disk instead of one. A
// lone client never waits. waiting is how many jobs there are already.
func (p *pace) gather(waiting int) {
	if p.jobs > 1 && p.took >= slowCommit && waiting < p.jobs {
		time.Sleep(min(p.took/4, maxGather))
	}
}

// measure commits a number of jobs and notes how long it took.
func (p *pace) measure(jobs int, commit func()) {
	begin := time.Now()
	commit()
	p.jobs, p.took = jobs, time.Since(begin)
}
