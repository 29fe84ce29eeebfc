// Package panel owns the page on which the demo shop is watched and broken, and the JSON API behind it. It never changes
// anything by itself, and it sees the parts as anyone else would, over their sockets.
package panel
