// Package temporal owns the workflow server of the demo: one process, one SQLite file, every socket on loopback. A
// bench lets it keep its state in a PostgreSQL instead. It never runs a workflow and knows nothing of the product.
package temporal
