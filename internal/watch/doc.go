// Package watch owns what the worker does every second beside the processes: reading signals and copies of data,
// keeping fact sheets of open requests fresh, and starting processes from the outbox. It never acts on a real system.
package watch
