package stack

import (
	"bytes"
	"io"
	"sync"
)

// longestLine bounds what is held back of a line that does not end.
const longestLine = 64 << 10

// prefixed writes whole lines, each under the name of who said it. Several share one destination and its lock.
type prefixed struct {
	to     io.Writer
	prefix string
	mu     *sync.Mutex
	rest   []byte // of one writer alone: exec copies both outputs of a child from one goroutine
}

// Write never fails: a child must not die of a terminal that is gone.
func (p *prefixed) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	for {
		end := bytes.IndexByte(p.rest, '\n')
		switch {
		case end >= 0:
			p.line(p.rest[:end])
			p.rest = p.rest[end+1:]
		case len(p.rest) > longestLine:
			p.flush()
		default:
			return len(b), nil
		}
	}
}

func (p *prefixed) flush() {
	if len(p.rest) > 0 {
		p.line(p.rest)
		p.rest = nil
	}
}

func (p *prefixed) line(text []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := append([]byte(p.prefix), text...)
	_, err := p.to.Write(append(line, '\n'))
	_ = err // there is nowhere left to say so
}
