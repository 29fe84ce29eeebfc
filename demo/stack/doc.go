// Package stack owns the demo's folder (addresses, secrets, lock) and the running of its parts, in one process or in
// several. It never knows what a part does.
package stack
