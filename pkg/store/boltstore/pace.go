package boltstore

import "time"

// When the writer waits for more jobs.
const (
	// slowCommit is how long a commit takes at least that is worth waiting for company: one that waits for the disk.
	slowCommit = 300 * time.Microsecond
	// maxGather bounds the wait, gatherStep is how often the writer looks meanwhile.
	maxGather  = 3 * time.Millisecond
	gatherStep = 150 * time.Microsecond
)

// pace is how the last commits went.
type pace struct {
	jobs, before int // in the last commit, and in the one before it
	took         time.Duration
}

// gather waits a moment for the clients whose jobs were committed together: their next jobs are on their way. Without it
// the first of them would be committed alone, and the others would wait for two commits instead of one. A lone client
// never waits. waiting tells how many jobs there are.
func (p *pace) gather(waiting func() int) {
	most := max(p.jobs, p.before)
	if most == 1 || p.took < slowCommit {
		return
	}
	for left := min(p.took/2, maxGather); left > 0 && waiting() < most; left -= gatherStep {
		time.Sleep(gatherStep)
	}
}

// measure commits a number of jobs and notes how long it took.
func (p *pace) measure(jobs int, commit func()) {
	begin := time.Now()
	commit()
	p.jobs, p.before, p.took = jobs, p.jobs, time.Since(begin)
}
