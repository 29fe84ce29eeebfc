// Package control owns the small pieces every part of the demo shop is built from: its file, its server, the memory of
// idempotency keys, the count of effects, and the levers with which the shop is broken and held. It never knows what a
// part does.
package control
