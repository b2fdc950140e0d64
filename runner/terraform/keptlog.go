package terraform

import (
	"bytes"
	"fmt"
	"sync"
	"unicode/utf8"
)

const (
	// maxKeptLog is how much of a log is kept, in bytes: the first quarter and the
	// newest of the rest.
	maxKeptLog = 512 << 10
	// maxKeptLine is how much of a line is kept, in bytes.
	maxKeptLine = 16 << 10
)

// keptLog holds the lines of a pod's log that outlast the pod. What is written to it is
// masked already, and it cuts nothing but whole lines out and long lines short, so that
// no part of a secret comes to stand alone.
type keptLog struct {
	most int

	mu   sync.Mutex
	head []byte
	// tail are the newest lines, and tailSize their bytes.
	tail     [][]byte
	tailSize int
	// left and leftLines are the bytes and lines between them that are left out.
	left, leftLines int
	// version grows with every line.
	version int
}

func newKeptLog(most int) *keptLog { return &keptLog{most: most} }

// Write takes one line, with its line break. It never fails.
func (l *keptLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.version++
	kept := shorten(line)
	if l.tail == nil && len(l.head)+len(kept) <= l.most/4 {
		l.head = append(l.head, kept...)
		return len(line), nil
	}
	l.tail, l.tailSize = append(l.tail, kept), l.tailSize+len(kept)
	for l.tailSize > l.most*3/4 && len(l.tail) > 1 {
		l.left, l.leftLines, l.tailSize = l.left+len(l.tail[0]), l.leftLines+1, l.tailSize-len(l.tail[0])
		l.tail = l.tail[1:]
	}
	return len(line), nil
}

// text returns the log, with a line in the middle that says how much is left out, and
// its version.
func (l *keptLog) text() ([]byte, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := bytes.Clone(l.head)
	if l.leftLines > 0 {
		text = fmt.Appendf(text, "… %d lines (%d KiB) are left out here: the log that is kept has the beginning and the end …\n", l.leftLines, (l.left+1023)>>10)
	}
	return append(text, bytes.Join(l.tail, nil)...), l.version
}

// shorten returns a copy of a line that is at most maxKeptLine long, and valid UTF-8 if
// the line is.
func shorten(line []byte) []byte {
	if len(line) <= maxKeptLine {
		return bytes.Clone(line)
	}
	end := maxKeptLine
	for end > maxKeptLine-utf8.UTFMax && !utf8.RuneStart(line[end]) {
		end--
	}
	return fmt.Appendf(bytes.Clone(line[:end]), " … (%d KiB more)\n", (len(line)-end+1023)>>10)
}
