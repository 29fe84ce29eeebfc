// Package notify owns how people are told: mail by SMTP. It never decides who is told, or of what.
package notify
