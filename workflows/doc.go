// Package workflows owns the durable processes: their messages, the workflow, and the activities that look and act. The
// workflow orders, waits and retries; what is decided stands in the database, and it branches on what that returns.
package workflows
