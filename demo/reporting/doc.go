// Package reporting owns the shop's reporting database: a PostgreSQL that is started with the demo where the machine has its programs.
// Whom it lets in is the product's business.
package reporting
