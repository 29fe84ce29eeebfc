// Command keyholder-demo is Keyholder with everything it needs in one program: an embedded Temporal server, a sign-in
// provider and a shop to fail over.
package main
