// Package access owns roles, permissions and the principal who acts. It never asks who is signed in and imports nothing
// of ours.
package access
