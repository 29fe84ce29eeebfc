// Package bundle owns the files in which a catalogue and plans are kept: reading them strictly, with the place
// of what is wrong, and writing them. It never saves.
package bundle
