// Package scram owns passwords that Keyholder makes for others and the verifiers by which PostgreSQL checks them without
// ever having seen them. It never keeps or sends one, and imports nothing of ours.
package scram
