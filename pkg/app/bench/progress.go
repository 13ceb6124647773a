package bench

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progress is a bar on a terminal.
type progress struct {
	out   io.Writer
	total int

	mu    sync.Mutex
	done  int
	what  string
	drawn time.Time
}

const barWidth = 30

// phase sets the text for the work under way.
func (p *progress) phase(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what = fmt.Sprintf(format, args...)
	p.draw()
}

// step adds n to the work that is done.
func (p *progress) step(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	if time.Since(p.drawn) > 200*time.Millisecond {
		p.draw()
	}
}

func (p *progress) draw() {
	p.drawn = time.Now()
	part := min(float64(p.done)/float64(max(p.total, 1)), 1)
	full := int(part * barWidth)
	fmt.Fprintf(p.out, "\r[%s%s] %3.0f%% %-50.50s", strings.Repeat("#", full), strings.Repeat("-", barWidth-full),
		100*part, p.what)
}

// end wipes the bar.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "\r%*s\r", barWidth+60, "")
}
