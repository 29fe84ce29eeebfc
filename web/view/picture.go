package view

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The measures of a picture, in its own units: it is as wide as a phone, so that its letters are as large as the page's.
const (
	pictureWidth = 360
	boxWidth     = 112
	boxHeight    = 42
	boxGap       = 12
	rowGap       = 14
	layerGap     = 34
	boxesInRow   = 3
	lettersFit   = 15
)

// Picture is boxes in layers with lines between them. It says nothing that the text beside it does not say.
type Picture struct {
	Title  string
	Height int
	Boxes  []Box
	Lines  []PictureLine
	More   int // boxes that are not shown
}

// Box is one thing in a picture.
type Box struct {
	X, Y  int
	Name  string
	Lines []string // the name, as far as it fits
	Class string
	Path  string
}

// PictureLine leads from one box to another.
type PictureLine struct{ Draw, Class string }

// PictureNode is what a box is made from.
type PictureNode struct{ Key, Name, Class, Path string }

// PictureEdge joins two nodes by their keys.
type PictureEdge struct{ From, To, Class string }

// Draw lays nodes out in layers from top to bottom.
func Draw(title string, layers [][]PictureNode, edges []PictureEdge) Picture {
	p := Picture{Title: title}
	at := map[string]Box{}
	y := 4
	for _, layer := range layers {
		for i, node := range layer {
			row, column := i/boxesInRow, i%boxesInRow
			in := min(boxesInRow, len(layer)-row*boxesInRow)
			left := (pictureWidth - in*boxWidth - (in-1)*boxGap) / 2
			box := Box{
				X: left + column*(boxWidth+boxGap), Y: y + row*(boxHeight+rowGap),
				Name: node.Name, Lines: fitted(node.Name), Class: node.Class, Path: node.Path,
			}
			at[node.Key] = box
			p.Boxes = append(p.Boxes, box)
		}
		rows := (len(layer) + boxesInRow - 1) / boxesInRow
		y += rows*(boxHeight+rowGap) - rowGap + layerGap
	}
	p.Height = y - layerGap + 4
	for _, e := range edges {
		from, ok := at[e.From]
		to, there := at[e.To]
		if ok && there {
			p.Lines = append(p.Lines, PictureLine{curve(from, to), e.Class})
		}
	}
	return p
}

// curve leaves a box below and enters the next above; upwards or sideways it goes from side to side.
func curve(from, to Box) string {
	x1, y1, x2, y2 := from.X+boxWidth/2, from.Y+boxHeight, to.X+boxWidth/2, to.Y
	if y2 <= y1 {
		y1, y2 = from.Y+boxHeight/2, to.Y+boxHeight/2
		x1, x2 = from.X+boxWidth, to.X+boxWidth
		return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1+10, y1, x2+10, y2, x2, y2)
	}
	bend := (y2 - y1) / 2
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1, y1+bend, x2, y2-bend, x2, y2)
}

// fitted breaks a name into two lines and cuts what does not fit.
func fitted(name string) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(name) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= lettersFit:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	lines = append(lines, line)
	cut := len(lines) > 2
	lines = lines[:min(2, len(lines))]
	for i, line := range lines {
		letters := []rune(line)
		if len(letters) > lettersFit || cut && i == 1 {
			lines[i] = string(letters[:min(len(letters), lettersFit-1)]) + "…"
		}
	}
	return lines
}
