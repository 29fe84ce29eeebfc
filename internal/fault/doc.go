// Package fault owns the kinds of refusal and failure and the words people are told. It never logs, never chooses a
// status code and imports nothing of ours.
package fault
