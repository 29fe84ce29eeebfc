package bundle

import (
	"fmt"
	"strings"
)

// mostShown bounds how many errors are kept: nobody reads more, and ten thousand must not fill the memory.
const mostShown = 100

// Errors is everything that is wrong with some files, in their order.
type Errors struct {
	Shown []string
	More  int
}

func (e *Errors) Error() string {
	text := strings.Join(e.Shown, "\n")
	if e.More > 0 {
		text += fmt.Sprintf("\nand %d more", e.More)
	}
	return text
}

func (e *Errors) any() bool { return e != nil }

func (e *Errors) full() bool { return e != nil && len(e.Shown) == mostShown }

func (e *Errors) add(err error) *Errors {
	if e == nil {
		e = &Errors{}
	}
	if e.full() {
		e.More++
		return e
	}
	e.Shown = append(e.Shown, err.Error())
	return e
}
