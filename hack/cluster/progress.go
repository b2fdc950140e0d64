package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress prints what is being done, each line with the seconds since the command began.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	begin time.Time
}

func newProgress(w io.Writer) *progress { return &progress{w: w, begin: time.Now()} }

func (p *progress) printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "%6.1fs  %s\n", time.Since(p.begin).Seconds(), fmt.Sprintf(format, args...))
}
