package boltstore

import (
	"runtime"
	"time"
)

// When the writer waits for more jobs.
const (
	// slowCommit is how long a commit takes at least that is worth waiting for company: one that waits for the disk.
	slowCommit = 300 * time.Microsecond
	// maxGather bounds the wait.
	maxGather = 3 * time.Millisecond
)

// pace is how the last commits went.
type pace struct {
	jobs, before int // in the last commit, and in the one before it
	took         time.Duration
}

// gather returns the jobs of the next commit: first, those in the queue, and those that come within a moment. The
// clients whose jobs were committed together send their next jobs about now. Without the wait the first of them would
// be committed alone, and the others would wait for two commits instead of one. A lone client never waits.
func (p *pace) gather(first *job, queue <-chan *job) []*job {
	runtime.Gosched() // those who are about to send a job do so first
	jobs := drain([]*job{first}, queue)
	expected := min(max(p.jobs, p.before), maxGroup)
	if len(jobs) >= expected || p.took < slowCommit {
		return jobs
	}
	enough := time.NewTimer(min(p.took/2, maxGather))
	defer enough.Stop()
	for len(jobs) < expected {
		select {
		case j, open := <-queue:
			if !open {
				return jobs
			}
			jobs = append(jobs, j)
		case <-enough.C:
			return jobs
		}
	}
	return drain(jobs, queue)
}

// drain appends the jobs that are in the queue, up to maxGroup.
func drain(jobs []*job, queue <-chan *job) []*job {
	for len(jobs) < maxGroup {
		select {
		case j, open := <-queue:
			if !open {
				return jobs
			}
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

// measure commits a number of jobs and notes how long it took.
func (p *pace) measure(jobs int, commit func()) {
	begin := time.Now()
	commit()
	p.jobs, p.before, p.took = jobs, p.jobs, time.Since(begin)
}
