// Package large makes up a catalogue of the size of a large retailer's, the same each time, to see how the product bears it.
package large
